/* SPDX-License-Identifier: Apache-2.0 */
/* Records of mounts. */
#define _GNU_SOURCE

#include "tool_mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the records are: the session's own folder, or one in /tmp that is checked to be ours. */
static int base_folder(char ret_path[PATH_MAX])
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	if (runtime && runtime[0] == '/') {
		snprintf(ret_path, PATH_MAX, "%.3000s/bulkhead-vhd", runtime);
	} else {
		snprintf(ret_path, PATH_MAX, "/tmp/bulkhead-vhd-%u", (unsigned)getuid());
	}
	if (mkdir(ret_path, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	if (lstat(ret_path, &st) < 0) {
		return -errno;
	}
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 077) ? 0 : -EACCES;
}

int tool_mounts_make(char ret_state[PATH_MAX], struct why *why)
{
	char base[PATH_MAX];
	int rc = base_folder(base);

	if (rc < 0) {
		return why_set(why, rc, "%.200s cannot be used for the state of mounts: %s", base,
			       strerror(-rc));
	}
	snprintf(ret_state, PATH_MAX, "%.4000s/mount-XXXXXX", base);
	return mkdtemp(ret_state) ? 0 : -errno;
}

static void record_path(const char *state, char ret_path[PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%.4000s/mount.json", state);
}

int tool_mounts_write(const struct tool_mount *mount)
{
	struct json_object *record = json_object_new_object();
	char path[PATH_MAX];
	int fd, rc = 0;

	json_object_object_add(record, "disk", json_object_new_string(mount->disk));
	json_object_object_add(record, "folder", json_object_new_string(mount->folder));
	json_object_object_add(record, "content", json_object_new_string(mount->content));
	json_object_object_add(record, "partition", json_object_new_int64(mount->partition));
	json_object_object_add(record, "writable", json_object_new_boolean(mount->writable));
	json_object_object_add(record, "made_folder", json_object_new_boolean(mount->made_folder));
	record_path(mount->state, path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* The descriptor stays open with its lock on purpose. */
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || json_object_to_fd(fd, record, 0) < 0) {
		rc = errno ? -errno : -EIO;
	}
	json_object_put(record);
	return rc;
}

void tool_mounts_remove(const char *state)
{
	char path[PATH_MAX];

	record_path(state, path);
	(void)unlink(path);
	(void)rmdir(state);
}

static void get_text(struct json_object *record, const char *key, char *ret_text, size_t size)
{
	struct json_object *value;

	ret_text[0] = '\0';
	if (json_object_object_get_ex(record, key, &value)) {
		snprintf(ret_text, size, "%s", json_object_get_string(value));
	}
}

static int64_t get_number(struct json_object *record, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(record, key, &value) ? json_object_get_int64(value) : 0;
}

/* False: no record, or nobody keeps that mount any more. */
static bool read_record(const char *state, struct tool_mount *ret_mount)
{
	struct json_object *record = NULL;
	char path[PATH_MAX];
	int fd;

	record_path(state, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		return false;
	}
	if (flock(fd, LOCK_SH | LOCK_NB) < 0) {
		record = json_object_from_fd(fd);
	}
	close(fd);
	if (!record) {
		return false;
	}
	memset(ret_mount, 0, sizeof(*ret_mount));
	snprintf(ret_mount->state, sizeof(ret_mount->state), "%s", state);
	get_text(record, "disk", ret_mount->disk, sizeof(ret_mount->disk));
	get_text(record, "folder", ret_mount->folder, sizeof(ret_mount->folder));
	get_text(record, "content", ret_mount->content, sizeof(ret_mount->content));
	ret_mount->partition = (unsigned)get_number(record, "partition");
	ret_mount->writable = get_number(record, "writable");
	ret_mount->made_folder = get_number(record, "made_folder");
	json_object_put(record);
	return true;
}

int tool_mounts_list(int (*each)(void *context, const struct tool_mount *mount), void *context)
{
	char base[PATH_MAX], state[PATH_MAX];
	struct tool_mount mount;
	struct dirent *entry;
	DIR *dir = base_folder(base) == 0 ? opendir(base) : NULL;
	int rc = 0;

	while (dir && !rc && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, "mount-", 6) != 0) {
			continue;
		}
		snprintf(state, sizeof(state), "%.3800s/%.200s", base, entry->d_name);
		if (read_record(state, &mount)) {
			rc = each(context, &mount);
		}
	}
	if (dir) {
		closedir(dir);
	}
	return rc;
}
