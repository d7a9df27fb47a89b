/* SPDX-License-Identifier: Apache-2.0 */
/* Who keeps a folder busy. Source: proc(5). */
#define _GNU_SOURCE

#include "tool_busy.h"

#include "tool_text.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_MAX 4u

static bool leads_below(const char *link, const char *folder)
{
	char target[PATH_MAX];
	ssize_t size = readlink(link, target, sizeof(target) - 1);
	size_t length = strlen(folder);

	if (size < 0) {
		return false;
	}
	target[size] = '\0';
	return !strncmp(target, folder, length) && (!target[length] || target[length] == '/');
}

static bool has_open(const char *pid, const char *folder)
{
	char path[PATH_MAX], fd[PATH_MAX + 272];
	struct dirent *entry;
	bool found;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/cwd", pid);
	found = leads_below(path, folder);
	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		snprintf(fd, sizeof(fd), "%s/%s", path, entry->d_name);
		found = leads_below(fd, folder);
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

static void name_of(const char *pid, char ret_name[32])
{
	char path[64], name[32] = "?";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	file = fopen(path, "re");
	if (file) {
		if (fgets(name, sizeof(name), file)) {
			name[strcspn(name, "\n")] = '\0';
		}
		fclose(file);
	}
	tool_text_clean(ret_name, 32, name);
}

const char *tool_busy_who(const char *folder, char *ret_text, size_t size)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	unsigned count = 0;
	size_t used = 0;

	ret_text[0] = '\0';
	while (dir && count < SHOWN_MAX && (entry = readdir(dir))) {
		char name[32];

		if (isdigit((unsigned char)entry->d_name[0]) && has_open(entry->d_name, folder)) {
			name_of(entry->d_name, name);
			used += (size_t)snprintf(ret_text + used, size - used, "%s%s (%.20s)",
						 count ? ", " : "", name, entry->d_name);
			used = used < size ? used : size - 1;
			count++;
		}
	}
	if (dir) {
		closedir(dir);
	}
	return ret_text;
}
