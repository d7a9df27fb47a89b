/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the files and names of a folder in memory, and the record of what was done to them. */
#define _GNU_SOURCE

#include "disk_memory_state.h"
#include "fiber.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY_CHUNK (64u << 10)

uint64_t disk_memory_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void *disk_memory_grow(void *list, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity) {
		return list;
	}
	*capacity = *capacity ? *capacity * 2 : 8;
	list = realloc(list, *capacity * size);
	if (!list) {
		abort();
	}
	return list;
}

struct inode *disk_memory_add_inode(struct disk_memory *disk)
{
	struct inode *inode = calloc(1, sizeof(*inode));

	if (!inode) {
		abort();
	}
	inode->next = disk->state->inodes;
	disk->state->inodes = inode;
	return inode;
}

void disk_memory_get_inode(struct inode *inode)
{
	inode->refs++;
}

void disk_memory_put_inode(struct disk_memory *disk, struct inode *inode)
{
	struct inode **link = &disk->state->inodes;

	if (--inode->refs) {
		return;
	}
	while (*link != inode) {
		link = &(*link)->next;
	}
	*link = inode->next;
	for (size_t i = 0; i < inode->effect_count; i++) {
		free(inode->effects[i].bytes);
	}
	free(inode->effects);
	sparse_clear(&inode->now);
	sparse_clear(&inode->lasting);
	free(inode);
}

void disk_memory_apply_effect(struct sparse *sparse, const struct effect *effect)
{
	if (effect->kind == EFFECT_WRITE) {
		sparse_write(sparse, effect->bytes, (size_t)effect->size, effect->offset);
	} else if (effect->kind == EFFECT_ZERO) {
		sparse_zero(sparse, effect->offset, effect->size);
	} else {
		sparse_resize(sparse, effect->size);
	}
}

void disk_memory_add_effect(struct disk_memory *disk, struct inode *inode, enum effect_kind kind,
			    uint64_t offset, uint64_t size, const void *bytes)
{
	struct effect effect = {++disk->state->number, kind, offset, size, NULL};

	if (!disk->state->record) {
		return;
	}
	if (kind == EFFECT_WRITE) {
		effect.bytes = malloc(size ? size : 1);
		if (!effect.bytes) {
			abort();
		}
		memcpy(effect.bytes, bytes, size);
	}
	inode->effects = disk_memory_grow(inode->effects, inode->effect_count,
					  &inode->effect_capacity, sizeof(effect));
	inode->effects[inode->effect_count++] = effect;
}

static struct name *find_name(const struct names *names, const char *text)
{
	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->list[i].text, text) == 0) {
			return &names->list[i];
		}
	}
	return NULL;
}

struct inode *disk_memory_get_name(const struct names *names, const char *text)
{
	const struct name *name = find_name(names, text);

	return name ? name->inode : NULL;
}

void disk_memory_set_name(struct disk_memory *disk, struct names *names, const char *text,
			  struct inode *inode)
{
	struct name *name = find_name(names, text);
	struct inode *old = name ? name->inode : NULL;

	if (inode) {
		disk_memory_get_inode(inode);
	}
	if (name && inode) {
		name->inode = inode;
	} else if (name) {
		*name = names->list[--names->count];
	} else if (inode) {
		names->list = disk_memory_grow(names->list, names->count, &names->capacity,
					       sizeof(*names->list));
		name = &names->list[names->count++];
		strcpy(name->text, text);
		name->inode = inode;
	}
	if (old) {
		disk_memory_put_inode(disk, old);
	}
}

/* One that no longer makes sense, because another was lost, changes nothing. */
void disk_memory_apply_change(struct disk_memory *disk, struct names *names,
			      const struct name_change *change)
{
	if (*change->from && disk_memory_get_name(names, change->from) != change->inode) {
		return;
	}
	if (*change->to) {
		disk_memory_set_name(disk, names, change->to, change->inode);
	}
	if (*change->from) {
		disk_memory_set_name(disk, names, change->from, NULL);
	}
}

struct disk_memory *disk_memory_create(bool record)
{
	struct disk_memory *disk = calloc(1, sizeof(*disk));

	if (!disk || !(disk->state = calloc(1, sizeof(*disk->state)))) {
		abort();
	}
	disk->state->folder.ops = &disk_calls_folder_ops;
	disk->state->disk = disk;
	disk->state->record = record;
	disk->seed = 1;
	return disk;
}

static void clear_names(struct disk_memory *disk, struct names *names)
{
	while (names->count) {
		disk_memory_set_name(disk, names, names->list[0].text, NULL);
	}
	free(names->list);
}

void disk_memory_destroy(struct disk_memory *disk)
{
	struct disk_memory_state *state;

	if (!disk) {
		return;
	}
	state = disk->state;
	clear_names(disk, &state->now);
	clear_names(disk, &state->lasting);
	for (size_t i = 0; i < state->change_count; i++) {
		disk_memory_put_inode(disk, state->changes[i].inode);
	}
	if (state->inodes || state->waiting_count) {
		abort(); /* a file is still open, or a call under way */
	}
	free(state->changes);
	free(state->waiting);
	free(state);
	free(disk);
}

struct folder *disk_memory_folder(struct disk_memory *disk)
{
	return &disk->state->folder;
}

struct disk_memory *disk_memory_fork(const struct disk_memory *disk)
{
	struct disk_memory *fork = disk_memory_create(disk->state->record);
	const struct names *names = &disk->state->now;

	fork->seed = disk->seed;
	fork->budget = disk->budget;
	for (size_t i = 0; i < names->count; i++) {
		struct inode *inode = disk_memory_add_inode(fork);

		sparse_copy(&inode->now, &names->list[i].inode->now);
		if (fork->state->record) {
			sparse_copy(&inode->lasting, &inode->now);
			disk_memory_set_name(fork, &fork->state->lasting, names->list[i].text,
					     inode);
		}
		disk_memory_set_name(fork, &fork->state->now, names->list[i].text, inode);
	}
	return fork;
}

void disk_memory_park(struct disk_memory *disk)
{
	struct disk_memory_state *state = disk->state;

	if (!disk->shuffle || !fiber_self()) {
		return;
	}
	state->waiting = disk_memory_grow(state->waiting, state->waiting_count,
					  &state->waiting_capacity, sizeof(*state->waiting));
	state->waiting[state->waiting_count++] = fiber_self();
	fiber_park();
}

bool disk_memory_step(struct disk_memory *disk)
{
	struct disk_memory_state *state = disk->state;
	struct fiber *fiber;
	size_t i;

	if (!state->waiting_count) {
		return false;
	}
	i = disk_memory_random(&disk->seed) % state->waiting_count;
	fiber = state->waiting[i];
	state->waiting[i] = state->waiting[--state->waiting_count];
	fiber_wake(fiber);
	return true;
}

void disk_memory_run(struct disk_memory *disk)
{
	while (disk_memory_step(disk)) {
	}
}

unsigned disk_memory_waiting(const struct disk_memory *disk)
{
	return (unsigned)disk->state->waiting_count;
}

uint64_t disk_memory_used(const struct disk_memory *disk)
{
	uint64_t used = 0;

	for (const struct inode *inode = disk->state->inodes; inode; inode = inode->next) {
		used += inode->now.count * SPARSE_PAGE;
	}
	return used;
}

unsigned disk_memory_open_count(const struct disk_memory *disk)
{
	unsigned count = 0;

	for (const struct inode *inode = disk->state->inodes; inode; inode = inode->next) {
		for (const struct handle *handle = inode->handles; handle; handle = handle->next) {
			count++;
		}
	}
	return count;
}

int disk_memory_save(struct disk_memory *disk, const char *name, const char *path)
{
	struct inode *inode = disk_memory_get_name(&disk->state->now, name);
	uint8_t bytes[COPY_CHUNK];
	uint64_t at = 0, size;
	int rc = 0, fd;

	if (!inode) {
		return -ENOENT;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)inode->now.size) < 0) {
		rc = -errno;
	}
	while (!rc) {
		sparse_find(&inode->now, at, &at, &size);
		if (!size) {
			break;
		}
		size = size < sizeof(bytes) ? size : sizeof(bytes);
		sparse_read(&inode->now, bytes, (size_t)size, at);
		rc = pwrite(fd, bytes, (size_t)size, (off_t)at) == (ssize_t)size ? 0 : -EIO;
		at += size;
	}
	if (fd >= 0) {
		close(fd);
	}
	return rc;
}

int disk_memory_load(struct disk_memory *disk, const char *name, const char *path)
{
	static const uint8_t zeros[SPARSE_PAGE];
	uint8_t page[SPARSE_PAGE];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct inode *inode;
	uint64_t at = 0;
	ssize_t n;

	if (fd < 0) {
		return -errno;
	}
	inode = disk_memory_add_inode(disk);
	while ((n = pread(fd, page, sizeof(page), (off_t)at)) > 0) {
		if (memcmp(page, zeros, (size_t)n) != 0) {
			sparse_write(&inode->now, page, (size_t)n, at);
		}
		at += (uint64_t)n;
		sparse_resize(&inode->now, at);
	}
	close(fd);
	disk_memory_set_name(disk, &disk->state->now, name, inode);
	if (disk->state->record) {
		sparse_copy(&inode->lasting, &inode->now);
		disk_memory_set_name(disk, &disk->state->lasting, name, inode);
	}
	return n < 0 ? -EIO : 0;
}
