/* SPDX-License-Identifier: Apache-2.0 */
/* A header of any content: refused, or within the bounds that it promises; it survives encoding;
 * and its locators lead to plain names of the folder or nowhere. */
#define _GNU_SOURCE

#include "disk_memory.h"
#include "vhd_bytes.h"
#include "vhd_header.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_locators(const struct vhd_header *header, const uint8_t *data, size_t size)
{
	struct disk_memory *disk = disk_memory_create(false);
	char name[VHD_NAME_SIZE];
	struct file *file;

	if (folder_open_file(disk_memory_folder(disk), "f", FOLDER_CREATE, &file) ||
	    file_write(file, data, size, 0)) {
		abort();
	}
	for (unsigned i = 0; i < VHD_LOCATOR_COUNT; i++) {
		if (vhd_locator_read_name(file, &header->locators[i], name) == 0 &&
		    strnlen(name, sizeof(name)) == sizeof(name)) {
			abort();
		}
	}
	file_close(file);
	disk_memory_destroy(disk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vhd_header header, again;
	uint8_t bytes[VHD_HEADER_SIZE] = {0};

	memcpy(bytes, data, size < sizeof(bytes) ? size : sizeof(bytes));
	vhd_store32(bytes + 36, vhd_checksum(bytes, sizeof(bytes), 36));
	if (vhd_header_decode(bytes, &header)) {
		return 0;
	}
	if (header.block_size < VHD_BLOCK_SIZE_MIN || header.block_size > VHD_BLOCK_SIZE_MAX ||
	    header.block_size & (header.block_size - 1) || header.table_offset % 512 ||
	    vhd_header_bitmap_size(header.block_size) % 512 ||
	    strnlen(header.parent_name, VHD_NAME_SIZE) == VHD_NAME_SIZE) {
		abort();
	}
	check_locators(&header, data, size);
	if (vhd_header_encode(&header, bytes) == 0 &&
	    (vhd_header_decode(bytes, &again) || again.table_offset != header.table_offset ||
	     again.entry_count != header.entry_count || again.block_size != header.block_size)) {
		abort();
	}
	return 0;
}
