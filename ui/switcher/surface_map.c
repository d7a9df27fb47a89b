/* SPDX-License-Identifier: Apache-2.0 */
/** Checks and mapping of memory fds; see surface_map.h. Source: memfd_create(2), fcntl(2) "File
 * Sealing". */
#include "surface_map.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "ui/core/message.h"

static int check_memory(int fd, uint64_t end, const char **ret_why)
{
	struct statfs fs;
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
		*ret_why = "memory is not sealed against shrinking";
		return -1;
	}
	/* Huge pages may fault for want of pages even when sealed. */
	if (fstatfs(fd, &fs) < 0 || fs.f_type != TMPFS_MAGIC) {
		*ret_why = "memory is not of ordinary pages";
		return -1;
	}
	if (fstat(fd, &st) < 0 || st.st_size < 0 || (uint64_t)st.st_size < end) {
		*ret_why = "memory is smaller than the picture";
		return -1;
	}
	return 0;
}

int surface_map_open(struct surface_map *map, const struct surface_msg *msg, int fd,
		     uint32_t max_rows, const char **ret_why)
{
	uint32_t rows = msg->height < max_rows ? msg->height : max_rows;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t start = msg->offset & ~(page - 1);
	uint64_t size = msg->offset - start + (uint64_t)msg->stride * rows;

	if (check_memory(fd, message_surface_end(msg), ret_why) < 0) {
		return -1;
	}
	void *base = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)start);

	if (base == MAP_FAILED) {
		*ret_why = "memory cannot be mapped";
		return -1;
	}
	surface_map_close(map);
	*map = (struct surface_map){
		.base = base,
		.size = size,
		.pixels = (const uint8_t *)base + (msg->offset - start),
		.stride = msg->stride,
		.columns = msg->width,
		.rows = rows,
	};
	return 0;
}

void surface_map_close(struct surface_map *map)
{
	if (map->base) {
		munmap(map->base, map->size);
	}
	*map = (struct surface_map){0};
}

int surface_map_copy(int fd, uint64_t offset, void *to, size_t size, const char **ret_why)
{
	if (check_memory(fd, offset + size, ret_why) < 0) {
		return -1;
	}
	if (pread(fd, to, size, (off_t)offset) != (ssize_t)size) {
		*ret_why = "memory cannot be read";
		return -1;
	}
	return 0;
}
