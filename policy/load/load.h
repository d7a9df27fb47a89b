/* SPDX-License-Identifier: Apache-2.0 */
/** From layers that may be anybody's to a table that may be loaded: verify, then compile in a jail.
 *
 *  Layers that came with the system lie in one folder as vendor.pol, it.pol and user.pol, with what
 * they include, and are trusted as they are. An applied set is a layer, its signature and what it
 * includes; it takes the place of the layer that came with the system. Nothing of a set is parsed
 * before its signature is known to be by a trusted key and not older than what was seen; the
 * compiler then runs in a child that can do nothing but compute and write to two memory files.
 *
 *  Functions return 0, or -errno and a text in `why`.
 */
#ifndef POLICY_LOAD_H
#define POLICY_LOAD_H

#include "compile.h"
#include "sign.h"
#include "source.h"
#include "text.h"

#define LOAD_SETS_MAX  6u
#define LOAD_FILES_MAX 32u /* of a set */
#define LOAD_NAME_SIZE 64u
#define LOAD_NO_SET    UINT32_MAX /* of a layer that came with the system */
#define LOAD_WHY_SIZE  256u

struct load_file {
	char name[LOAD_NAME_SIZE];
	char *bytes;
	size_t size;
};

struct load_set {
	bool there;
	struct load_file layer, signature;
	struct load_file include[LOAD_FILES_MAX];
	uint32_t include_count;
	struct sign_head head; /* of the signature, once it was checked */
};

struct load_layer {
	bool there;
	uint64_t version;
	uint32_t set; /* or LOAD_NO_SET */
	uint8_t digest[SIGN_HASH_SIZE];
	struct load_file file; /* its own one; the bytes belong to the set or the folder */
};

struct load {
	const char *system_path; /* folder of the layers that came with the system */
	const char *keys_path, *seen_path;
	bool by_person; /* sets from user_from on may only be the user layer */
	uint32_t user_from;
	uint32_t no_user_before; /* user layers of sets before this one are left out */
	struct load_set set[LOAD_SETS_MAX];
	struct load_file system[TEXT_LAYERS];
	struct load_layer layer[TEXT_LAYERS];
	struct load_file shared[SOURCE_FILES_MAX]; /* includes of all layers */
	uint32_t shared_by[SOURCE_FILES_MAX]; /* bits 1 << layer of those that may include it */
	uint32_t shared_count;
};

/** Reads the sets whose files in the folder are called PREFIX.<set>.<part>.<name>, and the layers
 * that came with the system. */
int load_read(struct load *load, int folder, const char *prefix, char why[LOAD_WHY_SIZE]);
/** Chooses the layers: each set that is signed and not too old, the system's where there is none.
 */
int load_choose(struct load *load, char why[LOAD_WHY_SIZE]);
/** Marks the chosen versions as seen: older ones are refused from now on. */
int load_record(const struct load *load, char why[LOAD_WHY_SIZE]);
/** Puts the chosen layers and what they include into the sources of an empty `compile`, layers
 * first. Returns 0, or -1 after an error in its diags. */
int load_fill(const struct load *load, struct compile *compile, uint32_t *ret_layers);
/** Compiles the chosen layers in a child into table_fd, messages about the text into text_fd; the
 * modules of the table are those of `modules`, a table file. Returns 1 when the policy is wrong. */
int load_compile(const struct load *load, const char *modules_path, uint64_t serial, int table_fd,
		 int text_fd, char why[LOAD_WHY_SIZE]);
void load_fini(struct load *load);

#endif
