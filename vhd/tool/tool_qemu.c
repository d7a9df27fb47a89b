/* SPDX-License-Identifier: Apache-2.0 */
/* qemu's block drivers at arm's length. */
#define _GNU_SOURCE

#include "tool_qemu.h"

#include "tool_confine.h"
#include "tool_find.h"
#include "tool_nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define QEMU_MEMORY (2ull << 30) /* address space; a hostile table must not take the machine's */
#define SAID_MAX    400

/* The command line of a confined program: this one first, with the verb "confined". */
struct confined_line {
	char self[PATH_MAX], path[PATH_MAX], options[2 * PATH_MAX + 128], memory[24], said_fd[16];
	char program[PATH_MAX];
	char *argv[24];
	unsigned count;
	int said; /* what it prints on stderr */
};

static void add(struct confined_line *line, const char *word)
{
	line->argv[line->count++] = (char *)(uintptr_t)word;
	line->argv[line->count] = NULL;
}

static int begin_line(struct tool *tool, struct confined_line *line, const char *program,
		      const char *path, bool write)
{
	ssize_t size = readlink("/proc/self/exe", line->self, sizeof(line->self) - 1);

	if (size < 0 || !realpath(path, line->path)) {
		return -errno;
	}
	line->self[size] = '\0';
	if (!tool_find_program(program, line->program)) {
		return why_set(&tool->why, -EOPNOTSUPP,
			       "%s is not here; install it (Debian: qemu-utils)", program);
	}
	line->said = memfd_create("said", 0);
	if (line->said < 0) {
		return -errno;
	}
	snprintf(line->memory, sizeof(line->memory), "%" PRIu64, (uint64_t)QEMU_MEMORY);
	snprintf(line->said_fd, sizeof(line->said_fd), "%d", line->said);
	add(line, line->self);
	add(line, "confined");
	add(line, "--memory");
	add(line, line->memory);
	add(line, "--stderr");
	add(line, line->said_fd);
	add(line, write ? "--write" : "--read");
	add(line, line->path);
	add(line, line->program);
	return 0;
}

/* Puts the first line of what the program printed into `why`, and closes. */
static int end_line(struct tool *tool, struct confined_line *line, int rc)
{
	char said[SAID_MAX + 1] = "", quoted[SAID_MAX + 1];
	ssize_t size = rc < 0 && line->said >= 0 ? pread(line->said, said, SAID_MAX, 0) : 0;

	if (size > 0) {
		said[strcspn(said, "\n")] = '\0';
		tool->why.text[0] = '\0';
		why_set(&tool->why, rc, "qemu refuses it: %s",
			why_quote(quoted, sizeof(quoted), said));
	}
	if (line->said >= 0) {
		close(line->said);
	}
	return rc;
}

/* In an option string, a comma in a file name is doubled. */
static void escape(const char *path, char *ret_text)
{
	for (; *path; path++) {
		if (*path == ',') {
			*ret_text++ = ',';
		}
		*ret_text++ = *path;
	}
	*ret_text = '\0';
}

int tool_qemu_open(struct tool *tool, const char *path, enum tool_format format, bool write,
		   struct layer **ret_layer)
{
	struct confined_line *line = calloc(1, sizeof(*line));
	int rc;

	if (!line) {
		return -ENOMEM;
	}
	line->said = -1;
	rc = begin_line(tool, line, "qemu-nbd", path, write);
	if (!rc) {
		int used = snprintf(line->options, 128,
				    "driver=%s,file.driver=file,"
				    "file.locking=off,file.filename=",
				    tool_format_qemu_name(format));

		escape(line->path, line->options + used);
		if (!write) {
			add(line, "--read-only");
		}
		add(line, "--image-opts");
		add(line, line->options);
		rc = tool_nbd_open(line->argv, write, ret_layer, &tool->why);
	}
	rc = end_line(tool, line, rc);
	free(line);
	return rc;
}

int tool_qemu_create(struct tool *tool, const char *path, enum tool_format format, uint64_t size)
{
	struct confined_line *line = calloc(1, sizeof(*line));
	char bytes[24];
	int rc, status = 0;
	pid_t pid;

	if (!line) {
		return -ENOMEM;
	}
	line->said = -1;
	rc = begin_line(tool, line, "qemu-img", path, true);
	if (!rc) {
		snprintf(bytes, sizeof(bytes), "%" PRIu64, size);
		add(line, "create");
		add(line, "-q");
		add(line, "-f");
		add(line, tool_format_qemu_name(format));
		add(line, line->path);
		add(line, bytes);
		pid = fork();
		if (pid == 0) {
			execv(line->argv[0], line->argv);
			_exit(127);
		}
		rc = pid < 0 || waitpid(pid, &status, 0) < 0 ? -errno : status ? -EIO : 0;
	}
	rc = end_line(tool, line, rc);
	free(line);
	return rc;
}

int tool_confined(char **arguments)
{
	struct tool_confine confine = {.cpu_seconds = 0};
	unsigned reads = 0, writes = 0;
	int rc;

	for (; arguments[0] && arguments[1] && !strncmp(arguments[0], "--", 2); arguments += 2) {
		const char *value = arguments[1];

		if (!strcmp(arguments[0], "--read") && reads < TOOL_CONFINE_PATHS) {
			confine.read[reads++] = value;
		} else if (!strcmp(arguments[0], "--write") && writes < TOOL_CONFINE_PATHS) {
			confine.write[writes++] = value;
		} else if (!strcmp(arguments[0], "--memory")) {
			confine.memory = strtoull(value, NULL, 10);
		} else if (!strcmp(arguments[0], "--stderr")) {
			dup2(atoi(value), STDERR_FILENO);
		}
	}
	if (!arguments[0]) {
		return TOOL_USAGE;
	}
	rc = tool_confine_enter(&confine, arguments[0]);
	if (rc < 0) {
		/* Hostile bytes are not read without it. */
		fprintf(stderr, "cannot confine %s: %s\n", arguments[0],
			rc == -EOPNOTSUPP ? "this kernel lacks Landlock" : strerror(-rc));
		return TOOL_FAILED;
	}
	execv(arguments[0], arguments);
	fprintf(stderr, "cannot run %s: %s\n", arguments[0], strerror(errno));
	return TOOL_FAILED;
}
