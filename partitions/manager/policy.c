/* SPDX-License-Identifier: Apache-2.0 */
/** Which policy counts, from the start of the daemon on. */
#define _GNU_SOURCE
#include "policy_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bulkhead_dev.h"
#include "record.h"
#include "reply.h"
#include "say.h"
#include "store.h"

#define BUSY_TRIES   40u
#define BUSY_WAIT_US 5000u
#define AGAIN_MS     1000u
#define BOOT_ID	     "/proc/sys/kernel/random/boot_id"
#define DAEMON	     "bulkheadd"

struct policy policy = {.folder_fd = -1};

const struct table *policy_table(void)
{
	return policy.now.bytes ? &policy.now.table : NULL;
}

uint64_t policy_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void policy_hash_text(const struct table *table, char text[65])
{
	for (unsigned int i = 0; i < 32; i++) {
		snprintf(text + 2 * i, 3, "%02x", table->root->hash[i]);
	}
}

/* A partition that is being changed at this moment will be done with that in another one. */
int policy_root_load(const struct policy_held *held)
{
	const struct bh_policy *root = held->table.root;
	struct bh_policy_info info;
	int ret = dev_policy_info(policy.options.dev, &info);

	if (ret == 0 && !memcmp(info.hash, root->hash, sizeof(info.hash))) {
		return 0;
	}
	for (unsigned int i = 0; ret == 0 || ret == -EBUSY; i++) {
		ret = dev_policy_load(policy.options.dev, root, root->file_size);
		if (ret != -EBUSY || i == BUSY_TRIES) {
			break;
		}
		usleep(BUSY_WAIT_US);
	}
	return ret;
}

void policy_adopt(struct policy_held *held, struct policy_held *ret_old)
{
	struct policy_held old = policy.now;

	policy.now = *held;
	*held = (struct policy_held){.bytes = NULL};
	if (policy.options.changed) {
		policy.options.changed(&policy.now.table);
	}
	*ret_old = old;
}

int policy_set_state(const struct policy_state *next)
{
	int ret = policy.folder ? store_write_state(policy.folder, next) : -ENODEV;

	/* After an error the disk may have either: no file that either names may go. */
	policy.unwritten = ret != 0;
	if (ret == 0) {
		policy.state = *next;
		if (store_sweep(policy.folder, next)) {
			say("old policies stay in %s", policy.options.state_path);
		}
	}
	return ret;
}

static void record_policy(enum audit_what what, const char *who, const char *text)
{
	char hash[65] = "";

	if (policy.now.bytes) {
		policy_hash_text(&policy.now.table, hash);
	}
	record_write(what, who, "policy", hash, NULL, text);
}

void policy_record(enum audit_what what, const char *who, const char *object, const char *text)
{
	record_write(what, who, object, NULL, NULL, text);
}

int policy_settle(void)
{
	return policy.unwritten ? policy_set_state(&policy.state) : 0;
}

/* The state is on the disk first: a power cut in between comes up with the policy before. A disk
 * that takes no more holds up nothing: what its record says of a trial ends with the boot, or with
 * its time. */
static void take_back(const char *who, const char *why)
{
	struct policy_state next = policy.state;
	struct policy_held tried;
	int ret;

	policy_state_revert(&next);
	ret = policy_set_state(&next);
	loop_timer_stop(&policy.timer);
	if (ret) {
		say("the record of the policy cannot be written: %s", strerror(-ret));
		policy.state = next;
		loop_timer_set(&policy.timer, AGAIN_MS);
	}
	switch_withdraw(&policy.question);
	ret = policy_root_load(&policy.before);
	if (ret) {
		say("root mode keeps the policy that was tried: %s", strerror(-ret));
	}
	policy_diff_make(&policy.now.table, &policy.before.table, &policy.changes);
	policy_adopt(&policy.before, &tried);
	policy_held_fini(&tried);
	say("policy taken back: %s", why);
	record_policy(AUDIT_REVERTED, who, why);
}

static void ask_prompt(uint64_t left_ms);

static void timer_fired(void *data)
{
	uint64_t left = policy_state_left_ms(&policy.state, policy_now_ms());

	(void)data;
	if (!policy.state.trial) {
		if (policy_settle() != 0) {
			loop_timer_set(&policy.timer, AGAIN_MS);
		}
		return;
	}
	if (left > 0) {
		loop_timer_set(&policy.timer, left + 1); /* another clock: it counts sleep */
		if (policy.state.needs & POLICY_NEED_PROMPT && !policy.question.open) {
			ask_prompt(left);
		}
		return;
	}
	take_back(DAEMON, "nobody confirmed it in time");
}

void policy_stays(void)
{
	policy.lost = policy.user_left_out = false;
	policy_load_record(&policy.paths, policy.state.current, 0);
}

/* Something was confirmed: on the disk, then for everybody. */
static int confirm(uint32_t way, const char *who)
{
	struct policy_state next = policy.state;
	int ret;

	policy_state_confirm(&next, way);
	ret = policy_set_state(&next);
	if (ret) {
		say("the confirmation cannot be kept: %s", strerror(-ret));
		return ret;
	}
	record_policy(AUDIT_CONFIRMED, who,
		      way == POLICY_NEED_PROMPT ? "at the trusted prompt" : "by IT");
	if (!next.trial) {
		loop_timer_stop(&policy.timer);
		switch_withdraw(&policy.question);
		policy_held_fini(&policy.before);
		say("policy confirmed");
		policy_stays();
	}
	return 0;
}

static void prompt_answered(void *data, uint32_t choice, bool by_key)
{
	(void)data;
	if (!policy.state.trial) {
		return;
	}
	if (!by_key) { /* not seen: too many questions wait, or the switcher is gone */
		uint64_t left = policy_state_left_ms(&policy.state, policy_now_ms()) + 1;

		loop_timer_set(&policy.timer, left < AGAIN_MS ? left : AGAIN_MS);
		return;
	}
	if (choice == 1) {
		confirm(POLICY_NEED_PROMPT, "the person at the keyboard");
	} else {
		take_back("the person at the keyboard", "it was not wanted at the trusted prompt");
	}
}

static void ask_prompt(uint64_t left_ms)
{
	struct switch_question *question = &policy.question;

	question->answered = prompt_answered;
	policy_prompt_make(&policy.changes, left_ms, &question->text);
	switch_ask(question);
}

void policy_try(void)
{
	uint64_t left = policy_state_left_ms(&policy.state, policy_now_ms());

	loop_timer_set(&policy.timer, left + 1);
	if (policy.state.needs & POLICY_NEED_PROMPT) {
		ask_prompt(left);
	}
}

struct json_object *policy_confirm(const char *who)
{
	if (!policy.state.trial) {
		return reply_error("no policy waits to be confirmed");
	}
	if (!(policy.state.needs & POLICY_NEED_IT)) {
		return reply_error("this change touches keys or screen: it is confirmed at the "
				   "prompt on this machine's own screen, with its own keyboard");
	}
	return confirm(POLICY_NEED_IT, who) ? reply_error("the confirmation cannot be kept")
					    : policy_describe();
}

struct json_object *policy_revert(const char *who)
{
	if (!policy.state.trial) {
		return reply_error("no policy waits to be confirmed");
	}
	take_back(who, "on request");
	return policy_describe();
}

bool policy_is_anothers(uid_t uid)
{
	return policy.state.trial && (!policy.state.by || policy.state.by != uid);
}

/* /var is empty after a boot where nothing outlives one. */
static void make_parents(const char *path)
{
	char parent[256];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
		mkdir(parent, 0755);
	}
}

static int open_state(const char *path)
{
	const char *name;
	char inside[256];
	int ret;

	make_parents(path);
	if (mkdir(path, 0700) && errno != EEXIST) {
		return -errno;
	}
	snprintf(inside, sizeof(inside), "%s/state", path);
	ret = folder_of_path(inside, &policy.folder, &name);
	if (ret == 0) {
		policy.folder_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ret = policy.folder_fd < 0 ? -errno : 0;
	}
	snprintf(inside, sizeof(inside), "%s/seen", path);
	memcpy(policy.seen_path, inside, sizeof(inside));
	if (ret == 0) {
		record_open(policy.folder_fd);
		ret = store_read_state(policy.folder, &policy.state);
	}
	if (ret == -EBADMSG) {
		say("%s/state was not written by bulkheadd: the boot policy counts", path);
		record_write(AUDIT_REFUSED, DAEMON, "policy", NULL, NULL,
			     "the record of applied policies cannot be read");
		ret = 0;
	}
	return ret;
}

static void read_boot(void)
{
	FILE *file = fopen(BOOT_ID, "re");

	if (file) {
		if (!fgets(policy.boot, sizeof(policy.boot), file)) {
			policy.boot[0] = 0;
		}
		policy.boot[strcspn(policy.boot, "\n")] = 0;
		fclose(file);
	}
}

struct waiting {
	bool done;
	struct policy_held held;
};

static void stored_done(void *data, struct policy_held *held, const char *text)
{
	struct waiting *waiting = data;

	waiting->done = true;
	if (held) {
		waiting->held = *held;
	} else {
		say("a stored policy is refused: %.300s", text);
		record_write(AUDIT_REFUSED, DAEMON, "policy", NULL, NULL, text);
	}
}

/* Compiles a stored generation while the loop runs; nobody else uses it yet. */
static bool take_stored(uint32_t generation, uint32_t no_user_before, struct policy_held *ret_held)
{
	const struct policy_load_sets sets = {POLICY_NO_SET, no_user_before};
	struct waiting waiting = {.done = false};

	if (policy_load_start(&policy.paths, generation, &sets, stored_done, &waiting)) {
		return false;
	}
	while (!waiting.done && loop_step(-1)) {
	}
	*ret_held = waiting.held;
	return waiting.held.bytes != NULL;
}

static bool take_boot(struct policy_held *held)
{
	const char *why;
	int ret = table_load(policy.options.boot_path, &held->bytes, &held->table, &why);

	if (ret) {
		held->bytes = NULL;
		say("%s: %s", policy.options.boot_path, why);
		return false;
	}
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		held->layer[i].there = held->table.head->layers >> i & 1u;
		held->layer[i].version = held->table.head->version[i];
		held->layer[i].set = POLICY_NO_SET;
	}
	return true;
}

/* A user layer that was right once must not take the layer of IT with it: its key may be withdrawn,
 * the system may have come with another vendor layer. */
static bool take_current(struct policy_held *ret_held)
{
	if (!policy.state.current) {
		return false;
	}
	if (take_stored(policy.state.current, 0, ret_held)) {
		return true;
	}
	if (!take_stored(policy.state.current, POLICY_NO_SET, ret_held)) {
		return false;
	}
	policy.user_left_out = true;
	say("the user layer is left out");
	record_write(AUDIT_REVERTED, DAEMON, "policy", NULL, NULL,
		     "the user layer is left out: it does not hold any more");
	return true;
}

/* The table that stays: the stored generation if it still verifies and root mode takes it. */
static bool choose_current(struct policy_held *ret_held)
{
	if (take_current(ret_held)) {
		if (policy_root_load(ret_held) == 0) {
			/* Again: the power may have failed before it was done. */
			policy_load_record(&policy.paths, policy.state.current,
					   policy.user_left_out ? POLICY_NO_SET : 0);
			return true;
		}
		say("root mode refuses the stored policy: this boot's policy counts");
		record_write(AUDIT_REFUSED, DAEMON, "policy", NULL, NULL,
			     "root mode refuses the stored policy");
		policy_held_fini(ret_held);
	}
	policy.lost = policy.state.current != 0;
	return take_boot(ret_held);
}

static void end_old_trial(const char *why)
{
	struct policy_state next = policy.state;

	policy_state_revert(&next);
	if (policy_set_state(&next)) {
		policy.state = next;
	}
	say("a policy that was tried is taken back: %s", why);
	record_write(AUDIT_REVERTED, DAEMON, "policy", NULL, NULL, why);
}

/* What the generation in force did when it was applied, from the table that it took the place of.
 */
static void tell_again(void)
{
	struct policy_held old = {.bytes = NULL};
	const char *why;
	size_t size;

	if (!policy.state.current || policy.lost ||
	    store_read_before(policy.folder, policy.state.current, &old.bytes, &size)) {
		return;
	}
	if (table_open(old.bytes, size, &old.table, &why) == 0) {
		policy_diff_make(&old.table, &policy.now.table, &policy.changes);
	} else {
		say("what the last change did is lost: its record is broken: %s", why);
	}
	policy_held_fini(&old);
}

/* The daemon was started again in the middle of a trial. */
static void go_on_trying(void)
{
	struct policy_held tried;
	const char *why;

	if (!policy_state_goes_on(&policy.state, policy.boot, policy_now_ms())) {
		end_old_trial("the machine was started anew, or its time is over");
		return;
	}
	if (!take_stored(policy.state.trial, 0, &tried)) {
		end_old_trial("it cannot be read again");
		return;
	}
	if (policy_root_load(&tried)) {
		policy_held_fini(&tried);
		end_old_trial("root mode refuses it");
		return;
	}
	policy_diff_make(&policy.now.table, &tried.table, &policy.changes);
	why = policy_prompt_refuse(&policy.changes, &policy.now, &tried);
	if (why) {
		policy_held_fini(&tried);
		policy_root_load(&policy.now);
		end_old_trial(why);
		return;
	}
	policy_adopt(&tried, &policy.before);
	policy_try();
}

int policy_start(const struct policy_options *options)
{
	struct policy_held first = {.bytes = NULL}, none;
	int ret;

	policy.options = *options;
	policy.timer = (struct loop_timer){.fire = timer_fired};
	read_boot();
	ret = open_state(options->state_path);
	if (ret) {
		say("%s: %s: no policy can be applied", options->state_path, strerror(-ret));
	}
	policy.paths = (struct policy_load_paths){
		.program_dir = options->program_dir,
		.system_path = options->system_path,
		.keys_path = options->keys_path,
		.seen_path = policy.seen_path,
		.modules_path = options->boot_path,
		.folder_fd = policy.folder_fd,
		.confine = options->confine,
	};
	if (!choose_current(&first)) {
		return -1;
	}
	ret = policy_root_load(&first);
	if (ret) {
		char hash[65];

		policy_hash_text(&first.table, hash);
		say("root mode goes by another policy than %.16s and does not take this one: %s",
		    hash, strerror(-ret));
		policy_held_fini(&first);
		return -1;
	}
	policy_adopt(&first, &none);
	tell_again();
	if (policy.state.trial) {
		go_on_trying();
	}
	return 0;
}

void policy_stop(void)
{
	loop_timer_stop(&policy.timer);
	policy_held_fini(&policy.now);
	policy_held_fini(&policy.before);
	record_close();
	folder_close(policy.folder);
	if (policy.folder_fd >= 0) {
		close(policy.folder_fd);
	}
	policy = (struct policy){.folder_fd = -1};
}
