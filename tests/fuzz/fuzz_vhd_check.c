/* SPDX-License-Identifier: Apache-2.0 */
/* A VHD file of any content, checked and repaired: a repair that succeeds leaves nothing
 * repairable, finds nothing more to do, and an image that opens when nothing is lost. The first
 * byte of the input says which checksums are made right, so that damage gets past them. */
#define _GNU_SOURCE

#include "disk_memory.h"
#include "vhd_bytes.h"
#include "vhd_disk.h"
#include "vhd_repair.h"

#include <errno.h>
#include <stdlib.h>

#define INPUT_MAX (256u << 10)
#define BUDGET	  (32u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fix_checksum(uint8_t *bytes, size_t size, uint64_t at, size_t length, size_t field)
{
	if (at <= size && size - at >= length) {
		vhd_store32(bytes + at + field, vhd_checksum(bytes + at, length, field));
	}
}

static void put_file(struct folder *folder, const uint8_t *data, size_t size)
{
	uint8_t flags = size ? data[0] : 0;
	size_t length = size ? size - 1 : 0;
	uint8_t *bytes = calloc(1, length + 1);
	struct file *file;

	if (!bytes || folder_open_file(folder, "f.vhd", FOLDER_CREATE, &file) < 0) {
		abort();
	}
	memcpy(bytes, data + (size ? 1 : 0), length);
	if (flags & 1) {
		fix_checksum(bytes, length, 0, 512, 64);
	}
	if (flags & 2 && length >= 512) {
		fix_checksum(bytes, length, length - 512, 512, 64);
	}
	if (flags & 4) {
		fix_checksum(bytes, length, 512, 1024, 36);
	}
	if (file_write(file, bytes, length, 0) < 0) {
		abort();
	}
	file_close(file);
	free(bytes);
}

/* Returns whether the repair came to an end, and what it told. */
static bool repair(struct folder *folder, bool dry_run, struct vhd_repair *ret_report)
{
	struct why why;

	return vhd_repair_run(folder, "f.vhd", dry_run, NULL, ret_report, &why) == 0;
}

static void look(struct folder *folder)
{
	struct vhd_check check;
	struct vhd_repair report;
	struct layer *layer;
	struct why why;
	enum vhd_check_grade left;
	int rc;

	if (vhd_check_run(folder, "f.vhd", NULL, &check, &why) == 0) {
		vhd_check_fini(&check);
	}
	if (repair(folder, true, &report)) {
		vhd_repair_fini(&report);
	}
	if (!repair(folder, false, &report)) {
		return;
	}
	left = report.worst;
	vhd_repair_fini(&report);
	if (left == VHD_CHECK_REPAIRABLE) {
		abort();
	}
	if (!repair(folder, false, &report) || report.count) {
		abort();
	}
	vhd_repair_fini(&report);
	rc = vhd_disk_open(folder, "f.vhd", VHD_DISK_TOP_ONLY, &layer, &why);
	if (!rc) {
		(void)!layer_close(layer);
	} else if (left == VHD_CHECK_NOTE && rc != -ENOMEM) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk_memory *disk;

	if (size > INPUT_MAX) {
		return 0;
	}
	disk = disk_memory_create(false);
	put_file(disk_memory_folder(disk), data, size);
	disk->budget = BUDGET;
	look(disk_memory_folder(disk));
	disk_memory_destroy(disk);
	return 0;
}
