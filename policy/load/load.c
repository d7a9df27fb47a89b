/* SPDX-License-Identifier: Apache-2.0 */
/** Which layers count. Every byte is read once; what was checked is what is compiled. */
#define _GNU_SOURCE
#include "load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parse.h"
#include "sign_text.h"
#include "whole_file.h"

static int __attribute__((format(printf, 3, 4)))
fail(char why[LOAD_WHY_SIZE], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, LOAD_WHY_SIZE, format, args);
	va_end(args);
	return error;
}

static int read_whole(int folder, const char *path, struct load_file *file)
{
	return whole_file_read(folder, path, O_NOFOLLOW, SOURCE_SIZE_MAX, &file->bytes,
			       &file->size);
}

static struct load_file *place_for(struct load_set *set, const char *part)
{
	if (!strcmp(part, "layer")) {
		return &set->layer;
	}
	if (!strcmp(part, "signature")) {
		return &set->signature;
	}
	if (!strcmp(part, "include") && set->include_count < LOAD_FILES_MAX) {
		return &set->include[set->include_count];
	}
	return NULL;
}

/* path: what follows the prefix, "<set>.<part>.<name>". */
static int read_member(struct load *load, int folder, const char *path, const char *rest,
		       char why[LOAD_WHY_SIZE])
{
	struct load_file *file;
	struct load_set *set;
	char part[16], name[LOAD_NAME_SIZE];
	uint32_t number;
	int ret;

	if (sscanf(rest, "%" SCNu32 ".%15[a-z].%63s", &number, part, name) != 3 ||
	    number >= LOAD_SETS_MAX) {
		return 0; /* not one of ours */
	}
	set = &load->set[number];
	file = place_for(set, part);
	if (!file || file->bytes) {
		return fail(why, -EINVAL, "set %" PRIu32 " has too many files", number);
	}
	ret = read_whole(folder, path, file);
	if (ret) {
		return fail(why, ret, "%s: %s", path, strerror(-ret));
	}
	snprintf(file->name, sizeof(file->name), "%s", name);
	set->include_count += file == &set->include[set->include_count];
	set->there = true;
	return 0;
}

static int read_sets(struct load *load, int folder, const char *prefix, char why[LOAD_WHY_SIZE])
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t size = strlen(prefix);
	const struct dirent *entry;

	if (!dir) {
		return fail(why, -errno, "the folder of applied policies: %s", strerror(errno));
	}
	while (ret == 0 && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		size_t length = strlen(name);

		if (!strncmp(name, prefix, size) && name[size] == '.' &&
		    (length < 4 || strcmp(name + length - 4, ".tmp") != 0)) {
			ret = read_member(load, folder, name, name + size + 1, why);
		}
	}
	closedir(dir);
	return ret;
}

int load_read(struct load *load, int folder, const char *prefix, char why[LOAD_WHY_SIZE])
{
	int ret = prefix ? read_sets(load, folder, prefix, why) : 0;
	char path[512];

	for (unsigned int layer = 0; ret == 0 && layer < TEXT_LAYERS; layer++) {
		struct load_file *file = &load->system[layer];

		snprintf(file->name, sizeof(file->name), "%s.pol", text_layer_word(layer));
		snprintf(path, sizeof(path), "%s/%s", load->system_path, file->name);
		ret = read_whole(AT_FDCWD, path, file);
		if (ret && ret != -ENOENT) {
			return fail(why, ret, "%s: %s", path, strerror(-ret));
		}
		ret = 0;
	}
	return ret;
}

/* All layers see the same bytes under one name, and each only those that it vouches for. Takes the
 * bytes over. */
static int share(struct load *load, enum text_layer layer, const char *name, char *bytes,
		 size_t size, char why[LOAD_WHY_SIZE])
{
	struct load_file *file;

	for (uint32_t i = 0; i < load->shared_count; i++) {
		file = &load->shared[i];
		if (!strcmp(file->name, name)) {
			bool same = file->size == size && !memcmp(file->bytes, bytes, size);

			free(bytes);
			load->shared_by[i] |= 1u << layer;
			return same ? 0
				    : fail(why, -EINVAL,
					   "two layers include '%s' and mean different files: "
					   "rename one",
					   name);
		}
	}
	if (load->shared_count == SOURCE_FILES_MAX) {
		free(bytes);
		return fail(why, -E2BIG, "too many included files");
	}
	load->shared_by[load->shared_count] = 1u << layer;
	file = &load->shared[load->shared_count++];
	snprintf(file->name, sizeof(file->name), "%s", name);
	file->bytes = bytes;
	file->size = size;
	return 0;
}

static int share_system(struct load *load, enum text_layer layer, const char *name,
			char why[LOAD_WHY_SIZE])
{
	struct load_file file = {0};
	char path[512];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", load->system_path, name);
	ret = read_whole(AT_FDCWD, path, &file);
	return ret ? fail(why, ret, "'%s' is included and not there", name)
		   : share(load, layer, name, file.bytes, file.size, why);
}

/* A set brings what it includes, or means what came with the system: the hash in the signature says
 * which bytes those must be. */
static int share_include(struct load *load, struct load_set *set, const char *name,
			 char why[LOAD_WHY_SIZE])
{
	for (uint32_t i = 0; i < set->include_count; i++) {
		struct load_file *file = &set->include[i];
		char *copy;

		if (strcmp(file->name, name)) {
			continue;
		}
		copy = malloc(file->size + 1);
		if (!copy) {
			return fail(why, -ENOMEM, "out of memory");
		}
		memcpy(copy, file->bytes, file->size);
		return share(load, set->head.layer, name, copy, file->size, why);
	}
	return share_system(load, set->head.layer, name, why);
}

static const struct load_file *find_shared(const struct load *load, const char *name)
{
	for (uint32_t i = 0; i < load->shared_count; i++) {
		if (!strcmp(load->shared[i].name, name)) {
			return &load->shared[i];
		}
	}
	return NULL;
}

static int check_files(struct load *load, struct load_set *set, const struct sign_head *head,
		       char why[LOAD_WHY_SIZE])
{
	int ret = sign_check_file(head, 0, set->layer.bytes, set->layer.size, why);

	for (uint32_t i = 1; ret == 0 && i < head->count; i++) {
		const struct load_file *file;

		ret = share_include(load, set, head->file[i].name, why);
		file = ret ? NULL : find_shared(load, head->file[i].name);
		if (file) {
			ret = sign_check_file(head, i, file->bytes, file->size, why);
		}
	}
	return ret;
}

/* What the signature says of itself is enough to leave a set out: its key may be gone. */
static bool is_left_out(const struct load *load, uint32_t number)
{
	const struct load_file *signature = &load->set[number].signature;
	struct sign_text *text;
	bool user = false;
	size_t covered;

	if (number >= load->no_user_before || !signature->bytes) {
		return false;
	}
	text = malloc(sizeof(*text));
	if (text) {
		user = sign_text_decode((const uint8_t *)signature->bytes, signature->size, text,
					&covered) == 0 &&
		       text->head.layer == TEXT_USER;
	}
	free(text);
	return user;
}

/* A later set takes the place of an earlier one of the same layer. */
static int check_set(struct load *load, uint32_t number, char why[LOAD_WHY_SIZE])
{
	struct load_set *set = &load->set[number];
	struct load_layer *layer;
	int ret;

	if (!set->layer.bytes) {
		return fail(why, -EINVAL, "a layer is missing");
	}
	if (!set->signature.bytes) {
		return fail(why, -ENOENT,
			    "%s has no signature: sign it with bulkhead policy sign, which makes "
			    "%s.sig",
			    set->layer.name, set->layer.name);
	}
	ret = sign_check((const uint8_t *)set->signature.bytes, set->signature.size,
			 load->keys_path, &set->head, why);
	if (ret) {
		return ret;
	}
	if (load->by_person && number >= load->user_from && set->head.layer != TEXT_USER) {
		return fail(why, -EPERM,
			    "%s is signed as the %s layer: a person applies the user layer, and "
			    "nothing beside it; ask IT (group bulkhead-it) for the others",
			    set->layer.name, text_layer_word(set->head.layer));
	}
	layer = &load->layer[set->head.layer];
	if (layer->there && set->head.version < layer->version) {
		return fail(why, -ESTALE,
			    "%s has version %" PRIu64 ", and version %" PRIu64
			    " of this layer is applied",
			    set->layer.name, set->head.version, layer->version);
	}
	if (layer->there && set->head.version == layer->version &&
	    memcmp(set->head.digest, layer->digest, sizeof(layer->digest))) {
		return fail(why, -ESTALE,
			    "%s has version %" PRIu64
			    ", which is applied with other words: give it a new version",
			    set->layer.name, set->head.version);
	}
	*layer = (struct load_layer){
		.there = true, .version = set->head.version, .set = number, .file = set->layer};
	memcpy(layer->digest, set->head.digest, sizeof(layer->digest));
	return 0;
}

static int check_layer(struct load *load, enum text_layer number, char why[LOAD_WHY_SIZE])
{
	const struct load_layer *layer = &load->layer[number];
	struct load_set *set;
	int ret;

	if (!layer->there) {
		return 0;
	}
	set = &load->set[layer->set];
	ret = check_files(load, set, &set->head, why);
	if (ret == 0 && load->seen_path) {
		ret = sign_seen_check(load->seen_path, number, layer->version, layer->digest, why);
	}
	return ret;
}

/* What came with the system is ours: parsing it here tells its version, and what it includes. */
static int choose_system(struct load *load, enum text_layer number, char why[LOAD_WHY_SIZE])
{
	struct load_file *file = &load->system[number];
	struct load_layer *layer = &load->layer[number];
	struct source_set *sources = malloc(sizeof(*sources));
	struct diag_list diags = {0};
	struct text text;
	int index, ret = sources ? source_init(sources, load->system_path) : -ENOMEM;

	if (ret) {
		free(sources);
		return fail(why, ret, "%s: %s", load->system_path, strerror(-ret));
	}
	index = source_add(sources, file->name, file->bytes, file->size, &diags);
	if (index < 0 || parse_text(sources, (uint32_t)index, &diags, &text)) {
		ret = fail(why, -EBADMSG, "%s: %s", file->name,
			   diags.count ? diags.item[0].message : "cannot be read");
	} else if (text.layer != number) {
		ret = fail(why, -EBADMSG, "%s is not the %s layer", file->name,
			   text_layer_word(number));
	} else if (layer->there && layer->version < text.version) {
		ret = fail(why, -ESTALE,
			   "version %" PRIu64 " of the %s layer is older than %" PRIu64
			   ", which this machine came with",
			   layer->version, text_layer_word(number), text.version);
	} else if (!layer->there) {
		*layer = (struct load_layer){
			.there = true, .version = text.version, .set = LOAD_NO_SET, .file = *file};
		for (uint32_t i = 0; ret == 0 && i < sources->count; i++) {
			if (sources->file[i].included) {
				ret = share_system(load, number, sources->file[i].name, why);
			}
		}
	}
	if (index >= 0 && diags.error_count == 0) {
		text_fini(&text);
	}
	diag_fini(&diags);
	source_fini(sources);
	free(sources);
	return ret;
}

int load_choose(struct load *load, char why[LOAD_WHY_SIZE])
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < LOAD_SETS_MAX; i++) {
		ret = load->set[i].there && !is_left_out(load, i) ? check_set(load, i, why) : 0;
	}
	for (unsigned int layer = 0; ret == 0 && layer < TEXT_LAYERS; layer++) {
		ret = check_layer(load, layer, why);
	}
	for (unsigned int layer = 0; ret == 0 && layer < TEXT_LAYERS; layer++) {
		ret = load->system[layer].bytes ? choose_system(load, layer, why) : 0;
	}
	return ret;
}

int load_record(const struct load *load, char why[LOAD_WHY_SIZE])
{
	int ret = 0;

	for (unsigned int i = 0; ret == 0 && i < TEXT_LAYERS; i++) {
		const struct load_layer *layer = &load->layer[i];

		if (layer->there && layer->set != LOAD_NO_SET && load->seen_path) {
			ret = sign_seen_record(load->seen_path, i, layer->version, layer->digest,
					       why);
		}
	}
	return ret;
}

void load_fini(struct load *load)
{
	for (unsigned int i = 0; i < LOAD_SETS_MAX; i++) {
		struct load_set *set = &load->set[i];

		free(set->layer.bytes);
		free(set->signature.bytes);
		for (uint32_t j = 0; j < set->include_count; j++) {
			free(set->include[j].bytes);
		}
	}
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		free(load->system[i].bytes);
	}
	for (uint32_t i = 0; i < load->shared_count; i++) {
		free(load->shared[i].bytes);
	}
}
