/* SPDX-License-Identifier: Apache-2.0 */
/** What a client asks on /run/bulkhead.sock: one JSON object per line.
 *
 *  {"verb": "list"}
 *  {"verb": "start" | "stop" | "reset" | "pause" | "resume" | "focus" | "stats" | "console",
 *   "name": NAME}
 *  {"verb": "log", "name": NAME, "follow": BOOL}   without a name: the hypervisor's log
 *  {"verb": "type", "text": TEXT}                  after "console": input for that guest
 *
 *  {"verb": "policy-status" | "policy-confirm" | "policy-revert"}
 *  {"verb": "policy-apply", "layers": [FILE, ...], "others": [FILE, ...]}
 *                                                  with one descriptor per file, in this order;
 *                                                  "without-user": BOOL may be there
 *  {"verb": "policy-ask", "kind": KIND, "from": NAME, "to": NAME, "type": TYPE, "port": NUMBER}
 *                                                  type and port may be left out
 *
 *  Each answer is one line, {"ok": true, ...} or {"ok": false, "error": TEXT}. After "log" with
 * "follow" and after "console" lines {"ok": true, "text": TEXT} go on until the client hangs up.
 * TEXT is encoded as text.h says.
 */
#ifndef MANAGER_REQUEST_H
#define MANAGER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include "config.h"
#include "store.h"

#define REQUEST_LINE_MAX   4096u /* bytes, with the newline */
#define REQUEST_TEXT_MAX   1024u
#define REQUEST_ERROR_SIZE 96u
#define REQUEST_FILES_MAX  STORE_FILES_MAX

enum request_verb {
	REQUEST_LIST,
	REQUEST_START,
	REQUEST_STOP,
	REQUEST_RESET,
	REQUEST_FOCUS,
	REQUEST_STATS,
	REQUEST_CONSOLE,
	REQUEST_LOG,
	REQUEST_TYPE,
	REQUEST_PAUSE,
	REQUEST_RESUME,
	REQUEST_POLICY_STATUS,
	REQUEST_POLICY_APPLY,
	REQUEST_POLICY_CONFIRM,
	REQUEST_POLICY_REVERT,
	REQUEST_POLICY_ASK,
};

/** One question about a flow, in the words of the language. */
struct request_flow {
	char kind[CONFIG_NAME_SIZE], from[CONFIG_NAME_SIZE], to[CONFIG_NAME_SIZE];
	char type[CONFIG_NAME_SIZE]; /* empty: any */
	uint32_t port;		     /* 0..65535 */
};

struct request {
	enum request_verb verb;
	char name[CONFIG_NAME_SIZE]; /* empty: none given */
	bool follow;
	char text[REQUEST_TEXT_MAX]; /* decoded bytes */
	size_t text_size;
	/* Of policy-apply: names without a folder, layers first. */
	char file[REQUEST_FILES_MAX][STORE_NAME_SIZE];
	uint32_t layer_count, file_count;
	bool without_user; /* the user layer that is applied is left out */
	struct request_flow flow;
};

/** Decodes one line without its newline. Returns 0, or -1 with a reason in error and *ret_request
 * untouched. */
int request_parse(const char *line, size_t size, struct request *ret_request,
		  char error[REQUEST_ERROR_SIZE]);

#endif
