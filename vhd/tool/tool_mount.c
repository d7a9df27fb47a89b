/* SPDX-License-Identifier: Apache-2.0 */
/* mount and umount: the files of a disk that no guest uses, as an ordinary folder. A process stays
 * behind for each mount; it ends when the folder is unmounted, by whomever. */
#define _GNU_SOURCE

#include "tool_browse.h"
#include "tool_busy.h"
#include "tool_disk.h"
#include "tool_mounts.h"
#include "tool_serve.h"
#include "tool_size.h"
#include "tool_spawn.h"
#include "tool_verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_MS 200u
#define END_MS	15000u

static struct {
	int64_t partition;
	bool writable;
} opt = {.partition = -1};

const struct tool_option tool_mount_options[] = {
	{"partition", TOOL_NUMBER, &opt.partition, "N",
	 "which one; default: the largest that can be read"},
	{"writable-throw-away", TOOL_FLAG, &opt.writable, NULL,
	 "can be written; all that is written is gone at the end"},
	{0},
};

/* What the keeper tells the one who started it. */
struct answer {
	int rc;
	char text[sizeof(((struct why *)0)->text)];
};

static int show_one(void *context, const struct tool_mount *mount)
{
	struct tool *tool = context;
	struct json_object *object = json_object_new_object(), *mounts;

	json_object_object_get_ex(tool->result, "mounts", &mounts);
	tool_add_text(object, "disk", mount->disk);
	tool_add_text(object, "folder", mount->folder);
	tool_add_text(object, "content", mount->content);
	tool_add_number(object, "partition", mount->partition);
	tool_add_flag(object, "writable", mount->writable);
	json_object_array_add(mounts, object);
	tool_print(tool, "%s on %s (%s%s)", mount->disk, mount->folder, mount->content,
		   mount->writable ? ", writes are thrown away" : ", read-only");
	return 0;
}

static int show_all(struct tool *tool)
{
	json_object_object_add(tool->result, "mounts", json_object_new_array());
	return tool_mounts_list(show_one, tool);
}

/* Stays until the folder is unmounted or a signal asks to end. */
static void keep(struct tool_serve *serve)
{
	while (tool_spawn_is_alive(&serve->driver) && !tool_interrupted()) {
		tool_spawn_sleep(LOOK_MS);
	}
	(void)!tool_serve_stop(serve, true);
}

static void keeper(struct tool *tool, const struct tool_serve_options *options,
		   const struct tool_mount *mount, int answer_fd)
{
	struct answer answer = {0};
	struct tool_serve serve;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	(void)!chdir("/");
	dup2(nothing, STDIN_FILENO);
	dup2(nothing, STDOUT_FILENO);
	dup2(nothing, STDERR_FILENO);
	answer.rc = tool_mounts_write(mount);
	answer.rc = answer.rc ? answer.rc : tool_serve_start(tool, options, &serve);
	if (options->secret->size) {
		explicit_bzero(options->secret->bytes, options->secret->size);
	}
	snprintf(answer.text, sizeof(answer.text), "%s", tool->why.text);
	(void)!write(answer_fd, &answer, sizeof(answer));
	close(answer_fd);
	if (answer.rc == 0) {
		keep(&serve);
	}
	if (mount->made_folder) {
		(void)rmdir(mount->folder);
	}
	tool_mounts_remove(mount->state);
}

static int start_keeper(struct tool *tool, const struct tool_serve_options *options,
			const struct tool_mount *mount)
{
	struct answer answer = {.rc = -EIO};
	int ends[2];
	pid_t pid;
	ssize_t size;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		keeper(tool, options, mount, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	do {
		size = pid < 0 ? 0 : read(ends[0], &answer, sizeof(answer));
		if (size < 0 && errno == EINTR) {
			kill(pid, SIGTERM);
		}
	} while (size < 0 && errno == EINTR);
	close(ends[0]);
	if (size != sizeof(answer)) {
		answer.rc = -EIO;
	} else if (answer.rc < 0) {
		why_set(&tool->why, answer.rc, "%s", answer.text);
	}
	return answer.rc;
}

/* The folder must be empty; a missing one is made. */
static int prepare_folder(struct tool *tool, const char *path, struct tool_mount *mount)
{
	if (mkdir(path, 0700) == 0) {
		mount->made_folder = true;
	} else if (errno != EEXIST) {
		return tool_fail(tool, -errno, path);
	}
	if (!realpath(path, mount->folder)) {
		return tool_fail(tool, -errno, path);
	}
	if (!mount->made_folder) {
		char text[PATH_MAX];

		/* Removing and making it again shows at once that it is an empty folder. */
		snprintf(text, sizeof(text), "%s", mount->folder);
		if (tool_serve_is_mounted(text)) {
			return tool_fail_exit(tool, TOOL_IN_USE, "%s: something is mounted there",
					      path);
		}
		if (rmdir(text) < 0 || mkdir(text, 0700) < 0) {
			return tool_fail_exit(tool, TOOL_FAILED,
					      "%s: not an empty folder; name another one", path);
		}
	}
	return TOOL_OK;
}

static void show(struct tool *tool, const struct tool_mount *mount)
{
	tool_add_text(tool->result, "disk", mount->disk);
	tool_add_text(tool->result, "folder", mount->folder);
	tool_add_text(tool->result, "content", mount->content);
	tool_add_number(tool->result, "partition", mount->partition);
	tool_add_flag(tool->result, "writable", mount->writable);
	tool_print(tool, "%s: %s%s", mount->folder, mount->content,
		   mount->writable ? "; what is written is thrown away at the end" : ", read-only");
	tool_note(tool, "`bulkhead vhd umount %s` ends it", mount->folder);
}

static int mount_disk(struct tool *tool, struct tool_disk *disk, const char *path,
		      struct tool_mount *mount)
{
	struct tool_partition partition;
	struct tool_serve_options options = {
		.disk = mount->disk,
		.secret = &disk->secret,
		.partition = &partition,
		.folder = mount->folder,
		.state = mount->state,
		.writable = opt.writable,
	};
	int rc, code = tool_browse_choose(tool, disk, opt.partition, &partition);

	if (code) {
		return code;
	}
	/* The server opens the disk itself; ours would only be in its way. */
	rc = layer_close(disk->top);
	disk->top = NULL;
	code = rc < 0 ? tool_fail(tool, rc, disk->name) : prepare_folder(tool, path, mount);
	if (code) {
		return code;
	}
	snprintf(mount->content, sizeof(mount->content), "%s", partition.content);
	mount->partition = partition.number;
	mount->writable = opt.writable;
	rc = tool_mounts_make(mount->state, &tool->why);
	rc = rc ? rc : start_keeper(tool, &options, mount);
	if (rc < 0) {
		return tool_fail(tool, rc, disk->name);
	}
	show(tool, mount);
	return TOOL_OK;
}

int tool_mount(struct tool *tool, char **arguments, unsigned count)
{
	struct tool_mount *mount = calloc(1, sizeof(*mount));
	struct tool_disk disk;
	int code;

	if (count == 0) {
		free(mount);
		return show_all(tool);
	}
	if (count == 1 || !mount) {
		free(mount);
		return tool_fail_usage(tool, "say where: bulkhead vhd mount %s FOLDER",
				       arguments[0]);
	}
	if (!realpath(arguments[0], mount->disk)) {
		free(mount);
		return tool_fail(tool, -errno, arguments[0]);
	}
	code = tool_browse_open(tool, arguments[0], &disk);
	if (!code) {
		code = mount_disk(tool, &disk, arguments[1], mount);
		if (code && mount->made_folder) {
			(void)rmdir(mount->folder);
		}
		code = tool_disk_close(tool, &disk, code);
	}
	free(mount);
	return code;
}

struct search {
	const char *path;
	struct tool_mount found;
};

static int match(void *context, const struct tool_mount *mount)
{
	struct search *search = context;

	if (!strcmp(mount->folder, search->path) || !strcmp(mount->disk, search->path)) {
		search->found = *mount;
		return 1;
	}
	return 0;
}

static int unmount(struct tool *tool, const struct tool_mount *mount)
{
	char record[PATH_MAX + 16], who[256];
	int rc = tool_serve_unmount(mount->folder, false);

	if (rc == -EBUSY) {
		tool_busy_who(mount->folder, who, sizeof(who));
		return tool_fail_exit(tool, TOOL_IN_USE,
				      "%s is in use by %s; leave it there and try again",
				      mount->folder, *who ? who : "a program of somebody else");
	}
	if (rc < 0 && rc != -EINVAL) { /* -EINVAL: it has ended by itself just now */
		return tool_fail(tool, rc, mount->folder);
	}
	snprintf(record, sizeof(record), "%s/mount.json", mount->state);
	for (unsigned waited = 0; !access(record, F_OK) && waited < END_MS; waited += LOOK_MS / 4) {
		tool_spawn_sleep(LOOK_MS / 4);
	}
	tool_add_text(tool->result, "folder", mount->folder);
	tool_add_text(tool->result, "disk", mount->disk);
	tool_print(tool, "%s: unmounted", mount->folder);
	return TOOL_OK;
}

int tool_umount(struct tool *tool, char **arguments, unsigned count)
{
	struct search *search = calloc(1, sizeof(*search));
	char path[PATH_MAX];
	int code;

	(void)count;
	if (!search) {
		return tool_fail(tool, -ENOMEM, NULL);
	}
	search->path = path;
	/* A folder whose driver died has no real path; take what was typed. */
	if (!realpath(arguments[0], path)) {
		snprintf(path, sizeof(path), "%s", arguments[0]);
	}
	if (tool_mounts_list(match, search)) {
		code = unmount(tool, &search->found);
	} else {
		code = tool_fail_exit(tool, TOOL_FAILED,
				      "%s is no mount of bulkhead vhd; `bulkhead vhd mount` lists "
				      "them",
				      arguments[0]);
	}
	free(search);
	return code;
}
