/* SPDX-License-Identifier: Apache-2.0 */
/** The policy in force: read at start, changed while the machine runs, confirmed or taken back.
 *
 *  The boot table is what root mode began with; policies that people apply are compiled anew from
 * their signed layers at each start (store.h keeps them), loaded into root mode within the bounds
 * of the boot table, and only then followed here. Each decision is recorded in the audit log.
 */
#ifndef MANAGER_POLICY_H
#define MANAGER_POLICY_H

#include <json-c/json.h>

#include "policy/audit/audit.h"
#include "policy/table/table.h"
#include "request.h"
#include "rights.h"

#define POLICY_FILE_MAX	 (4u << 20) /* bytes */
#define POLICY_FILES_MAX REQUEST_FILES_MAX

struct policy_options {
	const char *boot_path;	 /* table that root mode was started with */
	const char *system_path; /* layers that came with the system */
	const char *keys_path;	 /* public keys of those who may sign layers */
	const char *state_path;	 /* folder that outlives a boot */
	const char *program_dir; /* of bulkhead-policy-load */
	int dev;
	bool confine;
	/** Another table counts from now on; also called once by policy_start(). */
	void (*changed)(const struct table *table);
};

/** Finds the policy in force. Returns 0, or -1 after saying why there is none: then nothing is
 * allowed. Runs the event loop while a stored policy is compiled. */
int policy_start(const struct policy_options *options);
void policy_stop(void);
/** NULL: there is none. */
const struct table *policy_table(void);

/** Hands the answer to a client over; called once. */
typedef void policy_reply(void *data, struct json_object *reply);

/** Verifies, compiles, loads and follows the layers in fds (borrowed), named as in the request; of
 * anybody but IT, if all of them are signed as the user layer. The answer comes later, or before
 * this returns. */
void policy_apply(const struct request *request, const int *fds, const struct rights_peer *peer,
		  policy_reply *reply, void *data);
/** Forgets the client; what it asked for goes on. */
void policy_forget(void *data);
struct json_object *policy_confirm(const char *who);
struct json_object *policy_revert(const char *who);
/** Whether a change waits to be confirmed that IT began, or another user than this one. */
bool policy_is_anothers(uid_t uid);
struct json_object *policy_status(void);
/** Decides one flow; a verdict to ask puts the question to the person at the keyboard. */
void policy_ask(const struct request_flow *flow, const char *who, policy_reply *reply, void *data);
/** Records a decision about a partition. rule may be empty. */
void policy_record(enum audit_what what, const char *who, const char *object, const char *text);

#endif
