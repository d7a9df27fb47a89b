/* SPDX-License-Identifier: Apache-2.0 */
/** What is inside a disk_memory: shared by disk_memory.c, disk_calls.c and disk_cut.c alone. */
#ifndef TEST_DISK_MEMORY_STATE_H
#define TEST_DISK_MEMORY_STATE_H

#include "disk_memory.h"
#include "sparse.h"

enum effect_kind {
	EFFECT_WRITE,
	EFFECT_ZERO,
	EFFECT_SIZE,
	EFFECT_GROWTH, /* the size that the next EFFECT_WRITE brings along */
};

/** Something that a file got since its last flush. */
struct effect {
	uint64_t number; /* rising over the whole disk */
	enum effect_kind kind;
	uint64_t offset, size; /* of EFFECT_SIZE and _GROWTH only size */
	uint8_t *bytes;	       /* EFFECT_WRITE */
};

struct inode {
	struct inode *next; /* of the disk */
	unsigned refs;	    /* names, lasting names, name changes and handles that have it */
	struct sparse now, lasting;
	struct effect *effects;
	size_t effect_count, effect_capacity;
	struct handle *handles;
	bool lost; /* a flush failed: what it lost is to be seen when nobody has the file open */
};

struct handle {
	struct file file; /* first */
	struct disk_memory *disk;
	struct inode *inode;
	struct handle *next; /* of the inode */
	enum { LOCK_NONE, LOCK_SHARED, LOCK_EXCLUSIVE } lock;
};

struct name {
	char text[256];
	struct inode *inode;
};

struct names {
	struct name *list;
	size_t count, capacity;
};

/** A change of names since the last flush of the folder: `from` goes away (unless ""), `to` (unless
 * "") shows the inode. */
struct name_change {
	uint64_t number;
	char from[256], to[256];
	struct inode *inode;
};

struct disk_memory_state {
	struct folder folder; /* first */
	struct disk_memory *disk;
	bool record;
	uint64_t number; /* of the last effect or change */
	struct inode *inodes;
	struct names now, lasting;
	struct name_change *changes;
	size_t change_count, change_capacity;
	struct fiber **waiting;
	size_t waiting_count, waiting_capacity;
};

extern const struct folder_ops disk_calls_folder_ops;

/** An inode that nobody has yet, in the list of the disk. */
struct inode *disk_memory_add_inode(struct disk_memory *disk);
void disk_memory_get_inode(struct inode *inode);
/** Frees it when nobody has it any more. */
void disk_memory_put_inode(struct disk_memory *disk, struct inode *inode);
void disk_memory_apply_effect(struct sparse *sparse, const struct effect *effect);
void disk_memory_add_effect(struct disk_memory *disk, struct inode *inode, enum effect_kind kind,
			    uint64_t offset, uint64_t size, const void *bytes);
/** realloc() that makes room for one more, or ends the test. */
void *disk_memory_grow(void *list, size_t count, size_t *capacity, size_t size);
/** Shows an inode (NULL: none) under a name, in place of what was there. */
void disk_memory_set_name(struct disk_memory *disk, struct names *names, const char *text,
			  struct inode *inode);
struct inode *disk_memory_get_name(const struct names *names, const char *text);
void disk_memory_apply_change(struct disk_memory *disk, struct names *names,
			      const struct name_change *change);

#endif
