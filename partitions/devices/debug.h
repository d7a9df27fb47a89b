/* SPDX-License-Identifier: Apache-2.0 */
/** Messages of a back end on standard error, and the flags of `--debug part.flag`. */
#ifndef BH_DEVICES_DEBUG_H
#define BH_DEVICES_DEBUG_H

#include <stdbool.h>

enum debug_flag {
	DEBUG_VHOST_MSG,    /* vhost.msg: each vhost-user message */
	DEBUG_DEVICE_QUEUE, /* device.queue: each request of the guest */
	DEBUG_DEVICE_HOST,  /* device.host: what comes from and goes to the host's side */
	DEBUG_FLAG_COUNT,
};

/** Name that starts each message. A string with static lifetime. */
void debug_init(const char *name);

/** Switches the flag named by `part.flag` on. False when there is none of that name. */
bool debug_enable(const char *text);

bool debug_enabled(enum debug_flag flag);

/** Prints one line for a person: what went wrong or is worth knowing. */
void debug_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Prints one line when the flag is on. */
void debug_trace(enum debug_flag flag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** All names, for the help text, separated by blanks. */
const char *debug_names(void);

#endif
