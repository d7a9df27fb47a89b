/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the file around a fixed disk. A footer is looked for at the end of the file only: the start
 * belongs to the guest, who may write there whatever he likes, also a footer. */
#define _GNU_SOURCE

#include "vhd.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_at(int fd, uint64_t offset, uint8_t *to, size_t size)
{
	while (size) {
		ssize_t got = pread(fd, to, size, (off_t)offset);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			return -EBADMSG; /* the file shrinks under us */
		}
		to += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

static int write_at(int fd, uint64_t offset, const uint8_t *from, size_t size)
{
	while (size) {
		ssize_t put = pwrite(fd, from, size, (off_t)offset);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put < 0) {
			return -errno;
		}
		from += put;
		offset += (uint64_t)put;
		size -= (size_t)put;
	}
	return 0;
}

static int find_size(int fd, uint64_t *ret_size)
{
	/* lseek, not fstat: the file may be a block device. */
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0) {
		return -errno;
	}
	*ret_size = (uint64_t)end;
	return 0;
}

/* Reads a footer of footer_size bytes that ends at file_size. */
static int read_footer(int fd, uint64_t file_size, unsigned footer_size,
		       struct vhd_footer *ret_footer)
{
	uint8_t bytes[VHD_FOOTER_SIZE] = {0};
	int rc;

	if (file_size < footer_size) {
		return -EINVAL;
	}
	rc = read_at(fd, file_size - footer_size, bytes, footer_size);
	return rc < 0 ? rc : vhd_footer_decode(bytes, ret_footer);
}

int vhd_open(int fd, struct vhd *ret_vhd)
{
	unsigned footer_size = VHD_FOOTER_SIZE;
	struct vhd_footer footer;
	uint64_t file_size = 0;
	int rc;

	rc = find_size(fd, &file_size);
	if (rc < 0) {
		return rc;
	}
	rc = read_footer(fd, file_size, footer_size, &footer);
	if (rc == -EINVAL) {
		footer_size = VHD_FOOTER_SIZE_SHORT;
		rc = read_footer(fd, file_size, footer_size, &footer);
	}
	if (rc < 0) {
		return rc;
	}
	if (footer.type != VHD_FIXED) {
		return -EOPNOTSUPP;
	}
	if (footer.size > file_size - footer_size) {
		return -EBADMSG;
	}
	ret_vhd->size = footer.size;
	ret_vhd->footer = footer;
	return 0;
}

int vhd_create_fixed(int fd, uint64_t size, const uint8_t uuid[16], uint32_t timestamp)
{
	struct vhd_footer footer = {.type = VHD_FIXED, .timestamp = timestamp};
	uint8_t bytes[VHD_FOOTER_SIZE];
	int rc;

	if (!size) {
		return -EINVAL;
	}
	if (size > VHD_SIZE_MAX - VHD_SIZE_STEP) {
		return -EFBIG;
	}
	footer.size = (size + VHD_SIZE_STEP - 1) / VHD_SIZE_STEP * VHD_SIZE_STEP;
	for (unsigned i = 0; i < sizeof(footer.uuid); i++) {
		footer.uuid[i] = uuid[i];
	}
	/* Cut first: bytes beyond `size` must read as zero, whatever the file had there. */
	if (ftruncate(fd, (off_t)size) < 0 ||
	    ftruncate(fd, (off_t)(footer.size + VHD_FOOTER_SIZE)) < 0) {
		return -errno;
	}
	vhd_footer_encode(&footer, bytes);
	rc = write_at(fd, footer.size, bytes, sizeof(bytes));
	if (rc < 0) {
		return rc;
	}
	return fsync(fd) < 0 ? -errno : 0;
}
