/* SPDX-License-Identifier: Apache-2.0 */
/** Answers of the daemon as JSON objects, owned by the caller (json_object_put). */
#ifndef MANAGER_REPLY_H
#define MANAGER_REPLY_H

#include <json-c/json.h>
#include "part.h"

struct json_object *reply_ok(void);
struct json_object *reply_error(const char *error);
/** "partitions": name, id, title, state, reason, memory (bytes), uptime_ms, ready, hypervisor
 * state. */
struct json_object *reply_list(const struct part *parts, unsigned int count,
			       bool (*may_see)(const void *who, uint32_t id), const void *who);
/** "vcpus": run_tsc, root_tsc, switches, injected, exits by kind; "tsc_khz". Or an error. */
struct json_object *reply_stats(uint32_t id, const char *name);
/** "text", encoded; "more": false if this was the last of it for now. */
struct json_object *reply_text(const char *bytes, size_t size, bool more);

#endif
