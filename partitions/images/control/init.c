/* SPDX-License-Identifier: Apache-2.0 */
/* Process 1 of the control partition: mounts, modules, the system disk read-only, then bulkheadd.
 *
 * The root file system is what the kernel unpacked from the boot module; it becomes read-only
 * before bulkheadd starts. There is no udev: devtmpfs names the devices, and the drivers are in one
 * ordered list, each with the devices it is for. The system disk is known by the name of its
 * partition, whatever it is attached to.
 *
 * The word bulkhead.shell=ttySN on the kernel's command line starts a root shell on that serial
 * port, for the end-to-end tests; no boot entry of the product carries it (docs/THREATS.md). */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "early.h"

#define WHO	    "control"
#define SYSTEM_DISK "system" /* names in the partition table */
#define STATE_DISK  "state"
#define STATE_PLACE "/var/lib/bulkhead"
#define DISK_WAIT   10000u   /* ms: drivers find their disks after they are loaded */
#define DAEMON	    "/usr/bin/bulkheadd"
#define RESTARTS    3

static void make_read_only(void)
{
	static const char *const writable[] = {"/tmp", "/var"};

	for (size_t i = 0; i < sizeof(writable) / sizeof(writable[0]); i++) {
		if (early_mount("tmpfs", writable[i], "tmpfs", MS_NOSUID | MS_NODEV, NULL) != 0) {
			early_mark(WHO, "cannot mount %s: %s", writable[i], strerror(errno));
		}
	}
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0) {
		early_mark(WHO, "root stays writable: %s", strerror(errno));
	}
}

/* What the kernel says about a block device: value of "KEY=value" in its uevent. */
static bool block_says(const char *device, const char *key, char *ret_value, size_t size)
{
	char path[300], text[512];
	char *save = NULL;
	size_t key_size = strlen(key);
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/block/%s/uevent", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return false;
	}
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, key, key_size) == 0 && line[key_size] == '=') {
			snprintf(ret_value, size, "%s", line + key_size + 1);
			return true;
		}
	}
	return false;
}

static bool find_disk(const char *partition, char *ret_path, size_t size)
{
	char name[64];
	bool found = false;
	struct dirent *entry;
	DIR *folder = opendir("/sys/class/block");

	while (folder != NULL && !found && (entry = readdir(folder)) != NULL) {
		found = block_says(entry->d_name, "PARTNAME", name, sizeof(name)) &&
			strcmp(name, partition) == 0;
		if (found) {
			snprintf(ret_path, size, "/dev/%s", entry->d_name);
		}
	}
	if (folder != NULL) {
		closedir(folder);
	}
	return found;
}

/* The disk with /images and /boot is never written by this partition at this stage. */
static void mount_system(void)
{
	struct timespec pause_2ms = {0, 2000000};
	char path[300];

	for (unsigned waited = 0; !find_disk(SYSTEM_DISK, path, sizeof(path)); waited += 2) {
		if (waited >= DISK_WAIT) {
			early_mark(WHO, "no disk has a partition named %s", SYSTEM_DISK);
			return;
		}
		nanosleep(&pause_2ms, NULL);
	}
	if (early_mount(path, "/system", "ext4", MS_RDONLY | MS_NODEV | MS_NOSUID | MS_NOEXEC,
			NULL) != 0) {
		early_mark(WHO, "cannot mount %s: %s", path, strerror(errno));
	}
}

/* What outlives a boot: applied policies and the record of decisions. It is on the disk of the system,
 * which is there by now; without it /var forgets. */
static void mount_state(void)
{
	char path[300];

	mkdir("/var/lib", 0755);
	if (!find_disk(STATE_DISK, path, sizeof(path))) {
		early_mark(WHO, "no disk has a partition named %s: nothing outlives this boot",
			   STATE_DISK);
		return;
	}
	if (early_mount(path, STATE_PLACE, "ext4", MS_NODEV | MS_NOSUID | MS_NOEXEC, NULL) != 0) {
		early_mark(WHO, "cannot mount %s: %s", path, strerror(errno));
	}
}

static int start_daemon(void)
{
	char *argv[] = {(char *)DAEMON, NULL};

	return early_spawn(NULL, argv);
}

/* Returns the pid of the shell, or -1 without the word or with one that names no serial port. */
static int start_shell(void)
{
	char *argv[] = {(char *)"/bin/busybox", (char *)"sh", NULL};
	char port[8], path[16];
	int pid;

	if (!early_option("bulkhead.shell", port, sizeof(port)) || strlen(port) != 5 ||
	    strncmp(port, "ttyS", 4) != 0) {
		return -1;
	}
	snprintf(path, sizeof(path), "/dev/%s", port);
	/* Said once it has the port: opening throws away what came in before. */
	pid = early_spawn(path, argv);
	early_mark(WHO, "shell on %s", port);
	return pid;
}

int main(void)
{
	int shell, daemon_pid, restarts = 0, status;
	pid_t pid;

	umask(022);
	mkdir("/system", 0755);
	early_mount_all();
	early_mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, NULL);
	early_mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, NULL);
	early_mark(WHO, "init");
	early_load_modules("/lib/modules/order");
	early_mark(WHO, "modules loaded");
	mount_system();
	make_read_only();
	mount_state();
	early_mark(WHO, "root and system disk ready");
	daemon_pid = start_daemon();
	early_mark(WHO, "bulkheadd started");
	shell = start_shell();
	for (;;) {
		pid = wait(&status);
		if (pid < 0) {
			pause();
			continue;
		}
		if (pid == daemon_pid) {
			early_mark(WHO, "bulkheadd ended with status 0x%x", (unsigned)status);
			if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
				sync();
				reboot(RB_POWER_OFF);
			}
			daemon_pid = restarts++ < RESTARTS ? start_daemon() : -1;
		} else if (pid == shell) {
			shell = start_shell();
		}
	}
}
