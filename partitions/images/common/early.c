/* SPDX-License-Identifier: Apache-2.0 */
/* First steps shared by the images. Written for few instructions: no shell, no udev, no fork per
 * module. */
#define _GNU_SOURCE
#include "early.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *mark_path = "/dev/console";
static int mark_fd = -1;

char *const early_environment[] = {(char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
				   (char *)"HOME=/root", (char *)"TERM=linux",
				   (char *)"LANG=C.UTF-8", NULL};

uint64_t early_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

void early_mark_to(const char *path)
{
	mark_path = path;
	if (mark_fd >= 0) {
		close(mark_fd);
		mark_fd = -1;
	}
}

void early_mark(const char *who, const char *format, ...)
{
	char line[256];
	va_list args;
	int size, used;

	if (mark_fd < 0) {
		mark_fd = open(mark_path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		if (mark_fd < 0) {
			return;
		}
	}
	used = snprintf(line, sizeof(line), "%s: ", who);
	va_start(args, format);
	size = vsnprintf(line + used, sizeof(line) - 40 - (size_t)used, format, args);
	va_end(args);
	used += size < (int)sizeof(line) - 40 - used ? size : (int)sizeof(line) - 41 - used;
	used += snprintf(line + used, sizeof(line) - (size_t)used, " tsc=%llu\n",
			 (unsigned long long)early_tsc());
	if (write(mark_fd, line, (size_t)used) < 0) {
		return;
	}
}

int early_mount(const char *source, const char *target, const char *type, unsigned long flags,
		const char *data)
{
	if (mkdir(target, 0755) != 0 && errno != EEXIST && errno != EROFS) {
		return -1;
	}
	return mount(source, target, type, flags, data);
}

void early_mount_all(void)
{
	static const struct {
		const char *source, *target, *type, *data;
		unsigned long flags;
	} table[] = {
		{"proc", "/proc", "proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"sysfs", "/sys", "sysfs", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
		{"devtmpfs", "/dev", "devtmpfs", "mode=0755", MS_NOSUID},
		{"tmpfs", "/run", "tmpfs", "mode=0755", MS_NOSUID | MS_NODEV},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (early_mount(table[i].source, table[i].target, table[i].type, table[i].flags,
				table[i].data) != 0 &&
		    errno != EBUSY) {
			early_mark("early", "cannot mount %s: %s", table[i].target,
				   strerror(errno));
		}
	}
}

/* Names of the PCI devices as modules match them, one a line. */
static const char *pci_devices(void)
{
	static char text[16384];
	size_t used = 0;
	struct dirent *entry;
	DIR *folder = opendir("/sys/bus/pci/devices");

	if (text[0] != '\0' || folder == NULL) {
		return text;
	}
	while ((entry = readdir(folder)) != NULL && used < sizeof(text) - 256) {
		char path[300];
		ssize_t got;
		int fd;

		snprintf(path, sizeof(path), "%s/modalias", entry->d_name);
		fd = openat(dirfd(folder), path, O_RDONLY | O_CLOEXEC);
		got = fd < 0 ? 0 : read(fd, text + used, 255);
		used += got > 0 ? (size_t)got : 0;
		if (fd >= 0) {
			close(fd);
		}
	}
	closedir(folder);
	return text;
}

/* Whether the machine has a device that fits one of the patterns "A,B"; "*" alone asks no device.
 */
static bool device_fits(char *patterns)
{
	char devices[16384];
	char *save = NULL, *line_save;

	if (strcmp(patterns, "*") == 0) {
		return true;
	}
	for (char *one = strtok_r(patterns, ",", &save); one != NULL;
	     one = strtok_r(NULL, ",", &save)) {
		strcpy(devices, pci_devices());
		line_save = NULL;
		for (char *line = strtok_r(devices, "\n", &line_save); line != NULL;
		     line = strtok_r(NULL, "\n", &line_save)) {
			if (fnmatch(one, line, 0) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* Cuts the next word off a line; what follows it, or NULL. */
static char *word_cut(char *line)
{
	char *rest = strchr(line, ' ');

	if (rest != NULL) {
		*rest++ = '\0';
	}
	return rest;
}

static void load_module(char *line)
{
	char *path = word_cut(line);
	char *parameters = path == NULL ? NULL : word_cut(path);
	int fd;

	if (path == NULL || !device_fits(line)) {
		return;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 ||
	    (syscall(SYS_finit_module, fd, parameters == NULL ? "" : parameters, 0) != 0 &&
	     errno != EEXIST)) {
		early_mark("early", "cannot load %s: %s", path, strerror(errno));
	}
	if (fd >= 0) {
		close(fd);
	}
}

void early_load_modules(const char *list)
{
	char text[8192];
	char *save = NULL;
	ssize_t size;
	int fd = open(list, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		early_mark("early", "cannot read %s: %s", list, strerror(errno));
		return;
	}
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		load_module(line);
	}
}

bool early_option(const char *key, char *ret_value, size_t size)
{
	char text[2048];
	char *save = NULL;
	size_t key_size = strlen(key);
	ssize_t got;
	int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return false;
	}
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	for (char *word = strtok_r(text, " \n", &save); word != NULL;
	     word = strtok_r(NULL, " \n", &save)) {
		if (strncmp(word, key, key_size) == 0 &&
		    (word[key_size] == '=' || word[key_size] == '\0')) {
			snprintf(ret_value, size, "%s", word + key_size + (word[key_size] == '='));
			return true;
		}
	}
	return false;
}

int early_spawn(const char *tty, char *const argv[])
{
	pid_t pid = vfork();

	if (pid == 0) {
		setsid();
		if (tty != NULL) {
			int fd = open(tty, O_RDWR);

			if (fd >= 0) {
				ioctl(fd, TIOCSCTTY, 0);
				dup2(fd, 0);
				dup2(fd, 1);
				dup2(fd, 2);
				if (fd > 2) {
					close(fd);
				}
			}
		}
		execve(argv[0], argv, early_environment);
		_exit(127);
	}
	return pid;
}

bool early_wait_path(const char *path, unsigned timeout_ms)
{
	struct timespec pause = {0, 2000000};

	for (unsigned waited = 0; access(path, F_OK) != 0; waited += 2) {
		if (waited >= timeout_ms) {
			return false;
		}
		nanosleep(&pause, NULL);
	}
	return true;
}
