/* SPDX-License-Identifier: Apache-2.0 */
/** What a guest prints: kept in a ring and in /run/bulkhead/NAME.log (bounded), searched for marked
 * lines. */
#ifndef MANAGER_CONSOLE_H
#define MANAGER_CONSOLE_H

#include <stddef.h>
#include "ring.h"

#define CONSOLE_MARK	   "BULKHEAD-" /* a line that begins so is meant for us, or for a test */
#define CONSOLE_LINE	   64u
#define CONSOLE_MARKED_MAX 1000u   /* such lines of one start; a guest must not flood our console */
#define CONSOLE_FILE_MAX   262144u /* bytes; then it becomes NAME.log.1 and a new one begins */
#define CONSOLE_SOURCES	   2u	   /* virtio console and serial port, each with its own lines */

struct console {
	struct ring ring;
	char path[128];
	int fd; /* log file, -1: none */
	size_t file_size;
	struct {
		char line[CONSOLE_LINE]; /* its beginning */
		size_t size;		 /* of the whole line so far */
	} source[CONSOLE_SOURCES];
	unsigned int marked_left;
	/** Called with each marked line: printable ASCII, cut to CONSOLE_LINE - 1 characters. */
	void (*marked)(void *data, const char *line);
	void *data;
};

/** Starts a log file in `directory`; without one the ring alone keeps the text. */
void console_init(struct console *console, const char *directory, const char *name);
void console_fini(struct console *console);
/** Text from one source. */
void console_write(struct console *console, unsigned int source, const char *text, size_t size);
/** A guest starts anew: half lines are dropped, marked lines count anew. */
void console_restart(struct console *console);

#endif
