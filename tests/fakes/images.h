/* SPDX-License-Identifier: Apache-2.0 */
/** Small images on a disk in memory, told apart by the byte that their sectors are filled with.
 * Anything that fails ends the test.
 */
#ifndef TEST_IMAGES_H
#define TEST_IMAGES_H

#include "disk_memory.h"
#include "vhd_disk.h"

#define IMAGES_SIZE  (8u << 20) /* four blocks */
#define IMAGES_BLOCK (2u << 20)

extern struct disk_memory *images_disk;
extern struct folder *images_folder;
extern struct why images_why;

/** cmocka's setup and teardown: a recording disk; at the end no file may be open. */
int images_setup(void **state);
int images_teardown(void **state);

/** A disk of IMAGES_SIZE; with a parent, a child of it. */
void images_make(const char *name, enum vhd_type type, const char *parent);
/** Writes `size` bytes of `with` and flushes. */
void images_fill(const char *name, uint64_t offset, uint64_t size, char with);
/** An open disk, to be closed by layer_close(); bytes that it must have, and bytes for it. */
struct layer *images_open(const char *name, unsigned flags);
void images_expect(struct layer *layer, uint64_t offset, uint64_t size, char with);
void images_put(struct layer *layer, uint64_t offset, uint64_t size, char with);
/** What a sector of the disk begins with; '?' when the disk does not open. */
char images_at(struct folder *folder, const char *name, uint64_t offset);
bool images_is_there(struct folder *folder, const char *name);

/** Of the file itself. */
void images_poke(const char *name, uint64_t offset, const void *bytes, size_t size);
void images_peek(const char *name, uint64_t offset, void *ret_bytes, size_t size);
uint64_t images_file_size(const char *name);
/** Where the block of a disk lies in its file. */
uint64_t images_place(const char *name, uint32_t block);

/** Calls `look` with states that a power cut may leave, `count` after each change from now on;
 * 0 ends that. */
void images_cut(unsigned count, void (*look)(struct folder *folder));

#endif
