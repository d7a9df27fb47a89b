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

static int check_memory(int fd, uint64_t end, struct stat *ret_stat, const char **ret_why)
{
	struct statfs fs;
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
	if (fstat(fd, ret_stat) < 0 || ret_stat->st_size < 0 || (uint64_t)ret_stat->st_size < end) {
		*ret_why = "memory is smaller than the picture";
		return -1;
	}
	return 0;
}

static void close_one(struct surface_map *map)
{
	if (map->base) {
		munmap(map->base, map->size);
	}
	*map = (struct surface_map){0};
}

/** While it is mapped, an inode keeps its number: the same number is the same memory. */
static const struct surface_map *find(const struct surface_maps *maps,
				      const struct surface_map *what)
{
	for (unsigned i = 0; i < SURFACE_MAPS_MAX; i++) {
		const struct surface_map *m = &maps->list[i];

		if (m->base && m->device == what->device && m->inode == what->inode &&
		    m->start == what->start && m->size >= what->size) {
			return m;
		}
	}
	return NULL;
}

int surface_map_show(struct surface_maps *maps, const struct surface_msg *msg, int fd,
		     uint32_t max_rows, const char **ret_why)
{
	uint32_t rows = msg->height < max_rows ? msg->height : max_rows;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct surface_map wanted = {.start = msg->offset & ~(page - 1)};
	struct stat st;

	if (check_memory(fd, message_surface_end(msg), &st, ret_why) < 0) {
		return -1;
	}
	wanted.device = st.st_dev;
	wanted.inode = st.st_ino;
	wanted.size = msg->offset - wanted.start + (uint64_t)msg->stride * rows;
	const struct surface_map *map = find(maps, &wanted);

	if (!map) {
		wanted.base =
			mmap(NULL, wanted.size, PROT_READ, MAP_SHARED, fd, (off_t)wanted.start);
		if (wanted.base == MAP_FAILED) {
			*ret_why = "memory cannot be mapped";
			return -1;
		}
		close_one(&maps->list[maps->next]);
		maps->list[maps->next] = wanted;
		map = &maps->list[maps->next];
		maps->next = (maps->next + 1) % SURFACE_MAPS_MAX;
	}
	maps->pixels = (const uint8_t *)map->base + (msg->offset - map->start);
	maps->stride = msg->stride;
	maps->columns = msg->width;
	maps->rows = rows;
	return 0;
}

void surface_map_close_all(struct surface_maps *maps)
{
	for (unsigned i = 0; i < SURFACE_MAPS_MAX; i++) {
		close_one(&maps->list[i]);
	}
	*maps = (struct surface_maps){0};
}

int surface_map_copy(int fd, uint64_t offset, void *to, size_t size, const char **ret_why)
{
	struct stat st;

	if (check_memory(fd, offset + size, &st, ret_why) < 0) {
		return -1;
	}
	if (pread(fd, to, size, (off_t)offset) != (ssize_t)size) {
		*ret_why = "memory cannot be read";
		return -1;
	}
	return 0;
}
