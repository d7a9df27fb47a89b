/* SPDX-License-Identifier: Apache-2.0 */
/* keyecho: tells on the virtio console which keys this partition received, one line per press. Only for
 * the end-to-end test, which must know who got a key; started when the command line has bulkhead.keys=1. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEVICES_MAX 8

static nfds_t open_devices(struct pollfd *polls)
{
	DIR *folder = opendir("/dev/input");
	struct dirent *entry;
	char path[300];
	nfds_t count = 0;

	while (folder != NULL && count < DEVICES_MAX && (entry = readdir(folder)) != NULL) {
		if (strncmp(entry->d_name, "event", 5) == 0) {
			snprintf(path, sizeof(path), "/dev/input/%s", entry->d_name);
			polls[count].fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
			polls[count].events = POLLIN;
			count += polls[count].fd >= 0;
		}
	}
	if (folder != NULL) {
		closedir(folder);
	}
	return count;
}

static void echo_events(int from, int to)
{
	struct input_event events[16];
	ssize_t got;
	char line[40];
	int size;

	while ((got = read(from, events, sizeof(events))) > 0) {
		for (size_t i = 0; i < (size_t)got / sizeof(events[0]); i++) {
			if (events[i].type == EV_KEY && events[i].value == 1) {
				size = snprintf(line, sizeof(line), "BULKHEAD-KEY %u\n", events[i].code);
				if (write(to, line, (size_t)size) < 0) {
					return;
				}
			}
		}
	}
}

int main(void)
{
	struct pollfd polls[DEVICES_MAX];
	nfds_t count = open_devices(polls);
	int console = open("/dev/hvc0", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (console < 0 || count == 0) {
		return 1;
	}
	while (poll(polls, count, -1) > 0) {
		for (nfds_t i = 0; i < count; i++) {
			if (polls[i].revents != 0) {
				echo_events(polls[i].fd, console);
			}
		}
	}
	return 1;
}
