/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the mappings of guest memory. Invariant: regions overlap neither in guest-physical nor in
 * front-end addresses, none wraps around, and pointers into them leave this file for bulk data
 * only.
 */
#define _GNU_SOURCE

#include "guest_mem.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE_MASK 4095ull

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool wraps(uint64_t start, uint64_t size)
{
	return start + size < start;
}

/* A regular file must already hold the whole range: reading past its end raises SIGBUS. Other kinds
 * (the RAM file of a partition) have no size to look at; there mmap() itself refuses. */
static int check_file_size(int fd, uint64_t end)
{
	struct stat st;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < end) {
		return -EINVAL;
	}
	return 0;
}

int guest_mem_map(struct guest_mem *mem, uint64_t gpa, uint64_t size, uint64_t user_addr, int fd,
		  uint64_t fd_offset)
{
	struct guest_region *region;
	void *host;
	int rc;

	if (mem->region_count >= GUEST_REGION_MAX) {
		return -ENOSPC;
	}
	if (!size || size > GUEST_REGION_SIZE_MAX || ((gpa | size | fd_offset) & PAGE_MASK)) {
		return -EINVAL;
	}
	if (wraps(gpa, size) || wraps(user_addr, size) || fd_offset > INT64_MAX - size) {
		return -EINVAL;
	}
	for (unsigned i = 0; i < mem->region_count; i++) {
		region = &mem->region[i];
		if (overlaps(gpa, size, region->gpa, region->size) ||
		    overlaps(user_addr, size, region->user_addr, region->size)) {
			return -EINVAL;
		}
	}
	rc = check_file_size(fd, fd_offset + size);
	if (rc < 0) {
		return rc;
	}
	host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
		    (off_t)fd_offset);
	if (host == MAP_FAILED) {
		return -errno;
	}
	mem->region[mem->region_count++] = (struct guest_region){
		.gpa = gpa,
		.size = size,
		.user_addr = user_addr,
		.host = host,
	};
	return 0;
}

void guest_mem_fini(struct guest_mem *mem)
{
	for (unsigned i = 0; i < mem->region_count; i++) {
		munmap(mem->region[i].host, mem->region[i].size);
	}
	memset(mem, 0, sizeof(*mem));
}

/* The bytes at gpa that are contiguous in one region: pointer, and how many up to the region's end.
 */
static uint8_t *translate(const struct guest_mem *mem, uint64_t gpa, uint64_t *ret_room)
{
	for (unsigned i = 0; i < mem->region_count; i++) {
		const struct guest_region *region = &mem->region[i];

		if (gpa >= region->gpa && gpa - region->gpa < region->size) {
			*ret_room = region->size - (gpa - region->gpa);
			return region->host + (gpa - region->gpa);
		}
	}
	*ret_room = 0;
	return NULL;
}

bool guest_check_range(const struct guest_mem *mem, uint64_t gpa, uint64_t size)
{
	uint64_t room;

	if (!size || wraps(gpa, size)) {
		return false;
	}
	while (translate(mem, gpa, &room)) {
		if (size <= room) {
			return true;
		}
		gpa += room;
		size -= room;
	}
	return false;
}

int guest_from_user(const struct guest_mem *mem, uint64_t user_addr, uint64_t size,
		    uint64_t *ret_gpa)
{
	for (unsigned i = 0; i < mem->region_count; i++) {
		const struct guest_region *region = &mem->region[i];
		uint64_t offset = user_addr - region->user_addr;

		if (user_addr >= region->user_addr && offset < region->size &&
		    size <= region->size - offset) {
			*ret_gpa = region->gpa + offset;
			return 0;
		}
	}
	return -EFAULT;
}

int guest_copy_in(const struct guest_mem *mem, void *dst, uint64_t gpa, size_t size)
{
	uint8_t *to = dst;
	uint64_t room;

	while (size) {
		const uint8_t *from = translate(mem, gpa, &room);
		size_t part = room < size ? (size_t)room : size;

		if (!from || !part) {
			return -EFAULT;
		}
		memcpy(to, from, part);
		to += part;
		gpa += part;
		size -= part;
	}
	__asm__ volatile("" ::: "memory");
	return 0;
}

int guest_copy_out(const struct guest_mem *mem, uint64_t gpa, const void *src, size_t size)
{
	const uint8_t *from = src;
	uint64_t room;

	if (size && !guest_check_range(mem, gpa, size)) {
		return -EFAULT;
	}
	while (size) {
		uint8_t *to = translate(mem, gpa, &room);
		size_t part = room < size ? (size_t)room : size;

		memcpy(to, from, part);
		from += part;
		gpa += part;
		size -= part;
	}
	return 0;
}

int guest_get_iov(const struct guest_mem *mem, uint64_t gpa, uint64_t size, struct iovec *ret_iov,
		  unsigned max)
{
	unsigned count = 0;
	uint64_t room;

	while (size) {
		uint8_t *host = translate(mem, gpa, &room);
		uint64_t part = room < size ? room : size;

		if (!host) {
			return -EFAULT;
		}
		if (count == max) {
			return -E2BIG;
		}
		ret_iov[count++] = (struct iovec){host, (size_t)part};
		gpa += part;
		size -= part;
	}
	return (int)count;
}

/* Regions are page aligned, so an aligned 16-bit value never straddles two of them. */
static uint16_t *translate_u16(const struct guest_mem *mem, uint64_t gpa)
{
	uint64_t room;
	uint8_t *host = gpa & 1 ? NULL : translate(mem, gpa, &room);

	return (uint16_t *)(void *)host;
}

int guest_load_u16(const struct guest_mem *mem, uint64_t gpa, uint16_t *ret_value)
{
	const uint16_t *from = translate_u16(mem, gpa);

	if (!from) {
		return -EFAULT;
	}
	*ret_value = __atomic_load_n(from, __ATOMIC_ACQUIRE);
	return 0;
}

int guest_store_u16(const struct guest_mem *mem, uint64_t gpa, uint16_t value)
{
	uint16_t *to = translate_u16(mem, gpa);

	if (!to) {
		return -EFAULT;
	}
	__atomic_store_n(to, value, __ATOMIC_RELEASE);
	return 0;
}
