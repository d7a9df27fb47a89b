/* SPDX-License-Identifier: Apache-2.0 */
/** The folder that a test's files are in. One at a time; what fails ends the test. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_folder[48];

/** An empty folder below this one, for its owner alone. Returns 0, or -1 when there is no such
 * place. */
static inline int scratch_make(const char *below)
{
	snprintf(scratch_folder, sizeof(scratch_folder), "%s/bulkhead-XXXXXX", below);
	return mkdtemp(scratch_folder) ? 0 : -1;
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int type,
				     struct FTW *place)
{
	return remove(path);
}

/** With all that is in it. Returns 0 or -1. */
static inline int scratch_remove(void)
{
	return nftw(scratch_folder, scratch_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/** The path of a file in it; in memory that the next call but seven uses again. */
static inline const char *scratch_path(const char *name)
{
	static char path[8][192];
	static unsigned next;
	char *to = path[next++ % 8];

	snprintf(to, sizeof(path[0]), "%s/%s", scratch_folder, name);
	return to;
}

static inline void scratch_write(const char *name, const char *text)
{
	FILE *file = fopen(scratch_path(name), "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

#endif
