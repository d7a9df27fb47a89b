/* SPDX-License-Identifier: Apache-2.0 */
/** The folder that applied policies live in, generation by generation, and the record of which one
 * counts.
 *
 *  A generation is a number and the files of its sets: a layer, its signature and what it includes,
 * called "g<generation>.<set>.<part>.<name>". They mean nothing until the record "state" names
 * their generation, which is replaced in one step: a power cut at any write leaves the state before
 * or the one after, with every file of its generations whole. Beside them lies
 * "before.<generation>", the table that the generation took the place of: what it changed can be
 * told again. Files of other generations are swept away.
 *
 *  Functions return 0 or -errno.
 */
#ifndef MANAGER_STORE_H
#define MANAGER_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "folder.h"
#include "policy_state.h"

#define STORE_NAME_SIZE 64u	   /* of a file as people call it, with the closing 0 */
#define STORE_PATH_SIZE 96u	   /* of a file in the folder */
#define STORE_SETS_MAX	6u	   /* three layers, and three that take their place */
#define STORE_FILES_MAX 32u	   /* of a set */
#define STORE_FILE_MAX	(4u << 20) /* bytes */
#define STORE_STATE	"state"

enum store_part { STORE_LAYER, STORE_SIGNATURE, STORE_INCLUDE };

struct store_file {
	uint32_t generation, set;
	enum store_part part;
	char name[STORE_NAME_SIZE]; /* [A-Za-z0-9_-] and dots, not the first */
};

/** True for a name that a file of a set may have. */
bool store_is_name(const char *name);
/** -EINVAL for a name that no file may have. */
int store_path(const struct store_file *file, char path[STORE_PATH_SIZE]);
/** The way back; false for any other name of a file. */
bool store_decode(const char *path, struct store_file *ret_file);

/** The state; one of zeros when there is no record. -EBADMSG: a record that we did not write. */
int store_read_state(struct folder *folder, struct policy_state *ret_state);
/** Lasting when it returns 0. */
int store_write_state(struct folder *folder, const struct policy_state *state);
/** Lasting when it returns 0. */
int store_put(struct folder *folder, const struct store_file *file, const void *bytes, size_t size);
/** Copies every set of a generation; they are numbered anew from 0, in the same order. */
int store_copy(struct folder *folder, uint32_t from, uint32_t to);
/** A set of its own for the generation: one more than the largest there. -ENOSPC: none is free. */
int store_next_set(struct folder *folder, uint32_t generation, uint32_t *ret_set);
/** Lasting when it returns 0: the table that was in force before this generation. */
int store_put_before(struct folder *folder, uint32_t generation, const void *bytes, size_t size);
/** The bytes are the caller's (free()); -ENOENT: there is none. */
int store_read_before(struct folder *folder, uint32_t generation, void **ret_bytes,
		      size_t *ret_size);
/** Removes one set. */
int store_drop_set(struct folder *folder, uint32_t generation, uint32_t set);
/** Removes every file of a generation that the state does not name. */
int store_sweep(struct folder *folder, const struct policy_state *state);

#endif
