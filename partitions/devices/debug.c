/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the debug flags and the form of a message. One message is one write, so that the lines of
 * several back ends on one terminal do not mix. */
#include "debug.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const names[DEBUG_FLAG_COUNT] = {
	[DEBUG_VHOST_MSG] = "vhost.msg",
	[DEBUG_DEVICE_QUEUE] = "device.queue",
	[DEBUG_DEVICE_HOST] = "device.host",
};

static const char *program = "bulkhead-device";
static bool enabled[DEBUG_FLAG_COUNT];

void debug_init(const char *name)
{
	program = name;
}

bool debug_enable(const char *text)
{
	for (unsigned i = 0; i < DEBUG_FLAG_COUNT; i++) {
		if (!strcmp(text, names[i])) {
			enabled[i] = true;
			return true;
		}
	}
	return false;
}

bool debug_enabled(enum debug_flag flag)
{
	return enabled[flag];
}

const char *debug_names(void)
{
	return "vhost.msg device.queue device.host";
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list args)
{
	char line[512];
	int used = snprintf(line, sizeof(line), "%s: ", program);
	int more = vsnprintf(line + used, sizeof(line) - (size_t)used - 1, format, args);
	size_t size = strlen(line);

	if (more < 0) {
		return;
	}
	line[size++] = '\n';
	if (write(STDERR_FILENO, line, size) < 0) {
		return; /* nobody listens */
	}
}

void debug_say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(format, args);
	va_end(args);
}

void debug_trace(enum debug_flag flag, const char *format, ...)
{
	va_list args;

	if (!enabled[flag]) {
		return;
	}
	va_start(args, format);
	say(format, args);
	va_end(args);
}
