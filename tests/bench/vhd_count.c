/* SPDX-License-Identifier: Apache-2.0 */
/* vhd-count: what the VHD engine asks of the files below it. Calls and bytes are counted where they
 * pass, so no other work on the machine changes them. Prints one JSON object per figure.
 */
#define _GNU_SOURCE

#include "vhd_disk.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB	   (1ull << 20)
#define GIB	   (1ull << 30)
#define BLOCK	   (2 * MIB)
#define WRITES	   1024u
#define SMALL	   4096u
#define CHAIN	   8u
#define CHAIN_SIZE (100 * GIB)

/* A folder in front of the real one, whose files count. */
struct counts {
	uint64_t reads, writes, zeros, resizes, flushes;
};

static struct counts counts;

struct counting_file {
	struct file file;
	struct file *below;
};

struct counting_folder {
	struct folder folder;
	struct folder *below;
};

static struct file *below_of(struct file *file)
{
	return ((struct counting_file *)file)->below;
}

static int count_read(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	counts.reads++;
	return file_readv(below_of(file), iov, count, size, offset);
}

static int count_write(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		       uint64_t offset)
{
	counts.writes++;
	return file_writev(below_of(file), iov, count, size, offset);
}

static int count_zero(struct file *file, uint64_t offset, uint64_t size)
{
	counts.zeros++;
	return file_zero(below_of(file), offset, size);
}

static int count_resize(struct file *file, uint64_t size)
{
	counts.resizes++;
	return file_resize(below_of(file), size);
}

static int count_flush(struct file *file)
{
	counts.flushes++;
	return file_flush(below_of(file));
}

static int count_get_size(struct file *file, uint64_t *ret_size)
{
	return file_get_size(below_of(file), ret_size);
}

static int count_lock(struct file *file, bool exclusive)
{
	return file_lock(below_of(file), exclusive);
}

static void count_close(struct file *file)
{
	file_close(below_of(file));
	free(file);
}

static const struct file_ops file_ops = {
	.read = count_read,
	.write = count_write,
	.zero = count_zero,
	.resize = count_resize,
	.flush = count_flush,
	.get_size = count_get_size,
	.lock = count_lock,
	.close = count_close,
};

static struct folder *folder_below(struct folder *folder)
{
	return ((struct counting_folder *)folder)->below;
}

static int count_open(struct folder *folder, const char *name, unsigned flags,
		      struct file **ret_file)
{
	struct counting_file *file = calloc(1, sizeof(*file));
	int rc = file ? folder_open_file(folder_below(folder), name, flags, &file->below) : -1;

	if (rc) {
		free(file);
		return rc;
	}
	file->file.ops = &file_ops;
	file->file.read_only = file->below->read_only;
	*ret_file = &file->file;
	return 0;
}

static int count_rename(struct folder *folder, const char *from, const char *to)
{
	return folder_rename(folder_below(folder), from, to);
}

static int count_remove(struct folder *folder, const char *name)
{
	return folder_remove(folder_below(folder), name);
}

static int count_folder_flush(struct folder *folder)
{
	return folder_flush(folder_below(folder));
}

static int count_list(struct folder *folder, int (*each)(void *context, const char *name),
		      void *context)
{
	return folder_list(folder_below(folder), each, context);
}

static const struct folder_ops folder_ops = {
	.open = count_open,
	.rename = count_rename,
	.remove = count_remove,
	.flush = count_folder_flush,
	.list = count_list,
};

static struct why why;

static void must(int rc, const char *what)
{
	if (rc) {
		fprintf(stderr, "vhd-count: %s: %s%s%s\n", what, strerror(-rc),
			*why.text ? ": " : "", why.text);
		exit(1);
	}
}

static struct layer *open_disk(struct folder *folder, const char *name, unsigned flags)
{
	struct layer *disk = NULL;

	must(vhd_disk_open(folder, name, flags, &disk, &why), name);
	return disk;
}

static void say(const char *figure, double value, const char *unit, double aim)
{
	printf("{\"figure\": \"%s\", \"value\": %g, \"unit\": \"%s\", \"aim\": \"at most %g\", "
	       "\"pass\": %s}\n",
	       figure, value, unit, aim, value <= aim ? "true" : "false");
}

/* Writes into blocks that are there, a flush after each 32: what a guest's database does. */
static void count_overwrites(struct folder *folder, const char *name, const char *kind,
			     double per_flush)
{
	struct layer *disk = open_disk(folder, name, VHD_DISK_WRITE);
	static uint8_t bytes[SMALL];
	unsigned guest_flushes = 0;
	uint64_t in_writes = 0, in_flushes = 0;
	char text[120];

	memset(bytes, 0x5a, sizeof(bytes));
	for (uint64_t at = 0; at < disk->size; at += BLOCK) {
		must(layer_write(disk, bytes, sizeof(bytes), at), "write");
	}
	must(layer_flush(disk), "flush");
	for (unsigned i = 0; i < WRITES; i++) {
		uint64_t block = i * 7919u % (disk->size / BLOCK), before = counts.flushes;

		must(layer_write(disk, bytes, sizeof(bytes),
				 block * BLOCK + (1 + i) * SMALL % BLOCK),
		     "write");
		in_writes += counts.flushes - before;
		if (i % 32 == 31) {
			before = counts.flushes;
			must(layer_flush(disk), "flush");
			in_flushes += counts.flushes - before;
			guest_flushes++;
		}
	}
	must(layer_close(disk), "close");
	snprintf(text, sizeof(text), "%s: flushes per guest write", kind);
	say(text, (double)in_writes / WRITES, "", 0);
	snprintf(text, sizeof(text), "%s: flushes per guest flush", kind);
	say(text, (double)in_flushes / guest_flushes, "", per_flush);
}

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static uint64_t memory(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* Each image of the chain holds every other block, the ones that the image below does not. */
static void make_chain(struct folder *folder)
{
	char name[32], parent[32];

	for (unsigned depth = 0; depth < CHAIN; depth++) {
		struct vhd_disk_create create = {
			.type = depth ? VHD_DIFFERENCING : VHD_DYNAMIC,
			.size = CHAIN_SIZE,
			.parent = depth ? parent : NULL,
		};
		static uint8_t bytes[SMALL];
		struct layer *disk;

		snprintf(name, sizeof(name), "chain%u.vhd", depth);
		must(vhd_disk_create(folder, name, &create, &why), name);
		disk = open_disk(folder, name, VHD_DISK_WRITE);
		for (uint64_t at = depth % 2 * BLOCK; at < disk->size; at += 2 * BLOCK) {
			must(layer_write(disk, bytes, sizeof(bytes), at), "write");
		}
		must(layer_flush(disk), "flush");
		must(layer_close(disk), "close");
		memcpy(parent, name, sizeof(parent));
	}
}

static void count_chain(struct folder *folder)
{
	struct layer *disk;
	double best = 1e9;
	uint64_t used;

	make_chain(folder);
	for (unsigned i = 0; i < 10; i++) {
		double start = cpu_ms();

		used = memory();
		disk = open_disk(folder, "chain7.vhd", VHD_DISK_WRITE);
		best = best < cpu_ms() - start ? best : cpu_ms() - start;
		used = memory() - used;
		must(layer_close(disk), "close");
	}
	say("chain of 8, 100 GiB, half full: CPU to open", best, "ms", 50);
	say("chain of 8, 100 GiB, half full: memory when open", (double)used / (double)MIB, "MiB",
	    16);
}

int main(int argc, char **argv)
{
	struct vhd_disk_create dynamic = {.type = VHD_DYNAMIC, .size = 64 * BLOCK};
	struct vhd_disk_create child = {.type = VHD_DIFFERENCING, .parent = "count.vhd"};
	struct counting_folder folder = {.folder.ops = &folder_ops};
	const char *name;
	char path[4096];

	if (argc != 2) {
		fprintf(stderr,
			"usage: vhd-count FOLDER\n"
			"Counts what the VHD engine does to scratch images made in the folder "
			"(some 2 GiB).\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%s/count.vhd", argv[1]);
	must(folder_of_path(path, &folder.below, &name), path);
	must(vhd_disk_create(&folder.folder, "count.vhd", &dynamic, &why), "count.vhd");
	count_overwrites(&folder.folder, "count.vhd", "dynamic", 1);
	must(vhd_disk_create(&folder.folder, "child.vhd", &child, &why), "child.vhd");
	count_overwrites(&folder.folder, "child.vhd", "differencing", 2);
	count_chain(&folder.folder);
	folder_close(folder.below);
	return 0;
}
