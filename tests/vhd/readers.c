/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the stock readers of Debian what they see in an image; each gets a copy on a tmpfs. */
#define _GNU_SOURCE

#include "readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAMS 3

static const char *const programs[PROGRAMS] = {"qemu-img", "7zz", "vhdiinfo"};

static bool has(const char *program)
{
	char command[64];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return system(command) == 0;
}

bool readers_are_there(void)
{
	return has(programs[0]) && has(programs[1]) && has(programs[2]);
}

struct save {
	struct disk_memory *disk;
	const char *path;
};

static int save_each(void *context, const char *name)
{
	struct save *save = context;
	char to[512];

	snprintf(to, sizeof(to), "%s/%s", save->path, name);
	return disk_memory_save(save->disk, name, to);
}

/* True when the command says that all went well, within its time. */
static bool succeeds(const char *path, const char *command, struct why *why)
{
	char all[512], line[160] = "";
	FILE *output;
	int n, code;

	n = snprintf(all, sizeof(all), "cd %s && exec 2>&1 </dev/null && timeout 600 %s", path,
		     command);
	if (n < 0 || (size_t)n >= sizeof(all) || !(output = popen(all, "r"))) {
		why_set(why, 0, "%s cannot be run", command);
		return false;
	}
	while (fgets(all, sizeof(all), output)) {
		if (all[0] > ' ') {
			snprintf(line, sizeof(line), "%.150s", all);
		}
	}
	code = pclose(output);
	line[strcspn(line, "\n")] = 0;
	if (code) {
		why_set(why, 0, "%s: code %d: %s", command, code, line);
	}
	return code == 0;
}

/* What a reader made of the disk, in the file "out". */
static bool same(struct scene *scene, const char *path, const char *reader, struct why *why)
{
	static uint8_t bytes[SCENE_CHUNK];
	struct vhd_model_fault fault;
	char out[128];
	FILE *f;
	size_t n;
	bool good = true;

	snprintf(out, sizeof(out), "%s/out", path);
	f = fopen(out, "rb");
	if (!f) {
		why_set(why, 0, "%s wrote nothing", reader);
		return false;
	}
	for (uint64_t at = 0; good && (n = fread(bytes, 1, sizeof(bytes), f)) > 0; at += n) {
		if (at + n > scene->model->size) {
			why_set(why, 0, "%s reads more than the disk has", reader);
			good = false;
		} else if (!vhd_model_check_cut(scene->model, bytes, at, n, &fault)) {
			why_set(why, 0, "%s: %s", reader, fault.text);
			good = false;
		}
	}
	fclose(f);
	unlink(out);
	return good;
}

/* 7-Zip takes no chain whose disks differ in size, and no table that is longer than the disk: both
 * come of resizing. */
static bool suits_7zip(const struct scene *scene)
{
	for (unsigned i = 0; i < scene->kept_count; i++) {
		if (scene->kept[i].model->size != scene->model->size) {
			return false;
		}
	}
	return !scene->resizes;
}

/* The type in the footer; during an operation the model cannot tell. */
static bool is_child(const char *path)
{
	uint8_t footer[512] = {0};
	char name[128];
	FILE *f;

	snprintf(name, sizeof(name), "%s/" SCENE_NAME, path);
	f = fopen(name, "rb");
	if (!f || fseek(f, -512, SEEK_END) || fread(footer, sizeof(footer), 1, f) != 1) {
		footer[63] = 4;
	}
	if (f) {
		fclose(f);
	}
	return footer[63] == 4;
}

static bool ask(struct scene *scene, const char *path, struct why *why)
{
	bool comparable = !scene->shape->crypt && !scene->other;

	if (!succeeds(path, "vhdiinfo " SCENE_NAME, why)) {
		return false;
	}
	if (suits_7zip(scene) && (!succeeds(path, "7zz x -tVHD -so " SCENE_NAME " >out", why) ||
				  (comparable && !same(scene, path, "7zz", why)))) {
		return false;
	}
	return is_child(path) ||
	       (succeeds(path, "qemu-img convert -f vpc -O raw " SCENE_NAME " out", why) &&
		(!comparable || same(scene, path, "qemu-img", why)));
}

static int remove_each(void *context, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", (const char *)context, name);
	unlink(path);
	return 0;
}

bool readers_check(struct scene *scene, struct disk_memory *after, struct why *why)
{
	char path[] = "/dev/shm/vhd-readers-XXXXXX";
	struct folder *folder = disk_memory_folder(after);
	struct save save = {after, path};
	bool good = false;

	if (!mkdtemp(path)) {
		why_set(why, 0, "no folder in /dev/shm");
		return false;
	}
	if (folder_list(folder, save_each, &save)) {
		why_set(why, 0, "the images cannot be written to %s", path);
	} else {
		good = ask(scene, path, why);
	}
	if (!good && getenv("VHD_KEEP")) {
		printf("# kept in %s\n", path);
		return false;
	}
	(void)!folder_list(folder, remove_each, path);
	remove_each(path, "out");
	rmdir(path);
	return good;
}
