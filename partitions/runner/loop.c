/* SPDX-License-Identifier: Apache-2.0 */
/** One poll() over everything that is not an access of the guest. The list is made anew each turn,
 * because vcpu threads change which call eventfds need us; they write to wake_fd when they did. */
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "bulkhead_dev.h"
#include "report.h"

enum source {
	SOURCE_SIGNAL,
	SOURCE_PARTITION,
	SOURCE_WAKE,
	SOURCE_BACK_END,
	SOURCE_CHANNEL,
	SOURCE_CALL
};

#define LISTEN_MAX (3 + LAYOUT_DEVICE_MAX * (2 + BH_DOORBELL_QUEUE_MAX))

#define LOCK_WAIT_NS (20l * 1000 * 1000)
#define RETRY_MS     5

static int signal_fd = -1;
static bool config_changed[LAYOUT_DEVICE_MAX]; /* announced, and the device does not know yet */

static struct {
	struct pollfd poll[LISTEN_MAX];
	struct {
		enum source source;
		unsigned device, queue;
	} what[LISTEN_MAX];
	unsigned count;
} list;

void loop_init(struct machine *machine)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (signal_fd < 0) {
		report_end(EXIT_CODE_START, "signalfd: %s", strerror(errno));
	}
}

static void listen_to(int fd, short events, enum source source, unsigned device, unsigned queue)
{
	list.poll[list.count] = (struct pollfd){.fd = fd, .events = events};
	list.what[list.count].source = source;
	list.what[list.count].device = device;
	list.what[list.count].queue = queue;
	list.count++;
}

static bool lock_soon(struct machine *machine)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOCK_WAIT_NS;
	until.tv_sec += until.tv_nsec / 1000000000l;
	until.tv_nsec %= 1000000000l;
	return pthread_mutex_timedlock(&machine->lock, &until) == 0;
}

/* What changes only under the lock: pending announcements, and the call eventfds that need us. */
static void visit_devices(struct machine *machine)
{
	for (unsigned i = 0; i < machine->device_count; i++) {
		struct virtio_dev *dev = machine->device[i];

		if (config_changed[i]) {
			config_changed[i] = false;
			virtio_dev_config_changed(dev);
		}
		for (unsigned queue = 0; queue < dev->queue_count; queue++) {
			if (virtio_irq_listens(dev, queue)) {
				listen_to(dev->queue[queue].call, POLLIN, SOURCE_CALL, i, queue);
			}
		}
	}
}

/* Returns how long poll() may wait, in milliseconds. */
static int make_list(struct machine *machine)
{
	list.count = 0;
	listen_to(signal_fd, POLLIN, SOURCE_SIGNAL, 0, 0);
	listen_to(machine->part_fd, POLLIN, SOURCE_PARTITION, 0, 0);
	listen_to(machine->wake_fd, POLLIN, SOURCE_WAKE, 0, 0);
	for (unsigned i = 0; i < machine->device_count; i++) {
		const struct virtio_dev *dev = machine->device[i];

		listen_to(dev->back.socket, POLLRDHUP, SOURCE_BACK_END, i, 0);
		if (dev->back.channel >= 0) {
			listen_to(dev->back.channel, POLLIN, SOURCE_CHANNEL, i, 0);
		}
	}
	if (!lock_soon(machine)) {
		return RETRY_MS;
	}
	visit_devices(machine);
	pthread_mutex_unlock(&machine->lock);
	return -1;
}

static void check_partition(const struct machine *machine)
{
	struct bh_part_info info;
	int err = dev_part_info(machine->part_fd, &info);

	if (err < 0 || (info.state != BH_PART_RUNNING && info.state != BH_PART_PAUSED)) {
		machine_end_stopped(machine);
	}
}

_Noreturn static void end_lost(const struct machine *machine, unsigned device)
{
	const struct virtio_dev *dev = machine->device[device];

	report_end(EXIT_CODE_BACK_END, "back end of device %u (%s): %s", device, dev->type->name,
		   dev->back.lost ? dev->back.why : "hung up");
}

static void serve_channel(struct machine *machine, unsigned device)
{
	int changed = vhost_channel_serve(&machine->device[device]->back);

	if (changed < 0) {
		end_lost(machine, device);
	}
	config_changed[device] |= changed > 0;
}

static void serve(struct machine *machine, unsigned index)
{
	unsigned device = list.what[index].device;
	uint64_t count;

	switch (list.what[index].source) {
	case SOURCE_SIGNAL:
		report_end(EXIT_CODE_SIGNAL, "ended by a signal");
	case SOURCE_PARTITION:
		check_partition(machine);
		break;
	case SOURCE_WAKE:
		if (read(machine->wake_fd, &count, sizeof(count)) < 0) {
			break; /* somebody's wake-up was served together with another */
		}
		break;
	case SOURCE_BACK_END:
		end_lost(machine, device);
	case SOURCE_CHANNEL:
		serve_channel(machine, device);
		break;
	case SOURCE_CALL:
		if (lock_soon(machine)) { /* else it is still readable at the next turn */
			virtio_irq_call(machine->device[device], list.what[index].queue);
			pthread_mutex_unlock(&machine->lock);
		}
		break;
	}
}

void loop_run(struct machine *machine)
{
	for (;;) {
		int timeout = make_list(machine);

		if (poll(list.poll, list.count, timeout) < 0) {
			if (errno == EINTR) {
				continue;
			}
			report_end(EXIT_CODE_GONE, "poll: %s", strerror(errno));
		}
		for (unsigned i = 0; i < list.count; i++) {
			if (list.poll[i].revents != 0) {
				serve(machine, i);
			}
		}
	}
}
