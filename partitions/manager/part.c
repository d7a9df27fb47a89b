/* SPDX-License-Identifier: Apache-2.0 */
/** Does what the supervision says and tells it what happened. */
#define _GNU_SOURCE
#include "part.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bulkhead_dev.h"
#include "runner/exit_code.h"
#include "say.h"
#include "switch.h"
#include "words.h"

#define END_COLLECT_MS 30u
#define END_WAITS_MAX  100u
#define KILL_AFTER_MS  500u
#define AWAIT_STEP_MS  10u
#define READY_MARK     "BULKHEAD-READY"

struct part_env part_env = {.dev = -1};

const char *part_state_word(const struct part *part)
{
	switch (part->super.state) {
	case SUPER_RUNNING:
		return part->paused ? "paused" : "running";
	case SUPER_ENDING:
		return "ending";
	case SUPER_FAILED:
		return "failed";
	case SUPER_STOPPED:
		break;
	}
	return "stopped";
}

uint32_t part_live(const struct part *part)
{
	uint32_t live = 0;

	for (uint32_t i = 0; i < part->proc_count; i++) {
		live += part->proc[i].proc.live;
	}
	return live;
}

static void part_signal(struct part *part, int number)
{
	for (uint32_t i = 0; i < part->proc_count; i++) {
		proc_signal(&part->proc[i].proc, number);
	}
}

static void part_kill(void *data)
{
	part_signal(data, SIGKILL);
}

static void part_show_state(struct part *part)
{
	static const enum switcher_state states[] = {
		[SUPER_STOPPED] = SWITCHER_STOPPED,
		[SUPER_RUNNING] = SWITCHER_STARTING,
		[SUPER_ENDING] = SWITCHER_STOPPED,
		[SUPER_FAILED] = SWITCHER_FAILED,
	};

	enum switcher_state state = part->ready ? SWITCHER_RUNNING : states[part->super.state];

	switch_state(part->config.id, part->paused ? SWITCHER_PAUSED : state,
		     part->super.state == SUPER_FAILED ? part->super.why : "");
	if (part_env.changed) {
		part_env.changed();
	}
}

/* No guest may stay silent for ever where the policy wants to hear from it. */
static void part_watch_ready(struct part *part)
{
	loop_timer_stop(&part->ready_timer);
	if (part->config.ready_seconds && part->super.state == SUPER_RUNNING && !part->ready &&
	    !part->paused) {
		loop_timer_set(&part->ready_timer, part->config.ready_seconds * 1000ull);
	}
}

static void part_launch(struct part *part)
{
	char why[SUPER_WHY_SIZE];
	int ret;

	part->ready = part->paused = part->held = false;
	loop_timer_stop(&part->kill_timer);
	console_restart(&part->console);
	ret = launch_part(part, why, sizeof(why));
	super_launched(&part->super, ret == 0, why, loop_now_us());
	part_watch_ready(part);
	if (ret) {
		say("%s cannot start: %s", part->config.name, why);
	} else {
		say("%s started tsc=%" PRIu64, part->config.name, (uint64_t)__builtin_ia32_rdtsc());
	}
}

static void part_release(struct part *part)
{
	loop_timer_stop(&part->kill_timer);
	for (unsigned int i = 0; i < CONSOLE_SOURCES; i++) {
		loop_close(&part->stream[i].source);
	}
	/* A failed partition keeps its memory and its stop reason until somebody looks. */
	if (part->super.state == SUPER_STOPPED) {
		loop_close(&part->fd_source);
	} else {
		assigned_stop(part);
	}
	say("%s %s: %s", part->config.name, part_state_word(part), part->super.why);
}

static void part_run(struct part *part)
{
	enum super_action action;

	while ((action = super_next(&part->super)) != SUPER_NONE) {
		switch (action) {
		case SUPER_LAUNCH:
			part_launch(part);
			break;
		case SUPER_END:
			part->ready = part->paused = part->held = false;
			part_watch_ready(part);
			part_signal(part, SIGTERM);
			loop_timer_set(&part->kill_timer, KILL_AFTER_MS);
			if (part_live(part) == 0) {
				super_ended(&part->super, SUPER_END_CLEAN, "", 0, loop_now_us());
			}
			break;
		case SUPER_RELEASE:
			part_release(part);
			break;
		case SUPER_NONE:
			break;
		}
		part_show_state(part);
	}
}

static void part_not_ready(void *data)
{
	struct part *part = data;
	char why[SUPER_WHY_SIZE];

	snprintf(why, sizeof(why), "was not ready within %u s", part->config.ready_seconds);
	say("%s ended: %s", part->config.name, why);
	super_ended(&part->super, SUPER_END_FAILURE, why, part_live(part), loop_now_us());
	part_run(part);
}

static enum super_end part_runner_end(struct part *part, int status, char *why, size_t size)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	struct bh_part_info info;

	if (dev_info(part_env.dev, part->config.id, &info) == 0 && info.state == BH_PART_STOPPED) {
		char reason[64];

		words_stop_reason(&info, reason, sizeof(reason));
		snprintf(why, size, "%s at rip %#" PRIx64, reason, info.stop_rip);
		return SUPER_END_FAILURE;
	}
	words_runner_end(status, why, size);
	if (code == EXIT_CODE_POWER_OFF || code >= EXIT_CODE_DEBUG_EXIT) {
		return SUPER_END_CLEAN;
	}
	return code == EXIT_CODE_RESET ? SUPER_END_REBOOT : SUPER_END_FAILURE;
}

/* When one goes the others follow within moments; finds the one that began. A runner that only
 * noticed a lost back end, and a back end that left because the runner was gone, did not. */
static const struct part_proc *part_culprit(const struct part *part)
{
	const struct part_proc *runner = &part->proc[PART_RUNNER], *found = NULL;

	if (runner->ended &&
	    !(WIFEXITED(runner->status) && WEXITSTATUS(runner->status) == EXIT_CODE_BACK_END)) {
		return runner;
	}
	for (uint32_t i = 0; i < part->proc_count; i++) {
		const struct part_proc *proc = &part->proc[i];

		if (i != PART_RUNNER && proc->ended &&
		    (!found || (found->status == 0 && proc->status))) {
			found = proc;
		}
	}
	if (runner->ended && (!found || found->status == 0)) {
		return runner;
	}
	return found;
}

static void part_collect(void *data)
{
	struct part *part = data;
	const struct part_proc *culprit = part_culprit(part);
	char end[64], why[SUPER_WHY_SIZE];
	enum super_end kind = SUPER_END_FAILURE;
	enum super_state before = part->super.state;

	if (!culprit) {
		return;
	}
	/* Who left in peace left because of somebody who takes longer to go: a runner has much
	 * memory to let go of. */
	if (culprit != &part->proc[PART_RUNNER] && culprit->status == 0 && part_live(part) > 0 &&
	    part->end_waits++ < END_WAITS_MAX) {
		loop_timer_set(&part->end_timer, END_COLLECT_MS);
		return;
	}
	if (culprit == &part->proc[PART_RUNNER]) {
		kind = part_runner_end(part, culprit->status, why, sizeof(why));
	} else {
		words_process_end(culprit->status, end, sizeof(end));
		snprintf(why, sizeof(why), "%s %s", culprit->kind, end);
	}
	super_ended(&part->super, kind, why, part_live(part), loop_now_us());
	if (before == SUPER_RUNNING) {
		say("%s ended: %s%s", part->config.name, why,
		    part->super.after == SUPER_RUNNING ? ", starts again" : "");
	}
	part_run(part);
}

static void part_proc_ended(void *data, struct proc *proc, int status)
{
	struct part_proc *ended = data;
	struct part *part = ended->part;

	(void)proc;
	ended->ended = true;
	ended->status = status;
	if (part->super.state == SUPER_RUNNING && part_live(part) > 0) {
		if (!part->end_timer.due_us) {
			part->end_waits = 0;
			loop_timer_set(&part->end_timer, END_COLLECT_MS);
		}
		return;
	}
	loop_timer_stop(&part->end_timer);
	part_collect(part);
}

static void part_marked(void *data, const char *line)
{
	struct part *part = data;

	if (strncmp(line, READY_MARK, strlen(READY_MARK))) {
		say_guest(part->config.name, line);
	} else if (!part->ready && part->super.state == SUPER_RUNNING) {
		part->ready_tsc = __builtin_ia32_rdtsc();
		part->ready = true;
		part_watch_ready(part);
		say("%s ready tsc=%" PRIu64, part->config.name, part->ready_tsc);
		part_show_state(part);
	}
}

static void part_stream_ready(void *data, uint32_t events)
{
	struct part_stream *stream = data;
	struct part *part = stream->part;
	char text[4096];
	ssize_t got = read(stream->source.fd, text, sizeof(text));

	(void)events;
	if (got <= 0) {
		if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
			loop_close(&stream->source);
		}
		return;
	}
	console_write(&part->console, stream->index, text, (size_t)got);
	if (part_env.console_grew) {
		part_env.console_grew(part);
	}
}

/* The hypervisor stopped it: the runner sees that too and ends; here only the log learns of it. */
static void part_fd_ready(void *data, uint32_t events)
{
	struct part *part = data;
	struct bh_part_info info;
	char reason[64];

	(void)events;
	if (dev_part_info(part->fd_source.fd, &info) == 0 && info.state == BH_PART_STOPPED) {
		words_stop_reason(&info, reason, sizeof(reason));
		say("%s stopped by the hypervisor: %s, vcpu %u, rip %#" PRIx64, part->config.name,
		    reason, info.stop_vcpu, info.stop_rip);
	}
}

void part_init(struct part *part, const struct config *config)
{
	memset(part, 0, sizeof(*part));
	part->config = *config;
	super_init(&part->super, config->restarts, config->steady_seconds * 1000000ull);
	console_init(&part->console, part_env.run_dir, config->name);
	part->console.marked = part_marked;
	part->console.data = part;
	part->fd_source = (struct loop_source){.fd = -1, .ready = part_fd_ready, .data = part};
	part->end_timer = (struct loop_timer){.fire = part_collect, .data = part};
	part->kill_timer = (struct loop_timer){.fire = part_kill, .data = part};
	part->ready_timer = (struct loop_timer){.fire = part_not_ready, .data = part};
	for (unsigned int i = 0; i < CONSOLE_SOURCES; i++) {
		part->stream[i].part = part;
		part->stream[i].index = i;
		part->stream[i].source = (struct loop_source){
			.fd = -1, .ready = part_stream_ready, .data = &part->stream[i]};
	}
	for (unsigned int i = 0; i < PART_PROCS_MAX; i++) {
		part->proc[i].part = part;
		part->proc[i].proc.ended = part_proc_ended;
		part->proc[i].proc.data = &part->proc[i];
	}
	switch_add(config, -1, -1, -1);
}

void part_update(struct part *part, const struct config *config)
{
	bool hidden = part->config.order && !config->order;

	part->config = *config;
	super_set_policy(&part->super, config->restarts, config->steady_seconds * 1000000ull);
	part_watch_ready(part);
	if (hidden) {
		switch_remove(config->id);
	} else if (part->super.state == SUPER_STOPPED || part->super.state == SUPER_FAILED) {
		switch_add(config, -1, -1, -1);
		part_show_state(part);
	}
}

void part_fini(struct part *part)
{
	loop_timer_stop(&part->end_timer);
	loop_timer_stop(&part->kill_timer);
	loop_timer_stop(&part->ready_timer);
	for (unsigned int i = 0; i < CONSOLE_SOURCES; i++) {
		loop_close(&part->stream[i].source);
	}
	loop_close(&part->fd_source);
	console_fini(&part->console);
}

bool part_await_free(const struct part *part, unsigned int ms)
{
	struct bh_part_info info;

	for (unsigned int waited = 0;; waited += AWAIT_STEP_MS) {
		if (dev_info(part_env.dev, part->config.id, &info) || info.state == BH_PART_EMPTY) {
			return true; /* one that the policy does not have is told about at its start
				      */
		}
		if (waited >= ms) {
			return false;
		}
		usleep(AWAIT_STEP_MS * 1000u);
	}
}

static int part_request(struct part *part, bool allowed)
{
	if (!allowed) {
		return -EBUSY;
	}
	part_run(part);
	return 0;
}

int part_start(struct part *part)
{
	return part_request(part, super_start(&part->super));
}

int part_stop(struct part *part)
{
	return part_request(part, super_stop(&part->super));
}

int part_reset(struct part *part)
{
	return part_request(part, super_reset(&part->super));
}

int part_pause(struct part *part)
{
	int ret = -EBUSY;

	if (part->super.state == SUPER_RUNNING && !part->paused) {
		ret = dev_part_pause(part->fd_source.fd);
	}
	if (ret == 0) {
		part->paused = true;
		part_watch_ready(part);
		part_show_state(part);
	}
	return ret;
}

int part_resume(struct part *part)
{
	int ret = part->paused ? dev_part_resume(part->fd_source.fd) : -EBUSY;

	if (ret == 0) {
		part->paused = part->held = false;
		part_watch_ready(part);
		part_show_state(part);
	}
	return ret;
}

long part_type(struct part *part, const char *text, size_t size)
{
	ssize_t done;

	if (part->stream[0].source.fd < 0) {
		return -ENOTCONN;
	}
	done = write(part->stream[0].source.fd, text, size);
	return done < 0 ? -errno : done;
}
