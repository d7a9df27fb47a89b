/* SPDX-License-Identifier: Apache-2.0 */
/** Compiles chosen layers in a jail, and looks at what came out of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compile.h"
#include "emit.h"
#include "load.h"
#include "load_jail.h"
#include "prove.h"
#include "table.h"

#define EXIT_WRONG 1

struct job {
	const struct load *load;
	const struct table *modules;
	uint64_t serial;
	int table_fd, text_fd;
};

static int write_all(int fd, const char *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t put = write(fd, bytes + done, size - done);

		if (put <= 0) {
			return -EIO;
		}
		done += (size_t)put;
	}
	return 0;
}

static int add(struct compile *compile, const struct load_file *file)
{
	return source_add(&compile->sources, file->name, file->bytes, file->size, &compile->diags);
}

int load_fill(const struct load *load, struct compile *compile, uint32_t *ret_layers)
{
	uint32_t layers = 0, number[TEXT_LAYERS] = {0};
	int ret = 0;

	compile->sources.include_dir = -1;
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		if (load->layer[i].there) {
			number[i] = layers++;
			ret |= add(compile, &load->layer[i].file) < 0 ? -1 : 0;
		}
	}
	for (uint32_t i = 0; i < load->shared_count; i++) {
		int index = add(compile, &load->shared[i]);
		struct source *source = index < 0 ? NULL : &compile->sources.file[index];

		ret |= source ? 0 : -1;
		for (unsigned int j = 0; source && j < TEXT_LAYERS; j++) {
			bool keep = load->layer[j].there && !(load->shared_by[i] >> j & 1u);

			source->included = true;
			source->kept |= (uint64_t)keep << number[j];
		}
	}
	*ret_layers = layers;
	return ret;
}

static int emit(const struct job *job, struct compile *compile, void **ret_bytes, size_t *ret_size)
{
	struct emit_module module[16];
	uint32_t count = 0;

	while (count < job->modules->root->module_count && count < 16) {
		const struct bh_policy_module *from = &job->modules->root_module[count];

		module[count++] = (struct emit_module){
			.role = from->role, .size = from->size, .crc32c = from->crc32c};
	}
	return emit_table(&compile->model, &compile->cells, &compile->sources, job->serial, module,
			  count, &compile->diags, ret_bytes, ret_size);
}

static void tell(const struct compile *compile, int fd)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out) {
		diag_print(&compile->diags, &compile->sources, out);
		fclose(out);
		write_all(fd, text, size);
	}
}

/* In the jail; its memory goes with it. */
static int work(void *data)
{
	const struct job *job = data;
	struct compile *compile = calloc(1, sizeof(*compile));
	uint32_t layers;
	void *bytes;
	size_t size;
	int ret;

	if (!compile) {
		return EXIT_WRONG;
	}
	ret = load_fill(job->load, compile, &layers);
	ret = ret ? ret : compile_sources(compile, 0, layers, PROVE_ALL);
	ret = ret ? ret : emit(job, compile, &bytes, &size);
	tell(compile, job->text_fd);
	ret = ret ? ret : write_all(job->table_fd, bytes, size);
	return ret ? EXIT_WRONG : 0;
}

/* A signature holds for its layer and version: the text must not be of another one, or the user's
 * key would speak for IT. */
static int check_layers(const struct load *load, const struct table *table, char why[LOAD_WHY_SIZE])
{
	const char *spoken = "none";

	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		if (!load->layer[i].there && table->head->layers >> i & 1u) {
			spoken = text_layer_word(i);
		}
	}
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		const struct load_layer *layer = &load->layer[i];

		if (layer->there && !(table->head->layers >> i & 1u)) {
			snprintf(why, LOAD_WHY_SIZE,
				 "%.63s is signed for layer %s, and is of layer %s",
				 layer->file.name, text_layer_word(i), spoken);
			return -EKEYREJECTED;
		}
		if (layer->there && layer->version != table->head->version[i]) {
			snprintf(why, LOAD_WHY_SIZE,
				 "%.63s is signed for version %" PRIu64
				 ", and says version %" PRIu64 ": sign it again",
				 layer->file.name, layer->version, table->head->version[i]);
			return -EKEYREJECTED;
		}
	}
	return 0;
}

static int check_result(const struct load *load, int fd, char why[LOAD_WHY_SIZE])
{
	off_t size = lseek(fd, 0, SEEK_END);
	void *bytes = size > 0 && size <= TABLE_SIZE_MAX ? malloc((size_t)size) : NULL;
	const char *reason = "no table";
	struct table table;
	int ret = -EBADMSG;

	if (bytes && pread(fd, bytes, (size_t)size, 0) == size) {
		ret = table_open(bytes, (size_t)size, &table, &reason);
	}
	if (ret) {
		snprintf(why, LOAD_WHY_SIZE, "what the compiler made is no table: %s", reason);
	} else {
		ret = check_layers(load, &table, why);
	}
	free(bytes);
	if (ret && ftruncate(fd, 0)) {
		return -errno;
	}
	return ret;
}

int load_compile(const struct load *load, const char *modules_path, uint64_t serial, int table_fd,
		 int text_fd, char why[LOAD_WHY_SIZE])
{
	const int fds[] = {table_fd, text_fd};
	struct table modules;
	struct job job = {load, &modules, serial, table_fd, text_fd};
	const char *reason;
	void *bytes;
	int ret = table_load(modules_path, &bytes, &modules, &reason);

	if (ret) {
		snprintf(why, LOAD_WHY_SIZE, "%s: %s", modules_path, reason);
		return ret;
	}
	ret = load_in_jail(work, &job, fds, 2);
	free(bytes);
	if (ret < 0) {
		snprintf(why, LOAD_WHY_SIZE, "the compiler did not come to its end: %s",
			 ret == -EPROTO ? "it took too long, or did what it must not"
					: strerror(-ret));
		return ret;
	}
	return ret ? ret : check_result(load, table_fd, why);
}
