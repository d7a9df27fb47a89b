/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from the terminal, a file or a descriptor. */
#define _GNU_SOURCE

#include "tool_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static int make_room(struct tool_secret *ret_secret)
{
	void *room = mmap(NULL, TOOL_SECRET_MAX, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED) {
		return -ENOMEM;
	}
	/* A small limit of locked memory must not keep people from their disk. */
	(void)mlock(room, TOOL_SECRET_MAX);
	(void)madvise(room, TOOL_SECRET_MAX, MADV_DONTDUMP);
	ret_secret->bytes = room;
	ret_secret->size = 0;
	return 0;
}

void tool_secret_wipe(struct tool_secret *secret)
{
	if (secret->bytes) {
		explicit_bzero(secret->bytes, TOOL_SECRET_MAX);
		munmap(secret->bytes, TOOL_SECRET_MAX);
	}
	secret->bytes = NULL;
	secret->size = 0;
}

/* Byte by byte, so that the same descriptor can hold another secret after the newline. */
static int read_line(int fd, bool stop_at_newline, struct tool_secret *secret)
{
	char byte;

	for (;;) {
		ssize_t got = read(fd, &byte, 1);

		if (got < 0) {
			return -errno;
		}
		if (got == 0 || (byte == '\n' && stop_at_newline)) {
			return 0;
		}
		if (secret->size == TOOL_SECRET_MAX) {
			return -E2BIG;
		}
		secret->bytes[secret->size++] = byte;
	}
}

static int read_file(struct tool *tool, const char *path, struct tool_secret *secret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int rc;

	if (fd < 0) {
		rc = -errno;
		return why_set(&tool->why, rc, "cannot read the secret file: %s", strerror(-rc));
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077)) {
		tool_note(tool, "note: other users may read %s; chmod 600 keeps it secret", path);
	}
	rc = read_line(fd, false, secret);
	close(fd);
	if (!rc && secret->size && secret->bytes[secret->size - 1] == '\n') {
		secret->size--;
	}
	return rc;
}

/* One line from the terminal without echo; the terminal is as before when this returns. */
static int ask_once(int tty, const char *prompt, struct tool_secret *secret)
{
	struct termios before, silent;
	int rc;

	if (tcgetattr(tty, &before) < 0) {
		return -errno;
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	dprintf(tty, "%s: ", prompt);
	if (tcsetattr(tty, TCSAFLUSH, &silent) < 0) {
		return -errno;
	}
	rc = read_line(tty, true, secret);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	dprintf(tty, "\n");
	return rc;
}

static int ask_again(struct tool *tool, int tty, const struct tool_secret *secret)
{
	struct tool_secret second = {0};
	int rc = make_room(&second);

	if (rc < 0) {
		return rc;
	}
	rc = ask_once(tty, "Once more", &second);
	if (!rc && (second.size != secret->size ||
		    memcmp(second.bytes, secret->bytes, secret->size) != 0)) {
		rc = why_set(&tool->why, -ENOKEY, "the two are not the same; try again");
	}
	tool_secret_wipe(&second);
	return rc;
}

static int ask(struct tool *tool, const struct tool_secret_source *source,
	       struct tool_secret *secret)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
	int rc;

	if (tty < 0) {
		return why_set(&tool->why, -ENOKEY,
			       "no terminal to ask for the %s on; give --secret-file FILE or "
			       "--secret-fd N",
			       source->prompt);
	}
	rc = ask_once(tty, source->prompt, secret);
	if (!rc && source->is_new && secret->size) {
		rc = ask_again(tool, tty, secret);
	}
	close(tty);
	return rc;
}

int tool_secret_read(struct tool *tool, const struct tool_secret_source *source,
		     struct tool_secret *ret_secret)
{
	struct tool_secret secret = {0};
	int rc = make_room(&secret);

	if (rc < 0) {
		return rc;
	}
	if (source->file) {
		rc = read_file(tool, source->file, &secret);
	} else if (source->fd >= 0) {
		rc = read_line((int)source->fd, true, &secret);
	} else {
		rc = ask(tool, source, &secret);
	}
	if (rc == -E2BIG) {
		why_set(&tool->why, rc, "a secret has at most %u bytes", TOOL_SECRET_MAX);
	}
	if (!rc && !secret.size) {
		rc = why_set(&tool->why, -ENOKEY, "an empty %s opens nothing", source->prompt);
	}
	if (rc < 0) {
		tool_secret_wipe(&secret);
		return rc;
	}
	*ret_secret = secret;
	return 0;
}

int tool_secret_get(struct tool *tool, const char *prompt, bool is_new,
		    struct tool_secret *ret_secret)
{
	const struct tool_secret_source source = {
		.file = tool->secret_file,
		.fd = tool->secret_fd,
		.prompt = prompt,
		.is_new = is_new,
	};

	return tool_secret_read(tool, &source, ret_secret);
}

int tool_secret_copy(const void *bytes, size_t size, struct tool_secret *ret_secret)
{
	struct tool_secret secret = {0};
	int rc = size > TOOL_SECRET_MAX ? -E2BIG : make_room(&secret);

	if (rc < 0) {
		return rc;
	}
	memcpy(secret.bytes, bytes, size);
	secret.size = size;
	*ret_secret = secret;
	return 0;
}

bool tool_secret_is_asked(const struct tool *tool)
{
	return !tool->token_helper && !tool->secret_file && tool->secret_fd < 0;
}
