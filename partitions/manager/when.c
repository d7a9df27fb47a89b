/* SPDX-License-Identifier: Apache-2.0 */
/** Power and load of the machine. */
#define _GNU_SOURCE
#include "when.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "policy/lang/text.h"

#define BUSY_PART 20u /* of one CPU */

const char *when_missing(const struct when *when, uint32_t run)
{
	if ((run & TEXT_RUN_MAINS) && !when->mains) {
		return "on mains power";
	}
	if ((run & TEXT_RUN_IDLE) && !when->idle) {
		return "on an idle machine";
	}
	return NULL;
}

void when_look_load(struct when *when, uint64_t tsc, uint64_t used_tsc)
{
	uint64_t passed = tsc - when->tsc;
	/* A partition that was destroyed took its count with it. */
	uint64_t used = used_tsc > when->used_tsc ? used_tsc - when->used_tsc : 0;

	if (when->tsc) {
		when->quiet = used < passed / BUSY_PART ? when->quiet + 1 : 0;
		when->idle = when->quiet >= WHEN_QUIET;
	}
	when->tsc = tsc;
	when->used_tsc = used_tsc;
}

/* First line of a file of a power supply, empty without one. */
static void read_line(int folder, const char *supply, const char *file, char *line, size_t size)
{
	char path[300];
	ssize_t got = -1;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", supply, file);
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		got = read(fd, line, size - 1);
		close(fd);
	}
	line[got > 0 ? got : 0] = 0;
	line[strcspn(line, "\n")] = 0;
}

void when_look_power(struct when *when, const char *sysfs)
{
	char path[128], type[16], online[4];
	bool plug = false, on = false, battery = false;
	const struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "%.96s/class/power_supply", sysfs);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		read_line(dirfd(folder), entry->d_name, "type", type, sizeof(type));
		read_line(dirfd(folder), entry->d_name, "online", online, sizeof(online));
		if (!strcmp(type, "Mains") || !strncmp(type, "USB", 3)) {
			plug = true;
			on |= !strcmp(online, "1");
		}
		battery |= !strcmp(type, "Battery");
	}
	if (folder) {
		closedir(folder);
	}
	when->mains = on || (!plug && !battery);
}
