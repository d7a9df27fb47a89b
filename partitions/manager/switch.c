/* SPDX-License-Identifier: Apache-2.0 */
/** What the switcher was told, and its process. */
#define _GNU_SOURCE
#include "switch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fds.h"
#include "proc.h"
#include "say.h"
#include "words.h"

#define RESTARTS_MAX 3u

struct told {
	struct switcher_msg add;
	struct switcher_msg state;
	int fd[SWITCHER_FDS_MAX]; /* in the order of enum switcher_fd; -1: none */
};

static struct told told[SWITCHER_PARTS_MAX];
static unsigned int told_count;
static struct switcher_msg warning; /* type 0: none */
static struct switch_question *asked[SWITCHER_QUESTIONS_MAX];
static uint32_t last_question;
static struct proc process;
static struct loop_source control = {.fd = -1};
static char program_dir[256], program_name[64];
static char pid_path[256];
static unsigned int restarts;
static bool ending;

static bool switch_send_bytes(const void *bytes, size_t size, const int *fds, unsigned int fd_count)
{
	ssize_t sent;

	if (control.fd < 0) {
		return false;
	}
	sent = fds_send(control.fd, bytes, size, fds, fd_count, MSG_DONTWAIT);
	if (sent < 0) {
		say("switcher does not listen: %s", strerror((int)-sent));
		return false;
	}
	return true;
}

static void switch_send(const struct switcher_msg *msg, const int *fds, unsigned int fd_count)
{
	switch_send_bytes(msg, sizeof(*msg), fds, fd_count);
}

/* Nobody agreed to what was not shown, whatever the switcher says. */
static bool switch_may_choose(const struct switcher_question *question, uint32_t choice,
			      uint32_t lines)
{
	return choice < question->choice_count &&
	       (choice == question->fallback || lines == question->line_count);
}

static void switch_answer(uint32_t id, uint32_t choice, uint32_t lines, bool by_key)
{
	for (unsigned int i = 0; i < SWITCHER_QUESTIONS_MAX; i++) {
		struct switch_question *question = asked[i];

		if (question && question->text.id == id) {
			asked[i] = NULL;
			question->open = false;
			if (!by_key || !switch_may_choose(&question->text, choice, lines)) {
				choice = question->text.fallback;
			}
			question->answered(question->data, choice, by_key);
			return;
		}
	}
}

/* One that cannot be put is answered at once. */
static void switch_put(struct switch_question *question)
{
	if (!switch_send_bytes(&question->text, SWITCHER_QUESTION_SIZE(question->text.line_count),
			       NULL, 0)) {
		switch_answer(question->text.id, 0, 0, false);
	}
}

void switch_ask(struct switch_question *question)
{
	unsigned int i = 0;

	question->text.type = SWITCHER_ASK;
	question->text.id = ++last_question;
	question->open = true;
	while (i < SWITCHER_QUESTIONS_MAX && asked[i]) {
		i++;
	}
	if (i == SWITCHER_QUESTIONS_MAX || control.fd < 0) {
		question->open = false;
		question->answered(question->data, question->text.fallback, false);
		return;
	}
	asked[i] = question;
	switch_put(question);
}

void switch_withdraw(struct switch_question *question)
{
	const struct switcher_msg msg = {.type = SWITCHER_WITHDRAW, .id = question->text.id};

	for (unsigned int i = 0; i < SWITCHER_QUESTIONS_MAX; i++) {
		if (asked[i] == question) {
			asked[i] = NULL;
			question->open = false;
			switch_send(&msg, NULL, 0);
		}
	}
}

/* Nobody is there any more who could be asked. */
static void switch_give_up(void)
{
	for (unsigned int i = 0; i < SWITCHER_QUESTIONS_MAX; i++) {
		if (asked[i]) {
			switch_answer(asked[i]->text.id, 0, 0, false);
		}
	}
}

static void switch_tell(const struct told *part)
{
	int fds[SWITCHER_FDS_MAX];
	unsigned int count = 0;

	for (unsigned int i = 0; i < SWITCHER_FDS_MAX; i++) {
		if (part->fd[i] >= 0) {
			fds[count++] = part->fd[i];
		}
	}
	switch_send(&part->add, fds, count);
	switch_send(&part->state, NULL, 0);
}

static void switch_control_ready(void *data, uint32_t events)
{
	union {
		struct switcher_msg msg;
		struct switcher_answer answer;
	} in;
	ssize_t got = recv(control.fd, &in, sizeof(in), MSG_DONTWAIT | MSG_TRUNC);

	(void)data;
	(void)events;
	if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
		loop_close(&control);
	} else if (got == (ssize_t)sizeof(in.msg) && in.msg.type == SWITCHER_READY) {
		say("switcher ready %ux%u tsc=%" PRIu64, in.msg.width, in.msg.height,
		    (uint64_t)__builtin_ia32_rdtsc());
	} else if (got == (ssize_t)sizeof(in.answer) && in.answer.type == SWITCHER_ANSWER) {
		switch_answer(in.answer.id, in.answer.choice, in.answer.lines,
			      in.answer.by == SWITCHER_BY_KEY);
	}
}

static void switch_ended(void *data, struct proc *proc, int status)
{
	char why[64];

	(void)data;
	(void)proc;
	loop_close(&control);
	if (ending) {
		switch_give_up();
		return;
	}
	words_process_end(status, why, sizeof(why));
	say("switcher %s", why);
	if (restarts++ < RESTARTS_MAX && switch_start(program_dir, program_name) == 0) {
		say("switcher started again");
	} else {
		switch_give_up();
	}
}

/* True if the process is called as our switcher is; the kernel keeps 15 characters. */
static bool switch_is_ours(int pid)
{
	char path[64], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(name, sizeof(name), file)) {
			name[0] = 0;
		}
		fclose(file);
	}
	return !strncmp(name, "bulkhead-switch", 15);
}

void switch_end_stale(const char *run_dir)
{
	FILE *file;
	int pid;

	snprintf(pid_path, sizeof(pid_path), "%s/switcher.pid", run_dir);
	file = fopen(pid_path, "re");
	if (!file) {
		return;
	}
	if (fscanf(file, "%d", &pid) == 1 && pid > 1 && switch_is_ours(pid)) {
		say("ends the switcher of an earlier daemon");
		kill(pid, SIGKILL);
	}
	fclose(file);
	unlink(pid_path);
}

static void switch_note_pid(void)
{
	FILE *file = pid_path[0] ? fopen(pid_path, "we") : NULL;

	if (file) {
		fprintf(file, "%d\n", (int)process.pid);
		fclose(file);
	}
}

int switch_start(const char *directory, const char *program)
{
	struct spawn spawn;
	int pair[2], ret;

	ending = false;
	if (directory != program_dir) {
		snprintf(program_dir, sizeof(program_dir), "%s", directory);
		snprintf(program_name, sizeof(program_name), "%s", program);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		return -errno;
	}
	/* It opens the screen as root and then gives up more than we could take from it here. */
	spawn_init(&spawn, program_dir, program_name);
	spawn_arg(&spawn, "--control-fd");
	spawn_arg(&spawn, "%d", spawn_fd(&spawn, pair[1]));
	process.ended = switch_ended;
	ret = proc_start(&process, &spawn, "switcher");
	spawn_fini(&spawn);
	if (ret) {
		close(pair[0]);
		return ret;
	}
	switch_note_pid();
	process.log_left = UINT_MAX; /* ours to the end; it repeats nothing that a guest said */
	control = (struct loop_source){.fd = -1, .ready = switch_control_ready};
	ret = loop_add(&control, pair[0], EPOLLIN);
	if (ret == 0 && warning.type) {
		switch_send(&warning, NULL, 0);
	}
	for (unsigned int i = 0; ret == 0 && i < told_count; i++) {
		switch_tell(&told[i]);
	}
	for (unsigned int i = 0; ret == 0 && i < SWITCHER_QUESTIONS_MAX; i++) {
		if (asked[i]) {
			switch_put(asked[i]);
		}
	}
	return ret;
}

void switch_stop(void)
{
	ending = true;
	proc_signal(&process, SIGTERM);
}

bool switch_running(void)
{
	return process.live;
}

static struct told *switch_find(uint32_t id)
{
	for (unsigned int i = 0; i < told_count; i++) {
		if (told[i].add.id == id) {
			return &told[i];
		}
	}
	return NULL;
}

static void close_all(const int fds[SWITCHER_FDS_MAX])
{
	for (unsigned int i = 0; i < SWITCHER_FDS_MAX; i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
}

void switch_remove(uint32_t id)
{
	const struct switcher_msg msg = {.type = SWITCHER_REMOVE, .id = id};
	struct told *part = switch_find(id);

	if (part) {
		close_all(part->fd);
		*part = told[--told_count];
		switch_send(&msg, NULL, 0);
	}
}

void switch_add(const struct config *config, int surface, int keyboard, int tablet)
{
	const int fds[SWITCHER_FDS_MAX] = {surface, keyboard, tablet};
	struct told *part = switch_find(config->id);

	if (!config->order || (!part && told_count == SWITCHER_PARTS_MAX)) {
		close_all(fds);
		switch_remove(config->id);
		return;
	}
	if (!part) {
		part = &told[told_count++];
		memset(part, 0, sizeof(*part));
		part->state.type = SWITCHER_STATE;
		part->state.id = config->id;
	} else {
		close_all(part->fd);
	}
	part->add = (struct switcher_msg){
		.type = SWITCHER_ADD,
		.id = config->id,
		.order = config->order,
		.colour = config->colour,
		.pattern = config->pattern,
	};
	snprintf(part->add.name, sizeof(part->add.name), "%s", config->name);
	snprintf(part->add.title, sizeof(part->add.title), "%s", config->title);
	for (unsigned int i = 0; i < SWITCHER_FDS_MAX; i++) {
		part->fd[i] = fds[i];
		part->add.fds |= fds[i] >= 0 ? 1u << i : 0;
	}
	switch_tell(part);
}

void switch_state(uint32_t id, enum switcher_state state, const char *text)
{
	struct told *part = switch_find(id);

	if (!part) {
		return;
	}
	memset(part->state.text, 0, sizeof(part->state.text));
	snprintf(part->state.text, sizeof(part->state.text), "%s", text);
	part->state.state = state;
	part->state.progress = state == SWITCHER_RUNNING ? 100 : 0;
	switch_send(&part->state, NULL, 0);
}

void switch_focus(uint32_t id)
{
	const struct switcher_msg msg = {.type = SWITCHER_FOCUS, .id = id};

	switch_send(&msg, NULL, 0);
}

void switch_warn(const char *text)
{
	warning = (struct switcher_msg){.type = SWITCHER_WARNING};
	snprintf(warning.text, sizeof(warning.text), "%s", text);
	switch_send(&warning, NULL, 0);
}
