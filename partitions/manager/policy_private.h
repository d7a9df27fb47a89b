/* SPDX-License-Identifier: Apache-2.0 */
/** Between the files of the policy: what is in force, and what is tried. */
#ifndef MANAGER_POLICY_PRIVATE_H
#define MANAGER_POLICY_PRIVATE_H

#include "folder.h"
#include "loop.h"
#include "policy.h"
#include "policy_diff.h"
#include "policy_load.h"
#include "policy_state.h"
#include "switch.h"

struct policy {
	struct policy_options options;
	struct policy_load_paths paths;
	char seen_path[256];
	struct folder *folder; /* NULL: nothing can be kept, so nothing can be applied */
	int folder_fd;
	char boot[POLICY_BOOT_SIZE];
	struct policy_state state;
	bool unwritten; /* the disk may have another state */
	/* Of the generation that stays, since the start of the daemon: */
	bool lost;	    /* it could not be compiled: applying begins anew */
	bool user_left_out; /* its user layer does not hold: applying leaves it out */
	struct policy_held boot_table, now;
	struct policy_held before;  /* while one is tried: what comes back */
	struct policy_diff changes; /* of the last change */
	struct loop_timer timer;
	struct switch_question question;
};
extern struct policy policy;

/** Makes root mode go by this table. Returns 0 or -errno. */
int policy_root_load(const struct policy_held *held);
/** The table counts for everybody from now on; what was in force goes to *ret_old. */
void policy_adopt(struct policy_held *held, struct policy_held *ret_old);
/** Makes `next` the state, on the disk first. Returns 0 or -errno. */
int policy_set_state(const struct policy_state *next);
/** Writes the state that could not be written before. Returns 0 or -errno. */
int policy_settle(void);
/** Another generation stays from now on; its versions count as seen. */
void policy_stays(void);
/** A trial begins or goes on: the clock runs and the person at the keyboard is asked. */
void policy_try(void);
/** Why nobody could know what the change from one policy to the other does before they keep it;
 * NULL: it can be read. Only what leaves the user layer out is open at any length: a user may have
 * come far in small steps. */
const char *policy_prompt_refuse(const struct policy_diff *diff, const struct policy_held *before,
				 const struct policy_held *after);
/** The question whether to keep it, with all that it changes; policy_prompt_refuse() had nothing
 * against it. */
void policy_prompt_make(const struct policy_diff *diff, uint64_t left_ms,
			struct switcher_question *ret_question);
uint64_t policy_now_ms(void);
void policy_hash_text(const struct table *table, char text[65]);
struct json_object *policy_describe(void);
/** Questions of this client are answered to nobody. */
void policy_forget_ask(void *data);

#endif
