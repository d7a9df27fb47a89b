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
#include "order.h"
#include "part.h"
#include "policy.h"
#include "policy/lang/text.h"
#include "say.h"
#include "server.h"
#include "switch.h"

#define FREE_WAIT_MS 3000u /* for the processes of a daemon that was killed */
#define END_MS	     3000u

struct options {
	const char *config_dir, *program_dir, *run_dir, *socket_path, *switcher;
	const char *policy_path, *system_dir, *keys_dir, *state_dir;
	struct rights_groups groups;
	bool confine;
};

static struct part parts[CONFIG_PARTS_MAX];
static unsigned int part_count;
static struct when when;
static struct loop_timer change_timer, look_timer;
static const char *config_dir;
static struct loop_source signals = {.fd = -1};

static const char usage[] =
	"usage: bulkheadd [options]\n"
	"Starts the partitions of this machine and looks after them.\n"
	"\n"
	"  --policy FILE      policy table of this boot (/system/policy)\n"
	"  --policy-dir DIR   layers that came with the system (/etc/bulkhead/policy)\n"
	"  --keys-dir DIR     keys of those who may sign layers (/etc/bulkhead/keys)\n"
	"  --state-dir DIR    applied policies and the audit log (/var/lib/bulkhead)\n"
	"  --config-dir DIR   recipes of the partitions' images (/etc/bulkhead/partitions)\n"
	"  --program-dir DIR  runner, back ends, switcher (/usr/bin)\n"
	"  --run-dir DIR      logs of the guests' consoles (/run/bulkhead)\n"
	"  --socket PATH      where to listen (/run/bulkhead.sock)\n"
	"  --switcher NAME    program that shows the partitions (bulkhead-switcher); \"\": none\n"
	"  --groups N,N,N     numbers of the groups bulkhead, bulkhead-admin, bulkhead-it, for "
	"tests\n"
	"  --no-confine       processes keep our own user and rights\n"
	"  --help\n"
	"\n"
	"Exit codes: 0 ended by SIGTERM, 1 cannot start, 2 usage.\n";

static _Noreturn void end_usage(void)
{
	fputs(usage, stderr);
	exit(2);
}

static void parse_options(int argc, char **argv, struct options *options)
{
	/* The value of an option that is just a text is its place here. */
	const char **const text[] = {
		&options->policy_path, &options->system_dir,  &options->keys_dir,
		&options->state_dir,   &options->config_dir,  &options->program_dir,
		&options->run_dir,     &options->socket_path, &options->switcher,
	};
	static const struct option known[] = {
		{"policy", required_argument, NULL, 0},
		{"policy-dir", required_argument, NULL, 1},
		{"keys-dir", required_argument, NULL, 2},
		{"state-dir", required_argument, NULL, 3},
		{"config-dir", required_argument, NULL, 4},
		{"program-dir", required_argument, NULL, 5},
		{"run-dir", required_argument, NULL, 6},
		{"socket", required_argument, NULL, 7},
		{"switcher", required_argument, NULL, 8},
		{"groups", required_argument, NULL, 'g'},
		{"no-confine", no_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		if ((size_t)c < sizeof(text) / sizeof(text[0])) {
			*text[c] = optarg;
		} else if (c == 'g' && rights_read_groups(optarg, &options->groups)) {
			continue;
		} else if (c == 'n') {
			options->confine = false;
		} else if (c == 'h') {
			fputs(usage, stdout);
			exit(0);
		} else {
			end_usage();
		}
	}
	if (optind != argc) {
		end_usage();
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

/* Each partition keeps its place in parts[]: its processes point there. */
static struct part *find_part(uint32_t id)
{
	for (unsigned int i = 0; i < part_count; i++) {
		if (parts[i].config.id == id) {
			return &parts[i];
		}
	}
	return NULL;
}

static void on_change(void *data)
{
	(void)data;
	order_start_wanted(parts, part_count, &when);
}

/* Whatever changed is looked at when those who changed it are done. */
static void changed(void)
{
	change_timer.fire = on_change;
	loop_timer_set(&change_timer, 1);
}

static void look(void *data)
{
	uint64_t used = 0;
	bool bound = false;

	(void)data;
	for (unsigned int i = 0; i < part_count; i++) {
		const struct config *config = &parts[i].config;
		struct bh_vcpu_stats stats;

		bound |= config->run != 0;
		for (uint32_t vcpu = 0; vcpu < BH_VCPU_MAX && !(config->run & TEXT_RUN_IDLE);
		     vcpu++) {
			if (dev_stats(part_env.dev, config->id, vcpu, &stats) == 0) {
				used += stats.run_tsc;
			}
		}
	}
	when_look_power(&when, part_env.sysfs_dir);
	when_look_load(&when, __builtin_ia32_rdtsc(), used);
	order_hold(parts, part_count, &when);
	order_start_wanted(parts, part_count, &when);
	if (bound) {
		loop_timer_set(&look_timer, WHEN_LOOK_MS);
	}
}

/* Another policy counts; called first with the one that the machine starts with. */
static void follow_policy(const struct table *table)
{
	static struct config configs[CONFIG_PARTS_MAX];
	uint32_t count = config_from_policy(table, configs);
	int ret = config_load(config_dir, configs, count, report);

	if (ret) {
		say("%s: %s", config_dir, strerror(-ret));
	}
	for (uint32_t i = 0; i < count; i++) {
		struct part *part = find_part(configs[i].id);

		if (part) {
			part_update(part, &configs[i]);
		} else if (part_count < CONFIG_PARTS_MAX) {
			part_init(&parts[part_count++], &configs[i]);
		}
	}
	server_set_parts(part_count);
	look(NULL);
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
		parts[i].wanted = parts[i].config.start == TEXT_START_BOOT;
	}
	order_start_wanted(parts, part_count, &when);
}

static int start_policy(const struct options *options)
{
	const struct policy_options policy = {
		.boot_path = options->policy_path,
		.system_path = options->system_dir,
		.keys_path = options->keys_dir,
		.state_path = options->state_dir,
		.program_dir = options->program_dir,
		.dev = part_env.dev,
		.confine = options->confine,
		.changed = follow_policy,
	};

	config_dir = options->config_dir;
	look_timer.fire = look;
	return policy_start(&policy);
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
	policy_stop();
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
		.changed = changed,
	};
	if (mkdir(options->run_dir, 0750) && errno != EEXIST) {
		say("%s: %s", options->run_dir, strerror(errno));
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = {
		.policy_path = "/system/policy",
		.system_dir = "/etc/bulkhead/policy",
		.keys_dir = "/etc/bulkhead/keys",
		.state_dir = "/var/lib/bulkhead",
		.config_dir = "/etc/bulkhead/partitions",
		.program_dir = "/usr/bin",
		.run_dir = "/run/bulkhead",
		.socket_path = "/run/bulkhead.sock",
		.switcher = "bulkhead-switcher",
		.confine = true,
	};
	int ret;

	rights_find_groups(&options.groups);
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
	if (start_policy(&options)) {
		say("no partition starts without a policy");
	}
	ret = server_start(options.socket_path, parts, part_count, &when, &options.groups);
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
