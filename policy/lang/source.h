/* SPDX-License-Identifier: Apache-2.0 */
/** The files of a policy: one per layer and what they include, from one directory only.
 *
 *  A file is at most SOURCE_SIZE_MAX bytes of UTF-8 and is read once. Refused are control
 * characters but tab and newline, lines of more than SOURCE_LINE_MAX bytes, and characters that
 * change how other text looks (directions, invisible ones): what is read by people is what is
 * compiled. An include is a plain file name (no '/', no leading '.') in the include directory,
 * opened relative to it without following links; depth and number are bounded, a file is included
 * at most once per layer. A file that is refused stays in the set, so that messages can show its
 * lines.
 */
#ifndef POLICY_SOURCE_H
#define POLICY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diag.h"

#define SOURCE_SIZE_MAX	 (4u << 20) /* bytes */
#define SOURCE_TOTAL_MAX (8u << 20) /* bytes of all files of a set */
#define SOURCE_LINE_MAX	 1000u	    /* bytes */
#define SOURCE_FILES_MAX 64u
#define SOURCE_DEPTH_MAX 8u

struct source {
	char *name; /* as messages show it */
	char *text; /* closed by a 0 that does not count */
	size_t size;
	bool included; /* its name is one in the include directory */
	bool broken;   /* holds what a policy cannot */
	uint64_t kept; /* bits of the files whose layers cannot include it; 0: all can */
};

struct source_set {
	struct source file[SOURCE_FILES_MAX];
	uint32_t count;
	size_t total;	 /* bytes of all of them */
	int include_dir; /* fd, -1: includes are refused */
};

/** include_path NULL: no includes. Returns 0 or -errno. */
int source_init(struct source_set *set, const char *include_path);
void source_fini(struct source_set *set);
/** Reads a file of a layer by its path. Returns its index, or -1 after an error in `diags`. */
int source_open(struct source_set *set, const char *path, struct diag_list *diags);
/** The same for bytes in memory, which are copied. */
int source_add(struct source_set *set, const char *name, const void *text, size_t size,
	       struct diag_list *diags);
/** Reads an included file, or finds it when another layer has included it: all layers see the same
 *  bytes. `at` is the place of its name. Returns its index, or -1 after an error in `diags`. */
int source_include(struct source_set *set, const char *name, struct diag_pos at,
		   struct diag_list *diags);
/** Bytes of a line (from 1) without its newline; NULL: there is no such line. */
const char *source_line(const struct source_set *set, uint32_t file, uint32_t line,
			size_t *ret_size);
/** Makes the set know no directory, before hostile text is looked at in a jail. */
void source_seal(struct source_set *set);

#endif
