/* SPDX-License-Identifier: Apache-2.0 */
/** The compiler as a process: its files in memory, its time, its answer. */
#define _GNU_SOURCE
#include "policy_load.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc.h"
#include "say.h"
#include "whole_file.h"

#define PROGRAM	   "bulkhead-policy-load"
#define TIMEOUT_MS 20000u

static struct {
	struct proc proc;
	struct loop_timer timer;
	int table_fd, text_fd;
	policy_load_done *done;
	void *data;
} run;
static struct proc recorder;

void policy_held_fini(struct policy_held *held)
{
	free(held->bytes);
	*held = (struct policy_held){.bytes = NULL};
}

bool policy_load_busy(void)
{
	return run.proc.live;
}

/* "layer it 3 0": takes the lines of that kind off the front of the text and returns the rest. */
static const char *take_layers(const char *text, struct policy_held *held)
{
	static const char *const words[TEXT_LAYERS] = {"vendor", "it", "user"};
	char word[8], set[16];
	uint64_t version;

	while (sscanf(text, "layer %7s %" SCNu64 " %15s\n", word, &version, set) == 3) {
		for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
			if (!strcmp(word, words[i])) {
				held->layer[i].there = true;
				held->layer[i].version = version;
				held->layer[i].set = strcmp(set, "-")
							     ? (uint32_t)strtoul(set, NULL, 10)
							     : POLICY_NO_SET;
			}
		}
		text = strchr(text, '\n');
		text = text ? text + 1 : "";
	}
	return text;
}

static void finish(int status)
{
	struct policy_held held = {.bytes = NULL};
	size_t text_size = 0, size = 0;
	char *text = NULL, *bytes = NULL;
	const char *rest = "the messages are too long\n";
	const char *reason = NULL;
	bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	if (whole_file_read_fd(run.text_fd, POLICY_LOAD_TEXT_MAX, &text, &text_size) == 0) {
		rest = take_layers(text, &held);
	}
	if (ok) {
		(void)!whole_file_read_fd(run.table_fd, TABLE_SIZE_MAX, &bytes, &size);
		held.bytes = bytes;
		if (!held.bytes || table_open(held.bytes, size, &held.table, &reason)) {
			policy_held_fini(&held);
			ok = false;
			rest = reason ? reason : "no table came out of it\n";
		}
	} else if (!rest[0]) {
		rest = "the compiler did not come to its end\n";
	}
	close(run.table_fd);
	close(run.text_fd);
	run.done(run.data, ok ? &held : NULL, rest);
	free(text);
}

static void ended(void *data, struct proc *proc, int status)
{
	(void)data;
	(void)proc;
	loop_timer_stop(&run.timer);
	finish(status);
}

static void too_long(void *data)
{
	(void)data;
	proc_signal(&run.proc, SIGKILL);
}

static void begin(struct spawn *spawn, const struct policy_load_paths *paths, uint32_t generation,
		  uint32_t no_user_before)
{
	spawn_init(spawn, paths->program_dir, PROGRAM);
	spawn->confine = paths->confine; /* root's files, no capability */
	spawn_arg(spawn, "--system");
	spawn_arg(spawn, "%s", paths->system_path);
	spawn_arg(spawn, "--keys");
	spawn_arg(spawn, "%s", paths->keys_path);
	spawn_arg(spawn, "--seen");
	spawn_arg(spawn, "%s", paths->seen_path);
	spawn_arg(spawn, "--folder-fd");
	spawn_arg(spawn, "%d", spawn_fd(spawn, fcntl(paths->folder_fd, F_DUPFD_CLOEXEC, 3)));
	spawn_arg(spawn, "--prefix");
	spawn_arg(spawn, "g%" PRIu32, generation);
	spawn_arg(spawn, "--no-user-before");
	spawn_arg(spawn, "%" PRIu32, no_user_before);
}

int policy_load_start(const struct policy_load_paths *paths, uint32_t generation,
		      const struct policy_load_sets *sets, policy_load_done *done, void *data)
{
	struct spawn spawn;
	int ret;

	if (run.proc.live) {
		return -EBUSY;
	}
	run.table_fd = memfd_create("policy table", MFD_CLOEXEC);
	run.text_fd = memfd_create("policy messages", MFD_CLOEXEC);
	run.done = done;
	run.data = data;
	run.timer = (struct loop_timer){.fire = too_long};
	run.proc.ended = ended;
	begin(&spawn, paths, generation, sets->no_user_before);
	spawn_arg(&spawn, "--modules");
	spawn_arg(&spawn, "%s", paths->modules_path);
	spawn_arg(&spawn, "--serial");
	spawn_arg(&spawn, "%" PRIu32, generation);
	if (sets->user_from != POLICY_NO_SET) {
		spawn_arg(&spawn, "--user-from");
		spawn_arg(&spawn, "%" PRIu32, sets->user_from);
	}
	spawn_arg(&spawn, "--table-fd");
	spawn_arg(&spawn, "%d", spawn_fd(&spawn, fcntl(run.table_fd, F_DUPFD_CLOEXEC, 3)));
	spawn_arg(&spawn, "--text-fd");
	spawn_arg(&spawn, "%d", spawn_fd(&spawn, fcntl(run.text_fd, F_DUPFD_CLOEXEC, 3)));
	ret = proc_start(&run.proc, &spawn, "policy");
	spawn_fini(&spawn);
	if (ret) {
		close(run.table_fd);
		close(run.text_fd);
		return ret;
	}
	loop_timer_set(&run.timer, TIMEOUT_MS);
	return 0;
}

static void recorded(void *data, struct proc *proc, int status)
{
	(void)data;
	(void)proc;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		say("the versions of the policy are not recorded as seen");
	}
}

void policy_load_record(const struct policy_load_paths *paths, uint32_t generation,
			uint32_t no_user_before)
{
	struct spawn spawn;
	int ret = -EBUSY;

	if (recorder.live) {
		say("the versions of the policy are not recorded as seen: %s", strerror(-ret));
		return;
	}
	recorder.ended = recorded;
	begin(&spawn, paths, generation, no_user_before);
	spawn_arg(&spawn, "--record");
	spawn_arg(&spawn, "--text-fd");
	spawn_arg(&spawn, "1"); /* our log */
	ret = proc_start(&recorder, &spawn, "policy");
	spawn_fini(&spawn);
	if (ret) {
		say("the versions of the policy are not recorded as seen: %s", strerror(-ret));
	}
}
