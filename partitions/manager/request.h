/* SPDX-License-Identifier: Apache-2.0 */
/** What a client asks on /run/bulkhead.sock: one JSON object per line.
 *
 *  {"verb": "list"}
 *  {"verb": "start" | "stop" | "reset" | "focus" | "stats" | "console", "name": NAME}
 *  {"verb": "log", "name": NAME, "follow": BOOL}   without a name: the hypervisor's log
 *  {"verb": "type", "text": TEXT}                  after "console": input for that guest
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

#define REQUEST_LINE_MAX   4096u /* bytes, with the newline */
#define REQUEST_TEXT_MAX   1024u
#define REQUEST_ERROR_SIZE 96u

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
};

struct request {
	enum request_verb verb;
	char name[CONFIG_NAME_SIZE]; /* empty: none given */
	bool follow;
	char text[REQUEST_TEXT_MAX]; /* decoded bytes */
	size_t text_size;
};

/** Decodes one line without its newline. Returns 0, or -1 with a reason in error and *ret_request
 * untouched. */
int request_parse(const char *line, size_t size, struct request *ret_request,
		  char error[REQUEST_ERROR_SIZE]);

#endif
