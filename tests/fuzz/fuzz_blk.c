/* SPDX-License-Identifier: Apache-2.0 */
/* Block requests of any content: what lies behind the disk in its file never changes, and nothing
 * stays in flight. The last byte chooses what the guest negotiated. */
#define _GNU_SOURCE

#include "blk.h"
#include "fake_ring.h"
#include "layer_raw.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DISK_SIZE 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_disk(struct layer **ret_disk)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);
	struct file *file;

	if (fd < 0 || file_from_fd(fd, &file) < 0 || ftruncate(fd, DISK_SIZE + 512) < 0 ||
	    layer_raw_open(file, ret_disk) < 0) {
		abort();
	}
	(*ret_disk)->size = DISK_SIZE;
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t footer[512] = {0xf0};
	static struct blk blk;
	static struct layer *disk;
	static int fd = -1;
	struct fake_ring ring;
	uint8_t after[512];

	if (fd < 0) {
		fd = open_disk(&disk);
	}
	if (pwrite(fd, footer, sizeof(footer), DISK_SIZE) != sizeof(footer)) {
		return 0;
	}
	blk_init(&blk, disk, NULL, 1, "fuzz");
	blk_set_features(&blk, size && data[size - 1] & 1 ? blk_features(&blk) : 0);
	fake_ring_init(&ring, false);
	fake_ring_load(&ring, data, size);
	while (blk_handle_queue(&blk, &ring.vq, 0)) {
	}
	if (blk.in_flight || pread(fd, after, sizeof(after), DISK_SIZE) != sizeof(after) ||
	    memcmp(after, footer, sizeof(after)) != 0 ||
	    lseek(fd, 0, SEEK_END) != DISK_SIZE + 512) {
		abort();
	}
	fake_ring_fini(&ring);
	return 0;
}
