/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the images of a unit test: one disk in memory, made afresh for each test. */
#define _GNU_SOURCE

#include "images.h"

#include "disk_cut.h"
#include "vhd_bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct disk_memory *images_disk;
struct folder *images_folder;
struct why images_why;

static unsigned cuts;
static void (*cut_look)(struct folder *folder);
static uint64_t cut_seed;

int images_setup(void **state)
{
	(void)state;
	images_disk = disk_memory_create(true);
	images_folder = disk_memory_folder(images_disk);
	memset(&images_why, 0, sizeof(images_why));
	return 0;
}

int images_teardown(void **state)
{
	int rc = disk_memory_open_count(images_disk) ? -1 : 0;

	(void)state;
	disk_memory_destroy(images_disk);
	return rc;
}

void images_make(const char *name, enum vhd_type type, const char *parent)
{
	struct vhd_disk_create create = {.type = type, .size = IMAGES_SIZE, .parent = parent};

	assert_int_equal(vhd_disk_create(images_folder, name, &create, &images_why), 0);
}

void images_fill(const char *name, uint64_t offset, uint64_t size, char with)
{
	char *bytes = malloc(size);
	struct layer *layer;

	assert_non_null(bytes);
	memset(bytes, with, size);
	assert_int_equal(vhd_disk_open(images_folder, name, VHD_DISK_WRITE, &layer, &images_why),
			 0);
	assert_int_equal(layer_write(layer, bytes, size, offset), 0);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	free(bytes);
}

struct layer *images_open(const char *name, unsigned flags)
{
	struct layer *layer = NULL;
	int rc = vhd_disk_open(images_folder, name, flags, &layer, &images_why);

	if (rc < 0) {
		fail_msg("%d: %s", rc, images_why.text);
	}
	return layer;
}

void images_expect(struct layer *layer, uint64_t offset, uint64_t size, char with)
{
	char *bytes = malloc(size);

	assert_int_equal(layer_read(layer, bytes, size, offset), 0);
	for (uint64_t i = 0; i < size; i++) {
		if (bytes[i] != with) {
			fail_msg("%d instead of %d at %llu", bytes[i], with,
				 (unsigned long long)(offset + i));
		}
	}
	free(bytes);
}

void images_put(struct layer *layer, uint64_t offset, uint64_t size, char with)
{
	char *bytes = malloc(size);

	memset(bytes, with, size);
	assert_int_equal(layer_write(layer, bytes, size, offset), 0);
	free(bytes);
}

char images_at(struct folder *folder, const char *name, uint64_t offset)
{
	char bytes[LAYER_SECTOR];
	struct layer *layer;

	if (vhd_disk_open(folder, name, 0, &layer, &images_why) < 0) {
		return '?';
	}
	assert_int_equal(layer_read(layer, bytes, sizeof(bytes), offset), 0);
	assert_int_equal(layer_close(layer), 0);
	return bytes[0] ? bytes[0] : '0';
}

bool images_is_there(struct folder *folder, const char *name)
{
	struct file *file;
	int rc = folder_open_file(folder, name, FOLDER_READ, &file);

	if (!rc) {
		file_close(file);
	}
	return !rc;
}

static struct file *open_file(const char *name, unsigned flags)
{
	struct file *file;

	assert_int_equal(folder_open_file(images_folder, name, flags, &file), 0);
	return file;
}

void images_poke(const char *name, uint64_t offset, const void *bytes, size_t size)
{
	struct file *file = open_file(name, FOLDER_WRITE);

	assert_int_equal(file_write(file, bytes, size, offset), 0);
	assert_int_equal(file_flush(file), 0);
	file_close(file);
}

void images_peek(const char *name, uint64_t offset, void *ret_bytes, size_t size)
{
	struct file *file = open_file(name, FOLDER_READ);

	assert_int_equal(file_read(file, ret_bytes, size, offset), 0);
	file_close(file);
}

uint64_t images_file_size(const char *name)
{
	struct file *file = open_file(name, FOLDER_READ);
	uint64_t size;

	assert_int_equal(file_get_size(file, &size), 0);
	file_close(file);
	return size;
}

/* The footer's copy leads to the header, the header to the table. */
uint64_t images_place(const char *name, uint32_t block)
{
	uint8_t bytes[8];
	uint64_t header;

	images_peek(name, 16, bytes, 8);
	header = vhd_load64(bytes);
	images_peek(name, header + 16, bytes, 8);
	images_peek(name, vhd_load64(bytes) + 4ull * block, bytes, 4);
	return vhd_load32(bytes) == UINT32_MAX ? UINT64_MAX : vhd_load32(bytes) * 512ull;
}

static void cut_here(struct disk_memory *now, enum disk_call call)
{
	(void)call;
	for (unsigned i = 0; i < cuts; i++) {
		struct disk_cut cut = disk_cut_choose(now, &cut_seed);
		struct disk_memory *after = disk_cut_make(now, &cut);

		cut_look(disk_memory_folder(after));
		assert_int_equal(disk_memory_open_count(after), 0);
		disk_memory_destroy(after);
	}
}

void images_cut(unsigned count, void (*look)(struct folder *folder))
{
	cuts = count;
	cut_look = look;
	cut_seed = 7;
	images_disk->on_change = count ? cut_here : NULL;
}
