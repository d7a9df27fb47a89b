/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of a disk_memory: what the engine sees of it. */
#include "disk_memory_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512u

static struct handle *handle_of(struct file *file)
{
	return (struct handle *)file;
}

static struct disk_memory *disk_of(struct folder *folder)
{
	return ((struct disk_memory_state *)folder)->disk;
}

static uint64_t roll(struct disk_memory *disk, uint64_t below)
{
	return disk_memory_random(&disk->seed) % below;
}

/* Counts the call and says how it is to fail, or 0. */
static int begin(struct disk_memory *disk, enum disk_call call)
{
	struct disk_fault *fault = &disk->fault;

	disk->calls[call]++;
	if (!(fault->calls & DISK_BIT(call))) {
		return 0;
	}
	if (fault->after) {
		fault->after--;
		return 0;
	}
	fault->happened = true;
	disk->failed[call]++;
	if (!fault->for_ever) {
		fault->calls = 0;
	}
	return fault->error;
}

static int end(struct disk_memory *disk, enum disk_call call, int rc)
{
	if (disk->on_change) {
		disk->on_change(disk, call);
	}
	return rc;
}

static bool lies(struct disk_memory *disk, enum disk_call call)
{
	if (!(disk->lie_calls & DISK_BIT(call))) {
		return false;
	}
	if (disk->lie_after) {
		disk->lie_after--;
		return false;
	}
	disk->lie_calls = 0;
	return true;
}

static void set_size(struct disk_memory *disk, struct inode *inode, enum effect_kind kind,
		     uint64_t size)
{
	if (size != inode->now.size) {
		disk_memory_add_effect(disk, inode, kind, 0, size, NULL);
		sparse_resize(&inode->now, size);
	}
}

static int read_call(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	struct handle *handle = handle_of(file);
	int rc;

	disk_memory_park(handle->disk);
	rc = begin(handle->disk, DISK_READ);
	for (unsigned i = 0; !rc && i < count; i++) {
		sparse_read(&handle->inode->now, iov[i].iov_base, iov[i].iov_len, offset);
		offset += iov[i].iov_len;
		size -= iov[i].iov_len;
	}
	if (!rc && size) {
		abort(); /* the caller's sum is wrong */
	}
	return rc;
}

static uint8_t *flatten(const struct iovec *iov, unsigned count, size_t size)
{
	uint8_t *bytes = malloc(size ? size : 1);
	size_t at = 0;

	if (!bytes) {
		abort();
	}
	for (unsigned i = 0; i < count; i++) {
		if (iov[i].iov_len > size - at) {
			abort();
		}
		memcpy(bytes + at, iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	if (at != size) {
		abort();
	}
	return bytes;
}

/* So many bytes of a write get a place on a disk that may be full. */
static size_t fitting(const struct disk_memory *disk, const struct inode *inode, size_t size,
		      uint64_t offset)
{
	uint64_t used = disk->budget ? disk_memory_used(disk) : 0;
	uint64_t room;
	size_t fits = size;

	if (!disk->budget) {
		return size;
	}
	room = used < disk->budget ? (disk->budget - used) / SPARSE_PAGE : 0;
	while (fits && sparse_missing(&inode->now, fits, offset) > room) {
		size_t part = (size_t)((offset + fits) % SPARSE_PAGE);

		part = part ? part : SPARSE_PAGE;
		fits -= part < fits ? part : fits;
	}
	return fits;
}

static void put_bytes(struct disk_memory *disk, struct inode *inode, const uint8_t *bytes,
		      size_t size, uint64_t offset)
{
	if (!size) {
		return;
	}
	if (offset + size > inode->now.size) {
		set_size(disk, inode, EFFECT_GROWTH, offset + size);
	}
	disk_memory_add_effect(disk, inode, EFFECT_WRITE, offset, size, bytes);
	sparse_write(&inode->now, bytes, size, offset);
}

/* What is left of a write that fails: nothing, a part, or all. */
static size_t remains(struct disk_memory *disk, size_t size)
{
	switch (roll(disk, 3)) {
	case 0:
		return 0;
	case 1:
		return (size_t)roll(disk, size / SECTOR + 1) * SECTOR;
	default:
		return size;
	}
}

static int write_call(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	struct handle *handle = handle_of(file);
	struct disk_memory *disk = handle->disk;
	uint8_t *bytes;
	size_t fits;
	int rc;

	disk_memory_park(disk);
	bytes = flatten(iov, count, size);
	rc = begin(disk, DISK_WRITE);
	fits = fitting(disk, handle->inode, rc ? remains(disk, size) : size, offset);
	if (!rc && fits < size) {
		rc = -ENOSPC;
	}
	put_bytes(disk, handle->inode, bytes, fits, offset);
	free(bytes);
	return end(disk, DISK_WRITE, rc);
}

static int zero_call(struct file *file, uint64_t offset, uint64_t size)
{
	struct handle *handle = handle_of(file);
	struct inode *inode = handle->inode;
	int rc;

	disk_memory_park(handle->disk);
	rc = begin(handle->disk, DISK_ZERO);
	if (rc) {
		size = roll(handle->disk, 2) ? size / 2 / SECTOR * SECTOR : 0;
	}
	if (offset < inode->now.size && size) {
		size = size < inode->now.size - offset ? size : inode->now.size - offset;
		disk_memory_add_effect(handle->disk, inode, EFFECT_ZERO, offset, size, NULL);
		sparse_zero(&inode->now, offset, size);
	}
	return end(handle->disk, DISK_ZERO, rc);
}

static int resize_call(struct file *file, uint64_t size)
{
	struct handle *handle = handle_of(file);
	int rc;

	disk_memory_park(handle->disk);
	rc = begin(handle->disk, DISK_RESIZE);
	if (!rc) {
		set_size(handle->disk, handle->inode, EFFECT_SIZE, size);
	}
	return end(handle->disk, DISK_RESIZE, rc);
}

/* Effects up to `limit` become lasting, or are lost. */
static void settle(struct inode *inode, uint64_t limit, struct disk_memory *failing)
{
	size_t kept = 0;

	for (size_t i = 0; i < inode->effect_count; i++) {
		struct effect *effect = &inode->effects[i];

		if (effect->number > limit ||
		    (failing && (effect->kind >= EFFECT_SIZE || roll(failing, 2)))) {
			inode->effects[kept++] = *effect;
			continue;
		}
		if (!failing) {
			disk_memory_apply_effect(&inode->lasting, effect);
		} else {
			inode->lost = true;
		}
		free(effect->bytes);
	}
	inode->effect_count = kept;
}

static int flush_call(struct file *file)
{
	struct handle *handle = handle_of(file);
	struct disk_memory *disk = handle->disk;
	uint64_t limit = disk->state->number; /* what comes while it runs may miss it */
	int rc;

	disk_memory_park(disk);
	rc = begin(disk, DISK_FLUSH);
	if (rc) {
		settle(handle->inode, limit, disk);
	} else if (!lies(disk, DISK_FLUSH)) {
		settle(handle->inode, limit, NULL);
	}
	return end(disk, DISK_FLUSH, rc);
}

static int get_size_call(struct file *file, uint64_t *ret_size)
{
	*ret_size = handle_of(file)->inode->now.size;
	return 0;
}

static int find_data_call(struct file *file, uint64_t offset, uint64_t *ret_offset,
			  uint64_t *ret_size)
{
	sparse_find(&handle_of(file)->inode->now, offset, ret_offset, ret_size);
	return 0;
}

static int lock_call(struct file *file, bool exclusive)
{
	struct handle *handle = handle_of(file);

	for (struct handle *other = handle->inode->handles; other; other = other->next) {
		if (other != handle && other->lock != LOCK_NONE &&
		    (exclusive || other->lock == LOCK_EXCLUSIVE)) {
			return -EAGAIN;
		}
	}
	handle->lock = exclusive ? LOCK_EXCLUSIVE : LOCK_SHARED;
	return 0;
}

/* After a flush that failed, the cache forgets what did not get through. */
static void forget_lost(struct inode *inode)
{
	sparse_clear(&inode->now);
	sparse_copy(&inode->now, &inode->lasting);
	for (size_t i = 0; i < inode->effect_count; i++) {
		disk_memory_apply_effect(&inode->now, &inode->effects[i]);
	}
	inode->lost = false;
}

static void close_call(struct file *file)
{
	struct handle *handle = handle_of(file);
	struct handle **link = &handle->inode->handles;

	while (*link != handle) {
		link = &(*link)->next;
	}
	*link = handle->next;
	if (handle->inode->lost && !handle->inode->handles) {
		forget_lost(handle->inode);
	}
	disk_memory_put_inode(handle->disk, handle->inode);
	free(handle);
}

static const struct file_ops file_ops = {
	.read = read_call,
	.write = write_call,
	.zero = zero_call,
	.resize = resize_call,
	.flush = flush_call,
	.get_size = get_size_call,
	.find_data = find_data_call,
	.lock = lock_call,
	.close = close_call,
};

static void change_names(struct disk_memory *disk, const char *from, const char *to,
			 struct inode *inode)
{
	struct disk_memory_state *state = disk->state;
	struct name_change change = {.number = ++state->number, .inode = inode};

	strcpy(change.from, from);
	strcpy(change.to, to);
	disk_memory_get_inode(inode);
	disk_memory_apply_change(disk, &state->now, &change);
	if (!state->record) {
		disk_memory_put_inode(disk, inode);
		return;
	}
	state->changes = disk_memory_grow(state->changes, state->change_count,
					  &state->change_capacity, sizeof(change));
	state->changes[state->change_count++] = change;
}

static int open_call(struct folder *folder, const char *name, unsigned flags,
		     struct file **ret_file)
{
	struct disk_memory *disk = disk_of(folder);
	struct inode *inode = disk_memory_get_name(&disk->state->now, name);
	bool create = flags & FOLDER_CREATE;
	struct handle *handle;
	int rc = begin(disk, create ? DISK_CREATE : DISK_OPEN);

	if (strlen(name) > 255) {
		rc = -ENAMETOOLONG;
	}
	if (!rc && (create ? inode != NULL : !inode)) {
		rc = create ? -EEXIST : -ENOENT;
	}
	if (rc) {
		return rc;
	}
	handle = calloc(1, sizeof(*handle));
	if (!handle) {
		abort();
	}
	if (create) {
		inode = disk_memory_add_inode(disk);
		change_names(disk, "", name, inode);
	}
	disk_memory_get_inode(inode);
	handle->file.ops = &file_ops;
	handle->file.read_only = !(flags & (FOLDER_WRITE | FOLDER_CREATE));
	handle->disk = disk;
	handle->inode = inode;
	handle->next = inode->handles;
	inode->handles = handle;
	*ret_file = &handle->file;
	return create ? end(disk, DISK_CREATE, 0) : 0;
}

static int rename_call(struct folder *folder, const char *from, const char *to)
{
	struct disk_memory *disk = disk_of(folder);
	struct inode *inode = disk_memory_get_name(&disk->state->now, from);
	int rc = begin(disk, DISK_RENAME);

	if (strlen(to) > 255) {
		return -ENAMETOOLONG;
	}
	if (rc || !inode) {
		return rc ? rc : -ENOENT;
	}
	if (strcmp(from, to) != 0) {
		change_names(disk, from, to, inode);
	}
	return end(disk, DISK_RENAME, 0);
}

static int remove_call(struct folder *folder, const char *name)
{
	struct disk_memory *disk = disk_of(folder);
	struct inode *inode = disk_memory_get_name(&disk->state->now, name);
	int rc = begin(disk, DISK_REMOVE);

	if (rc || !inode) {
		return rc ? rc : -ENOENT;
	}
	change_names(disk, name, "", inode);
	return end(disk, DISK_REMOVE, 0);
}

static int folder_flush_call(struct folder *folder)
{
	struct disk_memory *disk = disk_of(folder);
	struct disk_memory_state *state = disk->state;
	int rc = begin(disk, DISK_FOLDER_FLUSH);

	if (!rc && !lies(disk, DISK_FOLDER_FLUSH)) {
		for (size_t i = 0; i < state->change_count; i++) {
			disk_memory_apply_change(disk, &state->lasting, &state->changes[i]);
			disk_memory_put_inode(disk, state->changes[i].inode);
		}
		state->change_count = 0;
	}
	return end(disk, DISK_FOLDER_FLUSH, rc);
}

/* Over a copy of the names: the caller may change them. */
static int list_call(struct folder *folder, int (*each)(void *context, const char *name),
		     void *context)
{
	const struct names *names = &disk_of(folder)->state->now;
	size_t count = names->count;
	char(*copy)[256] = calloc(count ? count : 1, sizeof(*copy));
	int rc = 0;

	if (!copy) {
		abort();
	}
	for (size_t i = 0; i < count; i++) {
		strcpy(copy[i], names->list[i].text);
	}
	for (size_t i = 0; !rc && i < count; i++) {
		rc = each(context, copy[i]);
	}
	free(copy);
	return rc;
}

static void folder_close_call(struct folder *folder)
{
}

const struct folder_ops disk_calls_folder_ops = {
	.open = open_call,
	.rename = rename_call,
	.remove = remove_call,
	.flush = folder_flush_call,
	.list = list_call,
	.close = folder_close_call,
};
