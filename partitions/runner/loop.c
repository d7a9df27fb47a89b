/* SPDX-License-Identifier: Apache-2.0 */
/** One poll() over everything that is not an access of the guest. */
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "bulkhead_dev.h"
#include "report.h"

static int signal_fd = -1;

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

static void check_partition(const struct machine *machine)
{
	struct bh_part_info info;
	int err = dev_part_info(machine->part_fd, &info);

	if (err < 0 || (info.state != BH_PART_RUNNING && info.state != BH_PART_PAUSED)) {
		machine_end_stopped(machine);
	}
}

void loop_run(struct machine *machine)
{
	for (;;) {
		struct pollfd poll_fd[] = {
			{.fd = signal_fd, .events = POLLIN},
			{.fd = machine->part_fd, .events = POLLIN},
		};

		if (poll(poll_fd, 2, -1) < 0 && errno != EINTR) {
			report_end(EXIT_CODE_GONE, "poll: %s", strerror(errno));
		}
		if (poll_fd[0].revents != 0) {
			report_end(EXIT_CODE_SIGNAL, "ended by a signal");
		}
		if (poll_fd[1].revents != 0) {
			check_partition(machine);
		}
	}
}
