/* SPDX-License-Identifier: Apache-2.0 */
/** One file, one name. */
#define _GNU_SOURCE
#include "disk.h"

#include <string.h>
#include <sys/stat.h>

#include "policy/lang/text.h"

static bool is_written(uint32_t flags)
{
	return !(flags & (TEXT_DISK_READONLY | TEXT_DISK_THROWAWAY));
}

bool disk_is_one(const struct table *table, const char *path, uint32_t flags, int fd,
		 const char **ret_other, const char **ret_path)
{
	struct stat mine, theirs;

	if (fstat(fd, &mine) != 0) {
		return true; /* who serves it will see */
	}
	for (uint32_t part = 0; part < table->head->part_count; part++) {
		const struct table_node *node = &table->node[part];

		for (uint32_t i = 0; i < node->count; i++) {
			const struct table_disk *disk = &table->disk[node->first + i];
			const char *name = table->string + disk->file;

			if (strcmp(name, path) != 0 &&
			    (is_written(flags) || is_written(disk->flags)) &&
			    stat(name, &theirs) == 0 && theirs.st_dev == mine.st_dev &&
			    theirs.st_ino == mine.st_ino) {
				*ret_other = table_name(table, part);
				*ret_path = name;
				return false;
			}
		}
	}
	return true;
}
