/* SPDX-License-Identifier: Apache-2.0 */
/** bulkheadd: starts the partitions of this machine, looks after their processes, serves the
 * socket. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bulkhead_dev.h"
#include "iommu.h"
#include "part.h"
#include "say.h"
#include "server.h"
#include "switch.h"

#define FREE_WAIT_MS 3000u /* for the processes of a daemon that was killed */
#define END_MS	     3000u

struct options {
	const char *config_dir, *program_dir, *run_dir, *socket_path, *switcher;
	bool confine;
};

static struct part parts[CONFIG_PARTS_MAX];
static unsigned int part_count;
static struct loop_source signals = {.fd = -1};

static const char usage[] =
	"usage: bulkheadd [options]\n"
	"Starts the partitions of this machine and looks after them.\n"
	"\n"
	"  --config-dir DIR   partition definitions (/etc/bulkhead/partitions)\n"
	"  --program-dir DIR  runner, back ends, switcher (/usr/bin)\n"
	"  --run-dir DIR      logs of the guests' consoles (/run/bulkhead)\n"
	"  --socket PATH      where to listen (/run/bulkhead.sock)\n"
	"  --switcher NAME    program that shows the partitions (bulkhead-switcher); \"\": none\n"
	"  --no-confine       processes keep our own user and rights\n"
	"  --help\n"
	"\n"
	"Exit codes: 0 ended by SIGTERM, 1 cannot start, 2 usage.\n";

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"config-dir", required_argument, NULL, 'c'},
		{"program-dir", required_argument, NULL, 'p'},
		{"run-dir", required_argument, NULL, 'r'},
		{"socket", required_argument, NULL, 's'},
		{"switcher", required_argument, NULL, 'w'},
		{"no-confine", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 'c':
			options->config_dir = optarg;
			break;
		case 'p':
			options->program_dir = optarg;
			break;
		case 'r':
			options->run_dir = optarg;
			break;
		case 's':
			options->socket_path = optarg;
			break;
		case 'w':
			options->switcher = optarg;
			break;
		case 'n':
			options->confine = false;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		exit(2);
	}
}

static void report(const char *message)
{
	say("%s", message);
}

static void on_signal(void *data, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)data;
	(void)events;
	if (read(signals.fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		say("ends by signal %u", info.ssi_signo);
		loop_quit();
	}
}

static int watch_signals(void)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	signals = (struct loop_source){.fd = -1, .ready = on_signal};
	return fd < 0 ? -errno : loop_add(&signals, fd, EPOLLIN);
}

static void load_parts(const struct options *options)
{
	static struct config configs[CONFIG_PARTS_MAX];
	int count = config_load(options->config_dir, configs, report);

	if (count < 0) {
		say("%s: %s", options->config_dir, strerror(-count));
		return;
	}
	part_count = (unsigned int)count;
	for (unsigned int i = 0; i < part_count; i++) {
		part_init(&parts[i], &configs[i]);
	}
}

static void start_parts(void)
{
	for (unsigned int i = 0; i < part_count; i++) {
		if (!part_await_free(&parts[i], FREE_WAIT_MS)) {
			say("%s is still held by another process", parts[i].config.name);
		}
	}
	/* They are sorted by the digits of their keys: the first is what the user sees first. */
	for (unsigned int i = 0; i < part_count; i++) {
		if (parts[i].config.autostart) {
			part_start(&parts[i]);
		}
	}
}

static bool anything_lives(void)
{
	bool lives = switch_running();

	for (unsigned int i = 0; i < part_count; i++) {
		lives |= part_live(&parts[i]) > 0;
	}
	return lives;
}

/* Patience with the ends of processes, each of which has its own deadline in its partition. */
static void end_all(void)
{
	uint64_t deadline = loop_now_us() + END_MS * 1000u;

	for (unsigned int i = 0; i < part_count; i++) {
		part_stop(&parts[i]);
	}
	switch_stop();
	while (anything_lives() && loop_now_us() < deadline) {
		loop_step(100);
	}
	server_stop();
	for (unsigned int i = 0; i < part_count; i++) {
		part_fini(&parts[i]);
	}
}

static int set_up(const struct options *options)
{
	int ret = loop_init();

	if (ret == 0) {
		ret = watch_signals();
	}
	if (ret) {
		say("cannot start: %s", strerror(-ret));
		return ret;
	}
	ret = dev_open();
	if (ret < 0) {
		say("/dev/bulkhead: %s", strerror(-ret));
		return ret;
	}
	part_env = (struct part_env){
		.dev = ret,
		.program_dir = options->program_dir,
		.run_dir = options->run_dir,
		.sysfs_dir = "/sys",
		.confine = options->confine,
		.console_grew = server_console_grew,
	};
	if (mkdir(options->run_dir, 0750) && errno != EEXIST) {
		say("%s: %s", options->run_dir, strerror(errno));
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.config_dir = "/etc/bulkhead/partitions",
		.program_dir = "/usr/bin",
		.run_dir = "/run/bulkhead",
		.socket_path = "/run/bulkhead.sock",
		.switcher = "bulkhead-switcher",
		.confine = true,
	};
	int ret;

	parse_options(argc, argv, &options);
	umask(027);
	if (set_up(&options)) {
		return 1;
	}
	switch_end_stale(options.run_dir);
	if (options.switcher[0]) {
		ret = switch_start(options.program_dir, options.switcher);
		if (ret) {
			say("no switcher: %s", strerror(-ret));
		}
	}
	iommu_watch(part_env.dev);
	load_parts(&options);
	ret = server_start(options.socket_path, parts, part_count);
	if (ret) {
		say("%s: %s", options.socket_path, strerror(-ret));
	}
	start_parts();
	while (loop_step(-1)) {
	}
	end_all();
	loop_fini();
	return 0;
}
