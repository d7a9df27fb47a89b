/* SPDX-License-Identifier: Apache-2.0 */
/* network: the network card of a partition that has a real one. Looks for it among the PCI devices,
 * and only then loads drivers and becomes busybox's DHCP client; without a card it costs a glance
 * and sleeps. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "early.h"

#define PCI	  "/sys/bus/pci/devices"
#define NET	  "/sys/class/net"
#define ETHERNET  0x020000u
#define VIRTIO	  0x1af4u /* has its driver already */
#define NAME_SIZE 16	  /* of an interface */
#define WAIT_MS	  10000u
#define STEP_MS	  20u

static unsigned read_number(const char *device, const char *file)
{
	char path[320], text[16];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), PCI "/%s/%s", device, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return 0;
	}
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[got > 0 ? got : 0] = '\0';
	return (unsigned)strtoul(text, NULL, 16);
}

static bool has_card(void)
{
	DIR *folder = opendir(PCI);
	bool found = false;

	for (struct dirent *entry; folder != NULL && !found && (entry = readdir(folder)) != NULL;) {
		found = entry->d_name[0] != '.' &&
			read_number(entry->d_name, "class") == ETHERNET &&
			read_number(entry->d_name, "vendor") != VIRTIO;
	}
	if (folder != NULL) {
		closedir(folder);
	}
	return found;
}

static bool find_interface(char name[NAME_SIZE])
{
	DIR *folder = opendir(NET);
	bool found = false;

	for (struct dirent *entry; folder != NULL && !found && (entry = readdir(folder)) != NULL;) {
		found = entry->d_name[0] != '.' && strcmp(entry->d_name, "lo") != 0 &&
			strlen(entry->d_name) < NAME_SIZE;
		if (found) {
			strcpy(name, entry->d_name);
		}
	}
	if (folder != NULL) {
		closedir(folder);
	}
	return found;
}

static bool wait_interface(char name[NAME_SIZE])
{
	const struct timespec step = {0, STEP_MS * 1000000l};

	for (unsigned waited = 0; !find_interface(name); waited += STEP_MS) {
		if (waited >= WAIT_MS) {
			return false;
		}
		nanosleep(&step, NULL);
	}
	return true;
}

static void say(const char *text)
{
	int fd = open("/run/network", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0) {
			early_mark("network", "cannot write /run/network");
		}
		close(fd);
	}
}

int main(void)
{
	char name[NAME_SIZE];
	char *const client[] = {(char *)"/bin/busybox",
				(char *)"udhcpc",
				(char *)"-f",
				(char *)"-i",
				name,
				(char *)"-s",
				(char *)"/usr/lib/bulkhead/lease",
				(char *)"-t",
				(char *)"4",
				(char *)"-T",
				(char *)"2",
				(char *)"-A",
				(char *)"5",
				NULL};

	early_mark_to("/dev/hvc0");
	if (!has_card()) {
		say("no card\n");
		for (;;) {
			pause();
		}
	}
	say("no address yet\n");
	early_load_modules("/lib/modules/order");
	if (!wait_interface(name)) {
		say("the card has no driver\n");
		early_mark("BULKHEAD-NETWORK", "the card has no driver");
		for (;;) {
			pause();
		}
	}
	execve(client[0], client, early_environment);
	return 1;
}
