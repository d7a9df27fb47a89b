/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the search for a footer that is not at the end of the file. */
#define _GNU_SOURCE

#include "vhd_lost.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define CHUNK (64u << 10)

/* Where the last data of the file end, by halving. */
static int find_data_end(struct file *file, uint64_t file_size, uint64_t *ret_end)
{
	uint64_t low = 0, high = file_size;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2, data, size;
		int rc = file_find_data(file, middle, &data, &size);

		if (rc < 0) {
			return rc;
		}
		if (!size) {
			high = middle;
		} else {
			low = data + size;
		}
	}
	*ret_end = low < file_size ? low : file_size;
	return 0;
}

/* The last sector in the chunk that is not all zeros; false: there is none. */
static bool find_last(const uint8_t *bytes, size_t size, size_t *ret_at)
{
	static const uint8_t zeros[VHD_SECTOR_SIZE];

	for (size_t at = size; at >= VHD_SECTOR_SIZE; at -= VHD_SECTOR_SIZE) {
		if (memcmp(bytes + at - VHD_SECTOR_SIZE, zeros, VHD_SECTOR_SIZE) != 0) {
			*ret_at = at - VHD_SECTOR_SIZE;
			return true;
		}
	}
	return false;
}

int vhd_lost_find(struct file *file, uint64_t file_size, uint64_t *ret_offset)
{
	uint8_t bytes[CHUNK];
	struct vhd_footer footer;
	uint64_t end, scanned = 0;
	int rc = find_data_end(file, file_size, &end);

	if (rc < 0) {
		return rc;
	}
	end = (end + VHD_SECTOR_SIZE - 1) / VHD_SECTOR_SIZE * VHD_SECTOR_SIZE;
	while (end && scanned < VHD_LOST_SCAN_MAX) {
		size_t n = end < CHUNK ? (size_t)end : CHUNK, at;

		rc = file_read(file, bytes, n, end - n);
		if (rc < 0) {
			return rc;
		}
		if (find_last(bytes, n, &at)) {
			uint64_t offset = end - n + at;

			if (vhd_footer_decode(bytes + at, &footer) < 0 ||
			    footer.type != VHD_FIXED || footer.size != offset) {
				return -EINVAL;
			}
			*ret_offset = offset;
			return 0;
		}
		end -= n;
		scanned += n;
	}
	return -EINVAL;
}
