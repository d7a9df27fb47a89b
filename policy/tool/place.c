/* SPDX-License-Identifier: Apache-2.0 */
/* Where a statement stands, as people write it. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

const char *tool_place(const struct source_set *sources, struct diag_pos pos)
{
	static char buffer[4][256];
	static unsigned int next;
	char *out = buffer[next++ % 4];
	const char *name, *slash;

	if (!pos.line || pos.file >= sources->count) {
		return "built in";
	}
	name = sources->file[pos.file].name;
	slash = strrchr(name, '/');
	snprintf(out, sizeof(buffer[0]), "%s:%u", slash ? slash + 1 : name, pos.line);
	return out;
}
