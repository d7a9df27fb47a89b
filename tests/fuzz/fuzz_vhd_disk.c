/* SPDX-License-Identifier: Apache-2.0 */
/* A VHD file of any content beside a good parent: refused, or opened, read, written and opened
 * again with what was written; and what was refused once is refused again.
 *
 * The input: a byte of flags, then records of a sector's number (3 bytes, little endian) and its
 * 512 bytes. So block tables, bitmaps and locators of a large image fit into little input. Flags:
 * make the sum of the copy, the footer, the header right; open for writing; the parent is the one
 * meant.
 */
#define _GNU_SOURCE

#include "disk_memory.h"
#include "vhd_bytes.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdlib.h>

#define RECORD	   (3u + 512u)
#define RECORD_MAX 512u
#define BUDGET	   (24u << 20)
#define SIZE	   (4u << 20)
#define STEPS	   48u

enum { FIX_COPY = 1, FIX_FOOTER = 2, FIX_HEADER = 4, WRITE = 8, FIX_PARENT = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t parent_uuid[16] = {0xbe, 0xef, 3, 4, 5, 6, 7, 8, 9, 10};

static void must(bool good)
{
	if (!good) {
		abort();
	}
}

/* Made once: a disk with its first block full of 'p'. */
static struct disk_memory *make_parent(void)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = SIZE, .timestamp = 1};
	struct disk_memory *disk = disk_memory_create(false);
	struct layer *layer;
	uint8_t bytes[4096];

	memcpy(create.uuid, parent_uuid, sizeof(parent_uuid));
	memset(bytes, 'p', sizeof(bytes));
	must(!vhd_disk_create(disk_memory_folder(disk), "p.vhd", &create, NULL));
	must(!vhd_disk_open(disk_memory_folder(disk), "p.vhd", VHD_DISK_WRITE, &layer, NULL));
	must(!layer_write(layer, bytes, sizeof(bytes), 0) && !layer_flush(layer));
	must(!layer_close(layer));
	return disk;
}

static void fix(struct file *file, uint64_t at, size_t length, size_t field)
{
	uint8_t bytes[1024], sum[4];

	must(!file_read(file, bytes, length, at));
	vhd_store32(sum, vhd_checksum(bytes, length, field));
	must(!file_write(file, sum, sizeof(sum), at + field));
}

static void put_image(struct folder *folder, const uint8_t *data, size_t size)
{
	uint8_t flags = size ? data[0] : 0;
	uint64_t end = 0;
	struct file *file;

	must(!folder_open_file(folder, "f.vhd", FOLDER_CREATE, &file));
	for (size_t at = 1, n = 0; at + RECORD <= size && n < RECORD_MAX; at += RECORD, n++) {
		uint64_t sector = data[at] | data[at + 1] << 8 | (uint64_t)data[at + 2] << 16;

		must(!file_write(file, data + at + 3, 512, sector * 512));
	}
	must(!file_get_size(file, &end));
	if (end >= 1536 && flags & FIX_PARENT) {
		must(!file_write(file, parent_uuid, sizeof(parent_uuid), 512 + 40));
	}
	if (end >= 1536 && flags & FIX_HEADER) {
		fix(file, 512, 1024, 36);
	}
	if (end >= 512 && flags & FIX_COPY) {
		fix(file, 0, 512, 64);
	}
	if (end >= 512 && flags & FIX_FOOTER) {
		fix(file, end - 512, 512, 64);
	}
	file_close(file);
}

/* Reads around the start of each stretch that the disk tells. */
static void read_some(struct layer *layer)
{
	static uint8_t bytes[64 << 10];
	uint64_t at = 0, length;
	unsigned extent;

	for (unsigned i = 0; i < STEPS && at < layer->size; i++) {
		int rc = layer_extent(layer, at, &length, &extent);
		size_t size = sizeof(bytes);

		if (rc) {
			return;
		}
		must(length && length % LAYER_SECTOR == 0 && length <= layer->size - at);
		size = length < size ? (size_t)length : size;
		rc = layer_read(layer, bytes, size, at);
		for (size_t k = 0; !rc && extent & LAYER_ZERO && k < size; k++) {
			must(!bytes[k]);
		}
		at += length;
	}
	if (layer->size >= 4096) {
		(void)!layer_read(layer, bytes, 4096, (layer->size - 4096) & ~511ull);
	}
}

/* Writes across the disk and finds it again after opening anew. */
static void write_some(struct folder *folder, struct layer *layer)
{
	uint64_t step = layer->size / 5 & ~511ull;
	uint8_t bytes[1536], got[1536];
	bool written[5] = {false};

	for (unsigned i = 0; i < 5 && layer->size >= 16384; i++) {
		memset(bytes, 'a' + (int)i, sizeof(bytes));
		written[i] = !layer_write(layer, bytes, sizeof(bytes), i * step);
	}
	(void)!layer_zero(layer, layer->size / 2 & ~511ull, 512);
	(void)!layer_discard(layer, 0, 0);
	if (layer_flush(layer) || layer_close(layer)) {
		return;
	}
	must(!vhd_disk_open(folder, "f.vhd", 0, &layer, NULL));
	for (unsigned i = 0; i < 5; i++) {
		if (written[i] && i * step + sizeof(bytes) <= (layer->size / 2 & ~511ull)) {
			memset(bytes, 'a' + (int)i, sizeof(bytes));
			must(!layer_read(layer, got, sizeof(got), i * step));
			must(memcmp(bytes, got, sizeof(got)) == 0);
		}
	}
	must(!layer_close(layer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct disk_memory *parent;
	struct disk_memory *disk;
	struct folder *folder;
	struct layer *layer;
	bool write = size && data[0] & WRITE;
	struct why why;

	parent = parent ? parent : make_parent();
	disk = disk_memory_fork(parent);
	folder = disk_memory_folder(disk);
	put_image(folder, data, size);
	disk->budget = disk_memory_used(disk) + BUDGET;
	if (vhd_disk_open(folder, "f.vhd", write ? VHD_DISK_WRITE : 0, &layer, &why) == 0) {
		read_some(layer);
		if (write) {
			write_some(folder, layer);
		} else {
			must(!layer_close(layer));
		}
	} else {
		must(why.text[0]);
	}
	must(!disk_memory_open_count(disk));
	disk_memory_destroy(disk);
	return 0;
}
