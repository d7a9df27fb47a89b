/* SPDX-License-Identifier: Apache-2.0 */
/* Process 1 of a guest's initramfs: drivers, the partition's disk, then /sbin/init on it.
 *
 * The disk holds a read-only EROFS. With the overlay driver in the list of modules the root becomes
 * writable for the time the partition runs; without it only /tmp, /var and /root are. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "early.h"

#define WHO  "guest"
#define DISK "/dev/vda"
#define ROOT "/mnt"

static void fail(const char *what)
{
	early_mark(WHO, "%s: %s", what, strerror(errno));
	for (;;) {
		pause();
	}
}

static void mount_overlay(void)
{
	if (early_mount(DISK, "/lower", "erofs", MS_RDONLY, NULL) != 0) {
		fail("cannot mount the disk");
	}
	if (early_mount("tmpfs", "/upper", "tmpfs", 0, "mode=0755") != 0 ||
	    mkdir("/upper/work", 0755) != 0 || mkdir("/upper/data", 0755) != 0 ||
	    early_mount("overlay", ROOT, "overlay", 0,
			"lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work") != 0) {
		fail("cannot lay the overlay");
	}
}

static void mount_read_only(void)
{
	static const char *const writable[] = {ROOT "/tmp", ROOT "/var", ROOT "/root"};

	if (early_mount(DISK, ROOT, "erofs", MS_RDONLY, NULL) != 0) {
		fail("cannot mount the disk");
	}
	for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++) {
		if (mount("tmpfs", writable[i], "tmpfs", MS_NOSUID | MS_NODEV, NULL) != 0) {
			fail(writable[i]);
		}
	}
}

int main(void)
{
	char *const argv[] = {(char *)"/sbin/init", NULL};
	static const char *const carried[] = {"/proc", "/sys", "/dev", "/run"};
	char to[32], value[8];

	umask(022);
	early_mark_to("/dev/hvc0");
	early_mount_all();
	early_load_modules("/lib/modules/order");
	early_mark(WHO, "drivers loaded");
	if (!early_wait_path(DISK, 5000)) {
		fail("no disk " DISK);
	}
	if (access("/lib/modules/overlay.ko", F_OK) == 0) {
		mount_overlay();
	} else {
		mount_read_only();
	}
	for (size_t i = 0; i < sizeof(carried) / sizeof(carried[0]); i++) {
		snprintf(to, sizeof(to), ROOT "%s", carried[i]);
		if (mount(carried[i], to, NULL, MS_MOVE, NULL) != 0) {
			fail(to);
		}
	}
	if (chdir(ROOT) != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0 ||
	    chdir("/") != 0) {
		fail("cannot enter the root");
	}
	if (early_option("bulkhead.keys", value, sizeof(value))) {
		char *keyecho[] = {(char *)"/usr/lib/bulkhead/keyecho", NULL};

		early_spawn(NULL, keyecho);
	}
	execve(argv[0], argv, early_environment);
	fail("cannot start /sbin/init");
}
