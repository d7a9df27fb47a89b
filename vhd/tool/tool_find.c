/* SPDX-License-Identifier: Apache-2.0 */
/* Programs and plugins. */
#define _GNU_SOURCE

#include "tool_find.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool tool_find_program(const char *name, char ret_path[PATH_MAX])
{
	const char *path = getenv("PATH");
	char folders[4096], *save = NULL;

	snprintf(folders, sizeof(folders), "%s:/usr/sbin:/sbin", path ? path : "/usr/bin:/bin");
	for (char *at = strtok_r(folders, ":", &save); at; at = strtok_r(NULL, ":", &save)) {
		char file[PATH_MAX];

		snprintf(file, sizeof(file), "%s/%s", at, name);
		if (at[0] == '/' && !access(file, X_OK) && realpath(file, ret_path)) {
			return true;
		}
	}
	return false;
}

bool tool_find_beside(const char *sibling, const char *name, char ret_path[PATH_MAX])
{
	const char *const folders[] = {".", sibling};
	char self[PATH_MAX], file[2 * PATH_MAX];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (size < 0) {
		return false;
	}
	self[size] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	for (unsigned i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "%s/%s/%s", self, folders[i], name);
		if (!access(file, R_OK) && realpath(file, ret_path)) {
			return true;
		}
	}
	return false;
}
