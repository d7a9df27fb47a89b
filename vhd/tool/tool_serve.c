/* SPDX-License-Identifier: Apache-2.0 */
/* nbdkit, nbdfuse and a FUSE driver in a row. */
#define _GNU_SOURCE

#include "tool_serve.h"

#include "tool_find.h"
#include "tool_spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLUGIN	  "nbdkit-bulkheadvhd-plugin.so"
#define START_MS  30000u /* opening a key slot takes seconds on a slow machine */
#define STOP_MS	  5000u
#define STEP_MS	  20u
#define WORDS_MAX 24u

/* File systems and what reads them. The options end with the ones for read-only. */
static const struct {
	const char *content, *program, *package;
	const char *before[3]; /* words before the file and the folder */
	const char *options;   /* after -o */
	const char *read_only; /* more of them */
} drivers[] = {
	{"ext2", "fuse2fs", "fuse2fs", {"-f"}, "fakeroot", "ro,norecovery"},
	{"ext3", "fuse2fs", "fuse2fs", {"-f"}, "fakeroot", "ro,norecovery"},
	{"ext4", "fuse2fs", "fuse2fs", {"-f"}, "fakeroot", "ro,norecovery"},
	{"ntfs", "ntfs-3g", "ntfs-3g", {NULL}, "no_detach,noatime", "ro"},
	{"vfat", "fusefat", "fusefat", {"-f"}, "fsname=vfat", "ro"},
};
#define DRIVER_COUNT (sizeof(drivers) / sizeof(drivers[0]))

static const struct {
	const char *content, *why;
} unreadable[] = {
	{"bitlocker", "it is encrypted by BitLocker inside; start the desktop to read it"},
	{"luks", "it is encrypted by LUKS inside; start the desktop to read it"},
	{"lvm", "it belongs to a volume group; start the desktop to read it"},
	{"exfat", "the driver for exfat in Debian takes block devices only; start the desktop to "
		  "read it"},
	{"swap", "it is swap space and holds no files"},
	{"xfs", "no user-space driver for xfs is in Debian; start the desktop to read it"},
	{"btrfs", "no user-space driver for btrfs is in Debian; start the desktop to read it"},
	{"", "no file system that is known here"},
};

static int find_driver(const char *content)
{
	for (size_t i = 0; i < DRIVER_COUNT; i++) {
		if (!strcmp(drivers[i].content, content)) {
			return (int)i;
		}
	}
	return -1;
}

const char *tool_serve_why_not(const char *content)
{
	static char text[160];
	char path[PATH_MAX];
	int driver = find_driver(content);

	for (size_t i = 0; i < sizeof(unreadable) / sizeof(unreadable[0]); i++) {
		if (!strcmp(unreadable[i].content, content)) {
			return unreadable[i].why;
		}
	}
	if (driver < 0) {
		snprintf(text, sizeof(text), "nothing here reads %s", content);
		return text;
	}
	if (!tool_find_program(drivers[driver].program, path)) {
		snprintf(text, sizeof(text),
			 "%s is read by %s, which is not here; install it "
			 "(Debian: %s)",
			 content, drivers[driver].program, drivers[driver].package);
		return text;
	}
	return NULL;
}

bool tool_serve_is_mounted(const char *folder)
{
	char parent[PATH_MAX + 4];
	struct stat here, above;

	snprintf(parent, sizeof(parent), "%s/..", folder);
	/* A folder whose driver died cannot be asked. */
	if (stat(folder, &here) < 0) {
		return errno == ENOTCONN;
	}
	return stat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

int tool_serve_unmount(const char *folder, bool lazy)
{
	char program[PATH_MAX];
	pid_t pid;
	int status;

	if (!tool_serve_is_mounted(folder)) {
		return -EINVAL;
	}
	if (umount2(folder, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0) {
		return 0;
	}
	if (errno == EBUSY && !lazy) {
		return -EBUSY;
	}
	if (!tool_find_program("fusermount3", program)) {
		return -EPERM;
	}
	pid = fork();
	if (pid == 0) {
		int nothing = open("/dev/null", O_WRONLY);

		dup2(nothing, STDERR_FILENO);
		execl(program, "fusermount3", lazy ? "-uz" : "-u", "--", folder, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		return -errno;
	}
	return status ? -EBUSY : 0;
}

/* A command line; paths are copied into it. */
struct words {
	char text[8][2 * PATH_MAX];
	unsigned texts, count;
	char *argv[WORDS_MAX + 1];
};

static void add(struct words *words, const char *word)
{
	if (words->count < WORDS_MAX) {
		words->argv[words->count++] = (char *)(uintptr_t)word;
		words->argv[words->count] = NULL;
	}
}

__attribute__((format(printf, 2, 3))) static void add_text(struct words *words, const char *format,
							   ...)
{
	char *text = words->text[words->texts++];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(words->text[0]), format, list);
	va_end(list);
	add(words, text);
}

static int need_program(struct tool *tool, const char *name, const char *package, char *ret_path)
{
	return tool_find_program(name, ret_path)
		       ? 0
		       : why_set(&tool->why, -EOPNOTSUPP, "%s is not here; install it (Debian: %s)",
				 name, package);
}

/* The secret travels in a pipe that only the server reads. */
static int secret_pipe(const struct tool_secret *secret)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	/* A secret is smaller than a pipe. */
	if (write(ends[1], secret->bytes, secret->size) != (ssize_t)secret->size) {
		close(ends[0]);
		ends[0] = -EIO;
	}
	close(ends[1]);
	return ends[0];
}

static bool can_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	good = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	if (fd >= 0) {
		close(fd);
	}
	return good;
}

static bool file_is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_size > 0;
}

/* Waits until `ready(path)`; -EINTR, -ETIMEDOUT, -EIO when the process has ended. */
static int wait_ready(bool (*ready)(const char *), const char *path, pid_t *pid)
{
	for (unsigned waited = 0; waited < START_MS; waited += STEP_MS) {
		if (ready(path)) {
			return 0;
		}
		if (tool_interrupted()) {
			return -EINTR;
		}
		if (!tool_spawn_is_alive(pid)) {
			return ready(path) ? 0 : -EIO;
		}
		tool_spawn_sleep(STEP_MS);
	}
	return -ETIMEDOUT;
}

/* "WHAT: the last line of the log". */
static int explain(struct tool *tool, const struct tool_serve *serve, const char *what, int rc)
{
	char log[2048] = "", quoted[240], *line = log;
	off_t end = lseek(serve->log_fd, 0, SEEK_END);
	off_t from = end > (off_t)sizeof(log) - 1 ? end - (off_t)sizeof(log) + 1 : 0;
	ssize_t size = pread(serve->log_fd, log, sizeof(log) - 1, from);

	log[size > 0 ? size : 0] = '\0';
	for (size_t left = strlen(log); left && log[left - 1] == '\n'; left--) {
		log[left - 1] = '\0';
	}
	line = strrchr(log, '\n') ? strrchr(log, '\n') + 1 : log;
	tool->why.text[0] = '\0';
	return why_set(&tool->why, rc, "%s: %s", what,
		       rc == -ETIMEDOUT ? "it does not answer"
		       : *line		? why_quote(quoted, sizeof(quoted), line)
					: "it ended at once");
}

/* A journal is replayed into memory, also for a mount that is read-only. */
static bool is_written(const struct tool_serve_options *options)
{
	return options->writable || options->partition->needs_replay;
}

static int start_server(struct tool *tool, const struct tool_serve_options *options,
			struct tool_serve *serve)
{
	char program[PATH_MAX], plugin[PATH_MAX], socket_path[PATH_MAX + 16];
	struct words *words = calloc(1, sizeof(*words));
	int rc = words ? need_program(tool, "nbdkit", "nbdkit", program) : -ENOMEM, secret = -1;

	if (!rc && options->secret->size) {
		secret = secret_pipe(options->secret);
		rc = secret < 0 ? secret : 0;
	}
	if (!rc) {
		snprintf(socket_path, sizeof(socket_path), "%s/nbd.sock", options->state);
		add(words, program);
		add(words, "--foreground");
		add(words, "--exit-with-parent");
		add(words, "--unix");
		add(words, socket_path);
		if (options->partition->number) {
			add(words, "--filter=partition");
		}
		add(words, tool_find_beside("../nbdkit", PLUGIN, plugin) ? plugin : "bulkheadvhd");
		add_text(words, "file=%s", options->disk);
		if (secret >= 0) {
			add_text(words, "secret-file=/dev/fd/%d", secret);
		}
		add(words, is_written(options) ? "throw-away=true" : "read-only=true");
		if (options->partition->number) {
			add_text(words, "partition=%u", options->partition->number);
		}
		serve->server = tool_spawn(words->argv, serve->log_fd, secret);
		rc = serve->server < 0 ? (int)serve->server : 0;
		rc = rc ? rc : wait_ready(can_connect, socket_path, &serve->server);
		rc = rc == -EIO || rc == -ETIMEDOUT ? explain(tool, serve, "nbdkit", rc) : rc;
	}
	if (secret >= 0) {
		close(secret);
	}
	free(words);
	return rc;
}

static int start_fuse(struct tool *tool, const struct tool_serve_options *options,
		      struct tool_serve *serve)
{
	char program[PATH_MAX];
	struct words *words = calloc(1, sizeof(*words));
	int rc = words ? need_program(tool, "nbdfuse", "libnbd-bin", program) : -ENOMEM;

	if (!rc) {
		snprintf(serve->file, sizeof(serve->file), "%.4000s/disk", options->state);
		rc = mkdir(serve->file, 0700) < 0 && errno != EEXIST ? -errno : 0;
	}
	if (!rc) {
		add(words, program);
		if (!is_written(options)) {
			add(words, "--readonly");
		}
		add(words, serve->file);
		add(words, "--unix");
		add_text(words, "%s/nbd.sock", options->state);
		serve->fuse = tool_spawn(words->argv, serve->log_fd, -1);
		rc = serve->fuse < 0 ? (int)serve->fuse : 0;
		strcat(serve->file, "/nbd");
		rc = rc ? rc : wait_ready(file_is_there, serve->file, &serve->fuse);
		rc = rc == -EIO || rc == -ETIMEDOUT ? explain(tool, serve, "nbdfuse", rc) : rc;
	}
	free(words);
	return rc;
}

/* fuse2fs 1.47.0 crashes when it replays a journal; e2fsck does that alone, confined to the file.
 */
static int replay(struct tool *tool, const struct tool_serve_options *options,
		  struct tool_serve *serve)
{
	struct words *words = calloc(1, sizeof(*words));
	char program[PATH_MAX];
	int rc = words ? need_program(tool, "e2fsck", "e2fsprogs", program) : -ENOMEM;
	pid_t pid = 0;

	if (!rc) {
		add(words, "/proc/self/exe");
		add(words, "confined");
		add(words, "--write");
		add_text(words, "%s/disk", options->state);
		add(words, program);
		add(words, "-E");
		add(words, "journal_only");
		add(words, "-p");
		add(words, serve->file);
		pid = tool_spawn(words->argv, serve->log_fd, -1);
		rc = pid < 0 ? (int)pid : 0;
	}
	if (!rc && tool_spawn_code(pid) > 1) {
		rc = explain(tool, serve, "its journal cannot be replayed", -EIO);
	}
	free(words);
	return rc;
}

static int start_driver(struct tool *tool, const struct tool_serve_options *options,
			struct tool_serve *serve)
{
	int driver = find_driver(options->partition->content);
	struct words *words = calloc(1, sizeof(*words));
	char program[PATH_MAX];
	int rc = words && driver >= 0 ? 0 : -EOPNOTSUPP;

	rc = rc ? rc
		: need_program(tool, drivers[driver].program, drivers[driver].package, program);
	if (!rc) {
		add(words, program);
		for (unsigned i = 0; drivers[driver].before[i]; i++) {
			add(words, drivers[driver].before[i]);
		}
		add(words, "-o");
		add_text(words, "%s%s%s", drivers[driver].options, options->writable ? "" : ",",
			 options->writable ? "" : drivers[driver].read_only);
		add(words, serve->file);
		add(words, serve->folder);
		serve->driver = tool_spawn(words->argv, serve->log_fd, -1);
		rc = serve->driver < 0 ? (int)serve->driver : 0;
		rc = rc ? rc : wait_ready(tool_serve_is_mounted, serve->folder, &serve->driver);
		rc = rc == -EIO || rc == -ETIMEDOUT
			     ? explain(tool, serve, drivers[driver].program, rc)
			     : rc;
	}
	free(words);
	return rc;
}

int tool_serve_start(struct tool *tool, const struct tool_serve_options *options,
		     struct tool_serve *ret_serve)
{
	struct tool_serve serve = {.log_fd = -1};
	char log[PATH_MAX + 8];
	int rc = 0;

	snprintf(serve.state, sizeof(serve.state), "%s", options->state);
	snprintf(serve.folder, sizeof(serve.folder), "%s", options->folder);
	snprintf(log, sizeof(log), "%s/log", options->state);
	serve.log_fd = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	rc = serve.log_fd < 0 ? -errno : start_server(tool, options, &serve);
	rc = rc ? rc : start_fuse(tool, options, &serve);
	rc = rc || !options->partition->needs_replay ? rc : replay(tool, options, &serve);
	rc = rc ? rc : start_driver(tool, options, &serve);
	if (rc < 0) {
		(void)!tool_serve_stop(&serve, true);
		return rc;
	}
	*ret_serve = serve;
	return 0;
}

int tool_serve_stop(struct tool_serve *serve, bool force)
{
	static const char *const left[] = {"nbd.sock", "log"};
	char path[PATH_MAX + 16];
	int rc;

	rc = tool_serve_unmount(serve->folder, false);
	if (rc == -EBUSY && !force) {
		return rc;
	}
	if (rc == -EBUSY) {
		(void)!tool_serve_unmount(serve->folder, true);
	}
	/* From the top: each one still has what it stands on while it ends. */
	if (!tool_spawn_wait(&serve->driver, STOP_MS)) {
		tool_spawn_end(&serve->driver, STOP_MS);
	}
	snprintf(path, sizeof(path), "%s/disk", serve->state);
	if (tool_serve_unmount(path, false) == -EBUSY) {
		(void)!tool_serve_unmount(path, true);
	}
	if (!tool_spawn_wait(&serve->fuse, STOP_MS)) {
		tool_spawn_end(&serve->fuse, STOP_MS);
	}
	tool_spawn_end(&serve->server, STOP_MS);
	(void)rmdir(path);
	for (unsigned i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", serve->state, left[i]);
		(void)unlink(path);
	}
	if (serve->log_fd >= 0) {
		close(serve->log_fd);
		serve->log_fd = -1;
	}
	return 0;
}
