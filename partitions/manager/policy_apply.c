/* SPDX-License-Identifier: Apache-2.0 */
/** A policy is applied: stored, compiled, compared, loaded into root mode, kept or tried. Until
 * root mode took it nothing has changed; if the record cannot be written after that, root mode goes
 * back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "policy_private.h"
#include "quota.h"
#include "record.h"
#include "reply.h"
#include "say.h"
#include "store.h"
#include "whole_file.h"

#define TOTAL_MAX (8u << 20) /* bytes of all files of one request */

static struct {
	bool under_way;
	uint32_t generation;
	uint64_t began_us, began_cpu_us;
	bool hints; /* at what IT can do about a user layer that is in its way */
	struct rights_peer peer;
	policy_reply *reply; /* NULL: the client is gone */
	void *data;
} job;

/* Of this daemon and of all processes that it waited for. */
static uint64_t cpu_us(void)
{
	uint64_t sum = 0;
	struct rusage usage;

	for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
		if (getrusage(who, &usage) == 0) {
			sum += (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) *
				       1000000u +
			       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
		}
	}
	return sum;
}

/* Whoever waited for other processes meanwhile does not pay for them beyond the time that passed.
 */
static void charge(void)
{
	uint64_t now_us = loop_now_us(), passed_us = now_us - job.began_us;
	uint64_t used_us = cpu_us() - job.began_cpu_us;

	if (job.peer.person != TEXT_PERSON_IT) {
		quota_spend(job.peer.uid, now_us / 1000,
			    (used_us < passed_us ? used_us : passed_us) / 1000);
	}
}

static void answer(struct json_object *reply)
{
	policy_reply *to = job.reply;

	charge();
	job.under_way = false;
	if (to) {
		job.reply = NULL;
		to(job.data, reply);
	} else {
		json_object_put(reply);
	}
}

static void refuse(const char *why)
{
	record_write(AUDIT_REFUSED, job.peer.who, "policy", NULL, NULL, why);
	say("policy refused: %.200s", why);
	if (policy.folder && !policy.unwritten) {
		store_sweep(policy.folder, &policy.state);
	}
	answer(reply_error(why));
}

/* What the compiler wrote are whole lines; an answer ends without a newline. */
static void refuse_lines(const char *text)
{
	static const char in_the_way[] =
		"\n    hint: a user layer is applied; if that is what does not fit, "
		"--without-user leaves it out";
	size_t size = strlen(text);
	char *why;

	while (size && text[size - 1] == '\n') {
		size--;
	}
	if (asprintf(&why, "%.*s%s", (int)size, text, job.hints ? in_the_way : "") < 0) {
		why = NULL;
	}
	refuse(why ? why : "out of memory");
	free(why);
}

void policy_forget(void *data)
{
	if (job.data == data) {
		job.reply = NULL;
	}
	policy_forget_ask(data);
}

/* Layers of the generation before that a newer one took the place of. */
static int drop_replaced(const struct policy_held *held)
{
	int ret = 0;

	for (uint32_t set = 0; ret == 0 && set < STORE_SETS_MAX; set++) {
		bool used = false;

		for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
			used |= held->layer[i].there && held->layer[i].set == set;
		}
		ret = used ? 0 : store_drop_set(policy.folder, job.generation, set);
	}
	return ret;
}

static const char *root_says(int error)
{
	switch (-error) {
	case EPERM:
		return "root mode refuses it: it allows what the policy of this boot does not "
		       "(partitions, modules, devices, back ends, or more memory or vcpus); make "
		       "it part of the boot image and restart the machine";
	case EBUSY:
		return "root mode refuses it now: a partition that runs would lose its back ends; "
		       "stop it first";
	default:
		return "root mode refuses it";
	}
}

static int keep(const struct policy_held *held, uint32_t needs)
{
	struct policy_state next = policy.state;

	if (!policy_state_begin(&next, job.generation, needs, policy_now_ms(),
				held->table.head->confirm_seconds, policy.boot)) {
		return -EINVAL;
	}
	next.by = next.trial && job.peer.person != TEXT_PERSON_IT ? job.peer.uid : 0;
	return policy_set_state(&next);
}

static void follow(struct policy_held *held)
{
	struct policy_held old;
	char hash[65], text[AUDIT_TEXT_MAX];

	policy_hash_text(&held->table, hash);
	policy_adopt(held, &old);
	if (policy.state.trial) {
		policy.before = old;
		policy_try();
	} else {
		policy_held_fini(&old);
		policy_stays();
	}
	snprintf(text, sizeof(text), "%u changes%s", policy.changes.count,
		 policy.state.trial ? ", to be confirmed" : "");
	record_write(AUDIT_APPLIED, job.peer.who, "policy", hash, NULL, text);
	say("policy %.16s applied by %s in %u ms, %u ms of CPU: %s", hash, job.peer.who,
	    (unsigned int)((loop_now_us() - job.began_us) / 1000),
	    (unsigned int)((cpu_us() - job.began_cpu_us) / 1000), text);
}

static void compiled(void *data, struct policy_held *held, const char *text)
{
	static struct policy_diff diff;
	const char *why;
	int ret;

	(void)data;
	if (!held) {
		refuse_lines(text);
		return;
	}
	policy_diff_make(&policy.now.table, &held->table, &diff);
	why = policy_prompt_refuse(&diff, &policy.now, held);
	if (why) {
		refuse(why);
		policy_held_fini(held);
		return;
	}
	ret = drop_replaced(held);
	if (ret == 0) {
		ret = store_put_before(policy.folder, job.generation, policy.now.bytes,
				       policy.now.table.root->file_size);
	}
	if (ret) {
		refuse(strerror(-ret));
		policy_held_fini(held);
		return;
	}
	ret = policy_root_load(held);
	if (ret) {
		refuse(root_says(ret));
		policy_held_fini(held);
		return;
	}
	ret = keep(held, diff.needs);
	if (ret) {
		policy_root_load(&policy.now);
		policy_held_fini(held);
		refuse(strerror(-ret));
		return;
	}
	policy.changes = diff;
	follow(held);
	answer(policy_describe());
}

static bool is_signature(const char *name)
{
	size_t size = strlen(name);

	return size > 4 && !strcmp(name + size - 4, ".sig");
}

static bool is_signature_of(const char *name, const char *layer)
{
	return is_signature(name) && !strncmp(name, layer, strlen(name) - 4) &&
	       strlen(layer) == strlen(name) - 4;
}

/* One file goes into every set that may need it. */
static int store_file(const struct request *request, uint32_t index, uint32_t first_set,
		      const void *bytes, size_t size)
{
	struct store_file file = {.generation = job.generation};
	const char *name = request->file[index];
	int ret = 0;

	snprintf(file.name, sizeof(file.name), "%s", name);
	for (uint32_t i = 0; ret == 0 && i < request->layer_count; i++) {
		file.set = first_set + i;
		if (index < request->layer_count) {
			file.part = STORE_LAYER;
		} else {
			file.part = is_signature(name) ? STORE_SIGNATURE : STORE_INCLUDE;
		}
		if (file.part == STORE_LAYER ? index != i
					     : file.part == STORE_SIGNATURE &&
						       !is_signature_of(name, request->file[i])) {
			continue;
		}
		ret = store_put(policy.folder, &file, bytes, size);
	}
	return ret;
}

static int store_request(const struct request *request, const int *fds, uint32_t *ret_first_set)
{
	uint32_t first_set = 0;
	size_t left = TOTAL_MAX;
	int ret = store_sweep(policy.folder, &policy.state);

	if (ret == 0 && policy.state.current && !policy.lost) {
		ret = store_copy(policy.folder, policy.state.current, job.generation);
	}
	if (ret == 0) {
		ret = store_next_set(policy.folder, job.generation, &first_set);
	}
	if (ret == 0 && first_set + request->layer_count > STORE_SETS_MAX) {
		ret = -ENOSPC;
	}
	for (uint32_t i = 0; ret == 0 && i < request->file_count; i++) {
		char *bytes;
		size_t size;

		ret = whole_file_read_fd(fds[i], left < POLICY_FILE_MAX ? left : POLICY_FILE_MAX,
					 &bytes, &size);
		if (ret == 0) {
			left -= size;
			ret = store_file(request, i, first_set, bytes, size);
			free(bytes);
		}
	}
	*ret_first_set = ret ? 0 : first_set;
	return ret;
}

/* NULL: nothing is in the way. */
static const char *find_obstacle(const struct request *request)
{
	if (!policy.folder || !policy.now.bytes) {
		return "there is no place to keep it, or no policy of this boot; the daemon's log "
		       "says why";
	}
	if (policy_settle() != 0) {
		return "the record of the policy cannot be written; make room where it is kept: "
		       "the daemon's log says more";
	}
	if (policy.state.trial) {
		return "another policy waits to be confirmed: confirm or revert it first";
	}
	if (request->without_user && job.peer.person != TEXT_PERSON_IT) {
		return "only IT leaves the user layer out: apply a newer one that says nothing";
	}
	if (policy.lost && job.peer.person != TEXT_PERSON_IT) {
		return "the policy that was applied last does not hold any more: ask IT (group "
		       "bulkhead-it) to apply its layer anew";
	}
	return NULL;
}

static bool has_user_layer(void)
{
	return policy.now.layer[TEXT_USER].there &&
	       policy.now.layer[TEXT_USER].set != POLICY_NO_SET;
}

void policy_apply(const struct request *request, const int *fds, const struct rights_peer *peer,
		  policy_reply *reply, void *data)
{
	const char *obstacle;
	uint32_t first_set;
	char why[160];
	int ret;

	if (job.under_way || policy_load_busy()) {
		reply(data, reply_error("another policy is being applied"));
		return;
	}
	job.under_way = true;
	job.reply = reply;
	job.data = data;
	job.generation = policy.state.current + 1;
	job.began_us = loop_now_us();
	job.began_cpu_us = cpu_us();
	job.peer = *peer;
	obstacle = find_obstacle(request);
	if (obstacle) {
		refuse(obstacle);
		return;
	}
	ret = store_request(request, fds, &first_set);
	if (ret == 0) {
		const struct policy_load_sets sets = {
			.user_from = peer->person == TEXT_PERSON_IT ? POLICY_NO_SET : first_set,
			.no_user_before =
				request->without_user || policy.user_left_out ? first_set : 0};

		job.hints =
			peer->person == TEXT_PERSON_IT && !sets.no_user_before && has_user_layer();
		ret = policy_load_start(&policy.paths, job.generation, &sets, compiled, NULL);
	}
	if (ret) {
		snprintf(why, sizeof(why), "the files cannot be taken: %s", strerror(-ret));
		refuse(why);
	}
}
