/* SPDX-License-Identifier: Apache-2.0 */
/** Console output of one guest. */
#define _GNU_SOURCE
#include "console.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void console_open(struct console *console)
{
	console->fd =
		open(console->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	console->file_size = 0;
}

void console_init(struct console *console, const char *directory, const char *name)
{
	memset(console, 0, sizeof(*console));
	snprintf(console->path, sizeof(console->path), "%s/%s.log", directory, name);
	console_open(console);
	console_restart(console);
}

void console_fini(struct console *console)
{
	if (console->fd >= 0) {
		close(console->fd);
		console->fd = -1;
	}
}

static void console_write_file(struct console *console, const char *text, size_t size)
{
	if (console->fd < 0) {
		return;
	}
	if (console->file_size + size > CONSOLE_FILE_MAX) {
		char old[sizeof(console->path) + 2];

		snprintf(old, sizeof(old), "%s.1", console->path);
		close(console->fd);
		rename(console->path, old);
		console_open(console);
	}
	if (console->fd >= 0 && write(console->fd, text, size) < 0) {
		close(console->fd); /* no room: the ring goes on */
		console->fd = -1;
	}
	console->file_size += size;
}

static void console_end_line(struct console *console, const char *line, size_t size)
{
	const size_t length = strlen(CONSOLE_MARK);
	char text[CONSOLE_LINE];
	size_t i;

	if (size < length || memcmp(line, CONSOLE_MARK, length) || console->marked_left == 0) {
		return;
	}
	console->marked_left--;
	for (i = 0; i < size && i < sizeof(text) - 1; i++) {
		text[i] = line[i] < 0x20 || line[i] > 0x7e ? '?' : line[i];
	}
	text[i] = 0;
	if (console->marked) {
		console->marked(console->data, text);
	}
}

void console_write(struct console *console, unsigned int source, const char *text, size_t size)
{
	char *line = console->source[source].line;
	size_t *used = &console->source[source].size;

	ring_write(&console->ring, text, size);
	console_write_file(console, text, size);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			console_end_line(console, line, *used);
			*used = 0;
		} else if (text[i] != '\r') {
			if (*used < CONSOLE_LINE) {
				line[*used] = text[i];
			}
			*used += 1;
		}
	}
}

void console_restart(struct console *console)
{
	for (unsigned int i = 0; i < CONSOLE_SOURCES; i++) {
		console->source[i].size = 0;
	}
	console->marked_left = CONSOLE_MARKED_MAX;
}
