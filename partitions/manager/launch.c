/* SPDX-License-Identifier: Apache-2.0 */
/** Starts one partition: partition fd, back ends, runner, and the sockets between them. Each
 * process gets the fds of its own device and nothing else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bulkhead_dev.h"
#include "disk.h"
#include "part.h"
#include "policy.h"
#include "policy/lang/text.h"
#include "say.h"
#include "switch.h"

#define AWAIT_MS 500u
#define UID_BASE 2000u
#define UID_STEP 16u /* per partition; PART_PROCS_MAX fits */

struct launch {
	struct part *part;
	struct spawn runner;
	int surface, keyboard, tablet; /* the switcher's ends */
	char *why;
	size_t why_size;
};

static int launch_fail(struct launch *launch, const char *what, int error)
{
	snprintf(launch->why, launch->why_size, "%s: %s", what, strerror(-error));
	return -1;
}

static void launch_pair(int type, int pair[2])
{
	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair)) {
		pair[0] = pair[1] = -1; /* spawn_fd() reports it */
	}
}

static int launch_open(struct launch *launch, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		launch_fail(launch, path, -errno);
	}
	return fd;
}

static int launch_process(struct launch *launch, unsigned int index, const char *kind,
			  struct spawn *spawn)
{
	struct part *part = launch->part;
	struct part_proc *proc = &part->proc[index];
	char name[PROC_NAME_SIZE];
	int ret;

	spawn->confine = part_env.confine;
	spawn->uid = UID_BASE + part->config.id * UID_STEP + index;
	snprintf(proc->kind, sizeof(proc->kind), "%s", kind);
	snprintf(name, sizeof(name), "%s/%s", part->config.name, kind);
	proc->ended = false;
	ret = proc_start(&proc->proc, spawn, name);
	spawn_fini(spawn);
	return ret ? launch_fail(launch, kind, ret) : 0;
}

/* Begins a back end: its end of the vhost-user socket, and the runner's --device. */
static void launch_back_end(struct launch *launch, struct spawn *spawn, const char *program,
			    const char *type)
{
	int pair[2];

	launch_pair(SOCK_STREAM, pair);
	spawn_init(spawn, part_env.program_dir, program);
	spawn_arg(spawn, "--vhost-fd");
	spawn_arg(spawn, "%d", spawn_fd(spawn, pair[1]));
	spawn_arg(&launch->runner, "--device");
	spawn_arg(&launch->runner, "%s:%d", type, spawn_fd(&launch->runner, pair[0]));
}

static int launch_add(struct launch *launch, const char *kind, struct spawn *spawn)
{
	return launch_process(launch, launch->part->proc_count++, kind, spawn);
}

static void launch_disk_flags(struct spawn *spawn, uint32_t flags)
{
	if (flags & TEXT_DISK_READONLY) {
		spawn_arg(spawn, "--read-only");
	} else if (flags & TEXT_DISK_THROWAWAY) {
		spawn_arg(spawn, "--throw-away");
	}
	if (flags & TEXT_DISK_ENCRYPTED) {
		spawn_arg(spawn, "--encrypted");
	}
}

static int launch_open_disk(struct launch *launch, const struct config_disk *disk)
{
	bool kept = !(disk->flags & (TEXT_DISK_READONLY | TEXT_DISK_THROWAWAY));
	int fd = launch_open(launch, disk->path, kept ? O_RDWR : O_RDONLY);
	const char *other, *path;

	if (fd >= 0 && policy_table() &&
	    !disk_is_one(policy_table(), disk->path, disk->flags, fd, &other, &path)) {
		snprintf(launch->why, launch->why_size, "%s is also a disk of %s, as %s",
			 disk->path, other, path);
		close(fd);
		return -1;
	}
	return fd;
}

/* The rate is one for all disks of a partition; each back end gets its share. */
static int launch_disks(struct launch *launch)
{
	const struct config *config = &launch->part->config;

	for (uint32_t i = 0; i < config->disk_count; i++) {
		const struct config_disk *disk = &config->disk[i];
		struct spawn spawn;
		char kind[16];
		int fd = launch_open_disk(launch, disk);

		if (fd < 0) {
			return -1;
		}
		launch_back_end(launch, &spawn, "bulkhead-blk", "blk");
		spawn_arg(&spawn, "--disk-fd");
		spawn_arg(&spawn, "%d", spawn_fd(&spawn, fd));
		launch_disk_flags(&spawn, disk->flags);
		if (config->disk_rate) {
			spawn_arg(&spawn, "--bandwidth");
			spawn_arg(&spawn, "%" PRIu64,
				  config->disk_rate / config->disk_count +
					  (config->disk_rate < config->disk_count));
		}
		snprintf(kind, sizeof(kind), "blk%u", i);
		if (launch_add(launch, kind, &spawn)) {
			return -1;
		}
	}
	return 0;
}

/* Our end of a guest's output, read by the event loop. */
static void launch_stream(struct launch *launch, unsigned int index, struct spawn *spawn,
			  const char *option)
{
	struct loop_source *source = &launch->part->stream[index].source;
	int pair[2];

	launch_pair(SOCK_STREAM, pair);
	spawn_arg(spawn, "%s", option);
	spawn_arg(spawn, "%d", spawn_fd(spawn, pair[1]));
	loop_close(source);
	if (pair[0] >= 0) {
		fcntl(pair[0], F_SETFL, O_NONBLOCK);
		if (loop_add(source, pair[0], EPOLLIN)) {
			close(pair[0]);
		}
	}
}

static int launch_console(struct launch *launch)
{
	struct spawn spawn;

	launch_back_end(launch, &spawn, "bulkhead-console", "console");
	launch_stream(launch, 0, &spawn, "--output-fd");
	return launch_add(launch, "console", &spawn);
}

static int launch_entropy(struct launch *launch)
{
	struct spawn spawn;

	launch_back_end(launch, &spawn, "bulkhead-rng", "rng");
	return launch_add(launch, "rng", &spawn);
}

static int launch_gpu(struct launch *launch)
{
	struct spawn spawn;
	int pair[2];

	launch_pair(SOCK_SEQPACKET, pair);
	launch->surface = pair[0];
	launch_back_end(launch, &spawn, "bulkhead-gpu", "gpu");
	spawn_arg(&spawn, "--surface-fd");
	spawn_arg(&spawn, "%d", spawn_fd(&spawn, pair[1]));
	return launch_add(launch, "gpu", &spawn);
}

static int launch_input(struct launch *launch, const char *kind, const char *type,
			int *ret_switcher_end)
{
	struct spawn spawn;
	int pair[2];

	launch_pair(SOCK_SEQPACKET, pair);
	*ret_switcher_end = pair[0];
	launch_back_end(launch, &spawn, "bulkhead-input", type);
	spawn_arg(&spawn, "--kind");
	spawn_arg(&spawn, "%s", kind);
	spawn_arg(&spawn, "--input-fd");
	spawn_arg(&spawn, "%d", spawn_fd(&spawn, pair[1]));
	return launch_add(launch, kind, &spawn);
}

static int launch_devices(struct launch *launch)
{
	uint32_t devices = launch->part->config.devices;

	if (launch_disks(launch)) {
		return -1;
	}
	if ((devices & TEXT_DEVICE_CONSOLE) && launch_console(launch)) {
		return -1;
	}
	if ((devices & TEXT_DEVICE_ENTROPY) && launch_entropy(launch)) {
		return -1;
	}
	if ((devices & TEXT_DEVICE_GPU) && launch_gpu(launch)) {
		return -1;
	}
	if ((devices & TEXT_DEVICE_KEYBOARD) &&
	    launch_input(launch, "keyboard", "input-keyboard", &launch->keyboard)) {
		return -1;
	}
	if ((devices & TEXT_DEVICE_POINTER) &&
	    launch_input(launch, "tablet", "input-tablet", &launch->tablet)) {
		return -1;
	}
	return 0;
}

/* The partition as the policy has it must be the one that the definition means. */
static int launch_check_policy(struct launch *launch)
{
	const struct config *config = &launch->part->config;
	struct bh_part_info info;
	int ret = dev_info(part_env.dev, config->id, &info);

	if (!config->kernel[0]) {
		snprintf(launch->why, launch->why_size, "no recipe %s.json says what it boots",
			 config->name);
		return -1;
	}
	if (ret) {
		return launch_fail(launch, "the policy has no such partition", ret);
	}
	if (strncmp(info.name, config->name, sizeof(info.name))) {
		snprintf(launch->why, launch->why_size, "the policy calls partition %u \"%.16s\"",
			 config->id, info.name);
		return -1;
	}
	return 0;
}

/* Memory and vcpus are given when a partition is created: one that has others is made anew. */
static bool launch_fits(const struct part *part)
{
	struct bh_part_info info;

	return !part->config.memory || dev_info(part_env.dev, part->config.id, &info) ||
	       (info.ram_size == part->config.memory && info.vcpu_count == part->config.vcpus);
}

static int launch_create(struct launch *launch)
{
	struct part *part = launch->part;
	int ret;

	if (launch_check_policy(launch)) {
		return -1;
	}
	if (part->fd_source.fd >= 0 && !launch_fits(part)) {
		loop_close(&part->fd_source);
		if (!part_await_free(part, AWAIT_MS)) {
			return launch_fail(launch, "its memory before is still held", -EBUSY);
		}
	}
	if (part->fd_source.fd >= 0) {
		ret = dev_part_reset(part->fd_source.fd);
		return ret ? launch_fail(launch, "reset", ret) : 0;
	}
	ret = dev_create(part_env.dev, part->config.id);
	if (ret < 0) {
		return launch_fail(launch, "create", ret);
	}
	/* Edge-triggered: the news flag is taken by the runner as well. */
	return loop_add(&part->fd_source, ret, EPOLLIN | EPOLLET);
}

static void launch_assigned(struct launch *launch)
{
	struct part *part = launch->part;

	for (uint32_t i = 0; i < part->config.assigned_count; i++) {
		const char *role = part->config.assigned[i];
		int fd = assigned_open(part, i);

		if (fd < 0) {
			say("%s starts without %s: %s", part->config.name, role,
			    part->assigned[i].text);
			continue;
		}
		say("%s has %s: %s", part->config.name, role, part->assigned[i].text);
		spawn_arg(&launch->runner, "--assigned");
		spawn_arg(&launch->runner, "%s:%d", role, spawn_fd(&launch->runner, fd));
	}
}

static int launch_runner(struct launch *launch)
{
	const struct config *config = &launch->part->config;
	struct spawn *spawn = &launch->runner;
	int fd;

	spawn_arg(spawn, "--part-fd");
	spawn_arg(spawn, "%d",
		  spawn_fd(spawn, fcntl(launch->part->fd_source.fd, F_DUPFD_CLOEXEC, 3)));
	spawn_arg(spawn, "--ram-fd");
	spawn_arg(spawn, "%d", spawn_fd(spawn, dev_ram_fd(launch->part->fd_source.fd)));
	fd = launch_open(launch, config->kernel, O_RDONLY);
	if (fd < 0) {
		return -1;
	}
	spawn_arg(spawn, "--kernel-fd");
	spawn_arg(spawn, "%d", spawn_fd(spawn, fd));
	if (config->initrd[0]) {
		fd = launch_open(launch, config->initrd, O_RDONLY);
		if (fd < 0) {
			return -1;
		}
		spawn_arg(spawn, "--initrd-fd");
		spawn_arg(spawn, "%d", spawn_fd(spawn, fd));
	}
	spawn_arg(spawn, "--cmdline");
	spawn_arg(spawn, "%s", config->cmdline);
	launch_stream(launch, 1, spawn, "--serial-fd");
	launch_assigned(launch);
	return 0;
}

int launch_part(struct part *part, char *why, size_t size)
{
	struct launch launch = {.part = part,
				.surface = -1,
				.keyboard = -1,
				.tablet = -1,
				.why = why,
				.why_size = size};
	int ret;

	for (unsigned int i = 0; i < PART_PROCS_MAX; i++) {
		part->proc[i].ended = false;
	}
	part->proc_count = PART_RUNNER + 1;
	spawn_init(&launch.runner, part_env.program_dir, "bulkhead-runner");
	ret = launch_create(&launch);
	if (ret == 0) {
		ret = launch_runner(&launch);
	}
	if (ret == 0) {
		ret = launch_devices(&launch);
	}
	if (ret == 0) {
		switch_add(&part->config, launch.surface, launch.keyboard, launch.tablet);
		return launch_process(&launch, PART_RUNNER, "runner", &launch.runner);
	}
	spawn_fini(&launch.runner);
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 ? launch.surface : i == 1 ? launch.keyboard : launch.tablet;

		if (fd >= 0) {
			close(fd);
		}
	}
	return -1;
}
