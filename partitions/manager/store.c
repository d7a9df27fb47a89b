/* SPDX-License-Identifier: Apache-2.0 */
/** Generations of policy in a folder. */
#define _GNU_SOURCE
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/table/table.h"

static const char *const parts[] = {
	[STORE_LAYER] = "layer", [STORE_SIGNATURE] = "signature", [STORE_INCLUDE] = "include"};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

/* What a power cut leaves of a file that was on its way. */
static bool is_leftover(const char *path)
{
	size_t size = strlen(path);

	return size >= 4 && !strcmp(path + size - 4, ".tmp");
}

bool store_is_name(const char *name)
{
	size_t size = strlen(name);

	return size > 0 && size < STORE_NAME_SIZE && name[0] != '.' && !is_leftover(name) &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       size;
}

int store_path(const struct store_file *file, char path[STORE_PATH_SIZE])
{
	if (!store_is_name(file->name) || file->part >= PART_COUNT || file->set >= STORE_SETS_MAX) {
		return -EINVAL;
	}
	snprintf(path, STORE_PATH_SIZE, "g%" PRIu32 ".%" PRIu32 ".%s.%s", file->generation,
		 file->set, parts[file->part], file->name);
	return 0;
}

bool store_decode(const char *path, struct store_file *ret_file)
{
	struct store_file file = {0};
	char part[16], again[STORE_PATH_SIZE];

	if (sscanf(path, "g%" SCNu32 ".%" SCNu32 ".%15[a-z].%63s", &file.generation, &file.set,
		   part, file.name) != 4) {
		return false;
	}
	while (file.part < PART_COUNT && strcmp(part, parts[file.part])) {
		file.part++;
	}
	if (store_path(&file, again) || strcmp(again, path)) {
		return false;
	}
	*ret_file = file;
	return true;
}

int store_read_state(struct folder *folder, struct policy_state *ret_state)
{
	void *bytes;
	size_t size;
	int ret = folder_read_file(folder, STORE_STATE, POLICY_STATE_TEXT, &bytes, &size);

	if (ret == -ENOENT) {
		*ret_state = (struct policy_state){0};
		return 0;
	}
	if (ret == 0) {
		ret = policy_state_decode(bytes, size, ret_state);
		free(bytes);
	}
	return ret == -EFBIG ? -EBADMSG : ret;
}

int store_write_state(struct folder *folder, const struct policy_state *state)
{
	char text[POLICY_STATE_TEXT];
	size_t size = policy_state_encode(state, text);

	return folder_replace_file(folder, STORE_STATE, text, size);
}

int store_put(struct folder *folder, const struct store_file *file, const void *bytes, size_t size)
{
	char path[STORE_PATH_SIZE];
	int ret = store_path(file, path);

	return ret ? ret : folder_replace_file(folder, path, bytes, size);
}

static void before_path(uint32_t generation, char path[STORE_PATH_SIZE])
{
	snprintf(path, STORE_PATH_SIZE, "before.%" PRIu32, generation);
}

static bool is_before(const char *path, struct store_file *ret_file)
{
	char again[STORE_PATH_SIZE];
	uint32_t generation;

	if (sscanf(path, "before.%" SCNu32, &generation) != 1) {
		return false;
	}
	before_path(generation, again);
	*ret_file = (struct store_file){.generation = generation};
	return !strcmp(again, path);
}

int store_put_before(struct folder *folder, uint32_t generation, const void *bytes, size_t size)
{
	char path[STORE_PATH_SIZE];

	before_path(generation, path);
	return folder_replace_file(folder, path, bytes, size);
}

int store_read_before(struct folder *folder, uint32_t generation, void **ret_bytes,
		      size_t *ret_size)
{
	char path[STORE_PATH_SIZE];

	before_path(generation, path);
	return folder_read_file(folder, path, TABLE_SIZE_MAX, ret_bytes, ret_size);
}

/* The names are listed first: a folder that changes while it is listed may say anything. */
struct names {
	char (*path)[STORE_PATH_SIZE + 4];
	size_t count;
	bool (*wanted)(const void *data, const struct store_file *file);
	const void *data;
	bool all; /* not only files of sets */
};

static int take_name(void *context, const char *path)
{
	struct names *names = context;
	struct store_file file;
	void *more;

	if (!(names->all && is_leftover(path) && strlen(path) < sizeof(names->path[0])) &&
	    !((store_decode(path, &file) || (names->all && is_before(path, &file))) &&
	      names->wanted(names->data, &file))) {
		return 0;
	}
	more = realloc(names->path, (names->count + 1) * sizeof(names->path[0]));
	if (!more) {
		return -ENOMEM;
	}
	names->path = more;
	memcpy(names->path[names->count++], path, strlen(path) + 1);
	return 0;
}

static bool is_of_generation(const void *data, const struct store_file *file)
{
	return file->generation == *(const uint32_t *)data;
}

/* How many sets among those come before this one. */
static uint32_t rank(uint32_t sets, uint32_t set)
{
	return (uint32_t)__builtin_popcount(sets & ((1u << set) - 1));
}

static int copy_file(struct folder *folder, const char *path, uint32_t to, uint32_t sets)
{
	struct store_file file = {0};
	void *bytes;
	size_t size;
	int ret = folder_read_file(folder, path, STORE_FILE_MAX, &bytes, &size);

	if (ret) {
		return ret;
	}
	store_decode(path, &file);
	file.generation = to;
	file.set = rank(sets, file.set);
	ret = store_put(folder, &file, bytes, size);
	free(bytes);
	return ret;
}

int store_copy(struct folder *folder, uint32_t from, uint32_t to)
{
	struct names names = {.wanted = is_of_generation, .data = &from};
	int ret = folder_list(folder, take_name, &names);
	uint32_t sets = 0;

	for (size_t i = 0; ret == 0 && i < names.count; i++) {
		struct store_file file;

		sets |= store_decode(names.path[i], &file) ? 1u << file.set : 0;
	}
	for (size_t i = 0; ret == 0 && i < names.count; i++) {
		ret = copy_file(folder, names.path[i], to, sets);
	}
	free(names.path);
	return ret;
}

int store_next_set(struct folder *folder, uint32_t generation, uint32_t *ret_set)
{
	struct names names = {.wanted = is_of_generation, .data = &generation};
	int ret = folder_list(folder, take_name, &names);
	uint32_t next = 0;

	for (size_t i = 0; ret == 0 && i < names.count; i++) {
		struct store_file file;

		if (store_decode(names.path[i], &file) && file.set >= next) {
			next = file.set + 1;
		}
	}
	free(names.path);
	if (ret == 0 && next >= STORE_SETS_MAX) {
		ret = -ENOSPC;
	}
	if (ret == 0) {
		*ret_set = next;
	}
	return ret;
}

static int remove_names(struct folder *folder, struct names *names)
{
	int ret = folder_list(folder, take_name, names);

	for (size_t i = 0; ret == 0 && i < names->count; i++) {
		ret = folder_remove(folder, names->path[i]);
	}
	free(names->path);
	return ret ? ret : folder_flush(folder);
}

static bool is_of_set(const void *data, const struct store_file *file)
{
	const struct store_file *set = data;

	return file->generation == set->generation && file->set == set->set;
}

int store_drop_set(struct folder *folder, uint32_t generation, uint32_t set)
{
	const struct store_file wanted = {.generation = generation, .set = set};
	struct names names = {.wanted = is_of_set, .data = &wanted};

	return remove_names(folder, &names);
}

static bool is_unnamed(const void *data, const struct store_file *file)
{
	const struct policy_state *state = data;

	return file->generation != state->current && file->generation != state->trial;
}

int store_sweep(struct folder *folder, const struct policy_state *state)
{
	struct names names = {.wanted = is_unnamed, .data = state, .all = true};

	return remove_names(folder, &names);
}
