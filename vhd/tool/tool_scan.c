/* SPDX-License-Identifier: Apache-2.0 */
/* scan: clamscan over the files of a disk. All of it runs in namespaces of its own: mounts and
 * processes go when it ends, nothing has a network, and of the machine's files there are only the
 * programs, the image and the signatures. clamscan itself sees only the files of the disk. */
#define _GNU_SOURCE

#include "tool_browse.h"
#include "tool_find.h"
#include "tool_jail.h"
#include "tool_mounts.h"
#include "tool_root.h"
#include "tool_serve.h"
#include "tool_text.h"
#include "tool_verbs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATABASE       "/var/lib/clamav"
#define FINDING_MAX    10000u
#define CLAMSCAN_CLEAN 0
#define CLAMSCAN_FOUND 1

static struct {
	int64_t partition;
	const char *database;
} opt = {.partition = -1};

const struct tool_option tool_scan_options[] = {
	{"partition", TOOL_NUMBER, &opt.partition, "N",
	 "only this one; default: all that can be read"},
	{"database", TOOL_TEXT, &opt.database, "PATH",
	 "signatures for clamscan; default " DATABASE},
	{0},
};

struct scan {
	struct tool *tool;
	char disk[PATH_MAX], database[PATH_MAX], clamscan[PATH_MAX], self[PATH_MAX],
		state[PATH_MAX];
	const struct tool_secret *secret;
	struct tool_partition partitions[TOOL_PARTITION_MAX];
	unsigned count;
	unsigned found, unread;
};

/* A database is a file, or a folder with one in it. */
static bool has_signatures(const char *path)
{
	static const char *const ends[] = {".cvd", ".cld", ".hdb", ".hsb", ".ndb", ".ldb", ".mdb"};
	struct dirent *entry;
	struct stat st;
	bool found = false;
	DIR *dir;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		return stat(path, &st) == 0;
	}
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		const char *end = strrchr(entry->d_name, '.');

		for (size_t i = 0; end && i < sizeof(ends) / sizeof(ends[0]); i++) {
			found = found || !strcmp(end, ends[i]);
		}
	}
	if (dir) {
		closedir(dir);
	}
	return found;
}

static int prepare(struct tool *tool, const char *path, struct scan *scan)
{
	const char *database = opt.database ? opt.database : DATABASE;
	ssize_t size = readlink("/proc/self/exe", scan->self, sizeof(scan->self) - 1);

	if (size < 0 || !realpath(path, scan->disk)) {
		return tool_fail(tool, -errno, path);
	}
	if (!tool_find_program("clamscan", scan->clamscan)) {
		return tool_fail_exit(tool, TOOL_FAILED,
				      "clamscan is not here; install it (Debian: clamav)");
	}
	if (!has_signatures(database) || !realpath(database, scan->database)) {
		return tool_fail_exit(tool, TOOL_FAILED,
				      "no virus signatures in %s; run freshclam, or name them with "
				      "--database",
				      database);
	}
	return TOOL_OK;
}

/* Of "MOUNT/path: Name FOUND" the path inside the disk and the name. */
static bool parse_line(char *line, const char *mount, const char **ret_path, char **ret_name)
{
	size_t length = strlen(line), prefix = strlen(mount);
	char *colon;

	if (length < 7 || strcmp(line + length - 6, " FOUND") != 0 || length <= prefix ||
	    strncmp(line, mount, prefix) != 0) {
		return false;
	}
	line[length - 6] = '\0';
	colon = strrchr(line, ':');
	if (!colon || colon[1] != ' ') {
		return false;
	}
	*colon = '\0';
	*ret_path = line + prefix;
	*ret_name = colon + 2;
	return true;
}

static void add_finding(struct scan *scan, unsigned partition, const char *path, const char *name)
{
	struct json_object *object, *list;
	char clean[4096], clean_name[256];

	if (++scan->found > FINDING_MAX) {
		return;
	}
	object = json_object_new_object();
	json_object_object_get_ex(scan->tool->result, "findings", &list);
	tool_add_number(object, "partition", partition);
	tool_add_text(object, "path", path);
	tool_add_text(object, "signature", name);
	json_object_array_add(list, object);
	tool_text_clean(clean, sizeof(clean), path);
	tool_text_clean(clean_name, sizeof(clean_name), name);
	if (partition) {
		tool_print(scan->tool, "FOUND  partition %u: %s  (%s)", partition, clean,
			   clean_name);
	} else {
		tool_print(scan->tool, "FOUND  %s  (%s)", clean, clean_name);
	}
	fflush(stdout);
}

/* Runs clamscan, confined to what it reads; its lines come through a pipe. -errno, or its code. */
static int run_clamscan(struct scan *scan, const struct tool_partition *partition,
			const char *mount, const char *temporary)
{
	char database[PATH_MAX + 16], tempdir[PATH_MAX + 16], *line = NULL;
	char *argv[] = {scan->self,
			(char *)(uintptr_t) "confined",
			(char *)(uintptr_t) "--read",
			(char *)(uintptr_t)mount,
			(char *)(uintptr_t) "--read",
			scan->database,
			(char *)(uintptr_t) "--write",
			(char *)(uintptr_t)temporary,
			scan->clamscan,
			(char *)(uintptr_t) "--recursive",
			(char *)(uintptr_t) "--infected",
			(char *)(uintptr_t) "--no-summary",
			(char *)(uintptr_t) "--stdout",
			(char *)(uintptr_t) "--follow-dir-symlinks=0",
			(char *)(uintptr_t) "--follow-file-symlinks=0",
			database,
			tempdir,
			(char *)(uintptr_t)mount,
			NULL};
	const char *path;
	char *name;
	size_t room = 0;
	int ends[2], status = 0;
	ssize_t size;
	FILE *lines;
	pid_t pid;

	snprintf(database, sizeof(database), "--database=%s", scan->database);
	snprintf(tempdir, sizeof(tempdir), "--tempdir=%s", temporary);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(ends[1]);
	lines = fdopen(ends[0], "r");
	while (lines && (size = getline(&line, &room, lines)) > 0) {
		line[size - 1] = '\0';
		if (parse_line(line, mount, &path, &name)) {
			add_finding(scan, partition->number, path, name);
		} else if (strstr(line, " ERROR")) {
			scan->unread++;
		}
	}
	free(line);
	if (lines) {
		fclose(lines);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
}

static int scan_partition(struct scan *scan, const char *state,
			  const struct tool_partition *partition)
{
	char mount[PATH_MAX], temporary[PATH_MAX];
	struct tool_serve serve;
	const struct tool_serve_options options = {
		.disk = scan->disk,
		.secret = scan->secret,
		.partition = partition,
		.folder = mount,
		.state = state,
	};
	int rc;

	snprintf(mount, sizeof(mount), "%.4000s/files", state);
	snprintf(temporary, sizeof(temporary), "%.4000s/tmp", state);
	if (mkdir(mount, 0700) < 0 || mkdir(temporary, 0700) < 0) {
		return -errno;
	}
	rc = tool_serve_start(scan->tool, &options, &serve);
	if (!rc) {
		rc = run_clamscan(scan, partition, mount, temporary);
		(void)!tool_serve_stop(&serve, true);
		if (rc >= 0 && rc != CLAMSCAN_CLEAN && rc != CLAMSCAN_FOUND && !scan->unread) {
			rc = why_set(&scan->tool->why, -EIO,
				     "clamscan failed; are the signatures good?");
		}
	}
	(void)rmdir(mount);
	(void)rmdir(temporary);
	return rc < 0 ? rc : 0;
}

static bool is_wanted(const struct tool_partition *partition)
{
	return opt.partition >= 0 ? partition->number == opt.partition
				  : !tool_serve_why_not(partition->content);
}

static struct json_object *partition_json(const struct tool_partition *partition, bool scanned)
{
	struct json_object *object = json_object_new_object();

	tool_add_number(object, "number", partition->number);
	tool_add_text(object, "content", partition->content);
	tool_add_flag(object, "scanned", scanned);
	tool_add_text(object, "why_not", scanned ? NULL : tool_serve_why_not(partition->content));
	return object;
}

/* In the jail. Exit code. */
static int scan_all(struct scan *scan, const char *state)
{
	struct json_object *list = json_object_new_array();
	struct tool *tool = scan->tool;
	unsigned scanned = 0;
	int rc = 0;

	json_object_object_add(tool->result, "findings", json_object_new_array());
	json_object_object_add(tool->result, "partitions", list);
	for (unsigned i = 0; i < scan->count && !rc; i++) {
		const struct tool_partition *partition = &scan->partitions[i];
		bool wanted = is_wanted(partition);

		json_object_array_add(list, partition_json(partition, wanted));
		if (!wanted) {
			tool_note(tool, "not scanned: partition %u: %s", partition->number,
				  tool_serve_why_not(partition->content)
					  ? tool_serve_why_not(partition->content)
					  : "not asked for");
			continue;
		}
		tool_note(tool, "scanning %s ...", partition->content);
		rc = scan_partition(scan, state, partition);
		scanned++;
	}
	if (rc < 0) {
		return tool_fail(tool, tool_interrupted() ? -ECANCELED : rc, "scan");
	}
	if (!scanned) {
		return tool_fail_exit(tool, TOOL_FAILED,
				      "there is nothing on this disk that can be "
				      "read here");
	}
	tool_add_number(tool->result, "found", scan->found);
	tool_add_number(tool->result, "unread", scan->unread);
	if (scan->unread) {
		tool_note(tool, "%u files could not be read", scan->unread);
	}
	tool_print(tool, "%u found", scan->found);
	return scan->found ? TOOL_FOUND : TOOL_OK;
}

/* What the scan needs of the machine's files: the folder of the image, the signatures, and this
 * program with what was built beside it, when it is not installed. */
static int enter_root(struct scan *scan)
{
	char folder[PATH_MAX], program[PATH_MAX];
	const char *const paths[] = {folder, scan->database,
				     strncmp(scan->self, "/usr/", 5) ? program : NULL, NULL};

	snprintf(folder, sizeof(folder), "%s", scan->disk);
	*strrchr(folder, '/') = '\0';
	snprintf(program, sizeof(program), "%s", scan->self);
	*strrchr(program, '/') = '\0';
	if (strrchr(program, '/')) {
		*strrchr(program, '/') = '\0';
	}
	return tool_root_enter(scan->state, paths);
}

static int in_jail(void *context)
{
	struct scan *scan = context;
	int rc = enter_root(scan);
	int code = rc < 0 ? tool_fail(scan->tool, rc, "the folders of the scan")
			  : scan_all(scan, TOOL_ROOT_SCRATCH);

	tool_finish(scan->tool, code);
	fflush(stdout);
	return code;
}

int tool_scan(struct tool *tool, char **arguments, unsigned count)
{
	struct scan *scan = calloc(1, sizeof(*scan));
	struct tool_disk disk;
	int rc, code;

	(void)count;
	if (!scan) {
		return tool_fail(tool, -ENOMEM, NULL);
	}
	scan->tool = tool;
	code = prepare(tool, arguments[0], scan);
	code = code ? code : tool_browse_open(tool, arguments[0], &disk);
	if (code) {
		free(scan);
		return code;
	}
	tool_add_text(tool->result, "disk", disk.name);
	scan->secret = &disk.secret;
	rc = tool_partition_list(disk.top, scan->partitions, &scan->count);
	rc = rc ? rc : layer_close(disk.top);
	disk.top = NULL;
	code = rc < 0 ? tool_fail(tool, rc, disk.name) : TOOL_OK;
	if (!code) {
		/* It prints the result itself. */
		rc = tool_mounts_make(scan->state, &tool->why);
		if (!rc) {
			rc = tool_jail_run(in_jail, scan, &code, &tool->why);
			tool_mounts_remove(scan->state);
		}
		if (rc < 0) {
			code = tool_fail(tool, rc, disk.name);
		} else {
			json_object_put(tool->result);
			tool->result = NULL;
		}
	}
	code = tool_disk_close(tool, &disk, code);
	free(scan);
	return code;
}
