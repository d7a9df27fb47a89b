/* SPDX-License-Identifier: Apache-2.0 */
/* A small root folder. Source: pivot_root(2), mount_namespaces(7). */
#define _GNU_SOURCE

#include "tool_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Makes all folders above `path`. */
static void make_parents(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%s", path);
	for (char *at = folder + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		(void)mkdir(folder, 0755);
		*at = '/';
	}
}

/* In a user namespace, flags that the mount has already cannot be taken off. */
static unsigned long flags_of(const char *path)
{
	struct statvfs st;
	unsigned long flags = 0;

	if (statvfs(path, &st) == 0) {
		flags |= st.f_flag & ST_NOSUID ? MS_NOSUID : 0;
		flags |= st.f_flag & ST_NODEV ? MS_NODEV : 0;
		flags |= st.f_flag & ST_NOEXEC ? MS_NOEXEC : 0;
		flags |= st.f_flag & ST_NOATIME ? MS_NOATIME : 0;
		flags |= st.f_flag & ST_RELATIME ? MS_RELATIME : 0;
		flags |= st.f_flag & ST_NODIRATIME ? MS_NODIRATIME : 0;
	}
	return flags;
}

/* Shows `path` under the same name below `place`. What is not there is left out. */
static int show(const char *place, const char *path, bool writable)
{
	char target[PATH_MAX], link[PATH_MAX];
	struct stat st;
	ssize_t size;
	int fd;

	if (lstat(path, &st) < 0) {
		return 0;
	}
	if ((size_t)snprintf(target, sizeof(target), "%s%s", place, path) >= sizeof(target)) {
		return -ENAMETOOLONG;
	}
	make_parents(target);
	if (S_ISLNK(st.st_mode)) {
		size = readlink(path, link, sizeof(link) - 1);
		link[size > 0 ? size : 0] = '\0';
		return symlink(link, target) < 0 && errno != EEXIST ? -errno : 0;
	}
	if (S_ISDIR(st.st_mode)) {
		(void)mkdir(target, 0755);
	} else {
		fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd >= 0) {
			close(fd);
		}
	}
	if (mount(path, target, NULL, MS_BIND | MS_REC, NULL) < 0) {
		return -errno;
	}
	return !writable && mount(NULL, target, NULL,
				  MS_REMOUNT | MS_BIND | MS_RDONLY | flags_of(target), NULL) < 0
		       ? -errno
		       : 0;
}

static int show_system(const char *place)
{
	static const char *const read[] = {
		"/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/etc/ld.so.cache", NULL};
	static const char *const devices[] = {"/dev/fuse",    "/dev/null",   "/dev/zero",
					      "/dev/urandom", "/dev/random", "/dev/fd",
					      "/proc",	      NULL};
	int rc = 0;

	for (unsigned i = 0; read[i] && !rc; i++) {
		rc = show(place, read[i], false);
	}
	for (unsigned i = 0; devices[i] && !rc; i++) {
		rc = show(place, devices[i], true);
	}
	return rc;
}

int tool_root_enter(const char *place, const char *const *paths)
{
	char text[PATH_MAX];
	int rc;

	if (mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0) {
		return -errno;
	}
	rc = show_system(place);
	for (unsigned i = 0; paths[i] && !rc; i++) {
		rc = show(place, paths[i], false);
	}
	/* FUSE libraries look for it, to see that there is nothing to write down. */
	snprintf(text, sizeof(text), "%.4000s/etc/mtab", place);
	(void)!symlink("/proc/self/mounts", text);
	snprintf(text, sizeof(text), "%.4000s" TOOL_ROOT_SCRATCH, place);
	if (!rc && mkdir(text, 0700) < 0) {
		rc = -errno;
	}
	snprintf(text, sizeof(text), "%.4000s/tmp", place);
	(void)mkdir(text, 0700);
	/* The old root goes on top of the new one, and away. */
	if (!rc && (chdir(place) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
		    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)) {
		rc = -errno;
	}
	return rc;
}
