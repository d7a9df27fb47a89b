/* SPDX-License-Identifier: Apache-2.0 */
/** Log lines of the daemon. */
#define _GNU_SOURCE
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void say(const char *format, ...)
{
	char line[512] = "bulkheadd: ";
	size_t used = strlen(line);
	va_list args;
	int more;

	va_start(args, format);
	more = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
	va_end(args);
	if (more < 0) {
		return;
	}
	used += (size_t)more;
	used = used > sizeof(line) - 2 ? sizeof(line) - 2 : used;
	line[used++] = '\n';
	if (write(STDOUT_FILENO, line, used) < 0) {
		return; /* no console: nobody to tell */
	}
}

void say_guest(const char *name, const char *line)
{
	char text[160];
	int used = snprintf(text, sizeof(text), "%s: %s\n", name, line);

	if (used < 0 || (size_t)used >= sizeof(text) ||
	    write(STDOUT_FILENO, text, (size_t)used) < 0) {
		return;
	}
}
