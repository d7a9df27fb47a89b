/* SPDX-License-Identifier: Apache-2.0 */
/* Block requests of any content: what lies behind the disk in its file never changes. */
#define _GNU_SOURCE

#include "blk.h"
#include "fake_ring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DISK_SIZE 65536u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t footer[512] = {0xf0};
	static struct blk blk;
	static int fd = -1;
	struct fake_ring ring;
	uint8_t after[512];

	if (fd < 0) {
		fd = memfd_create("disk", MFD_CLOEXEC);
	}
	if (ftruncate(fd, DISK_SIZE) < 0 ||
	    pwrite(fd, footer, sizeof(footer), DISK_SIZE) != sizeof(footer)) {
		return 0;
	}
	blk_init(&blk, fd, DISK_SIZE, false, "fuzz");
	blk_set_features(&blk, size & 1 ? blk_features(&blk) : 0);
	fake_ring_init(&ring, false);
	fake_ring_load(&ring, data, size);
	while (blk_handle_queue(&blk, &ring.vq)) {
	}
	if (pread(fd, after, sizeof(after), DISK_SIZE) != sizeof(after) ||
	    memcmp(after, footer, sizeof(after)) != 0 ||
	    lseek(fd, 0, SEEK_END) != DISK_SIZE + 512) {
		abort();
	}
	fake_ring_fini(&ring);
	return 0;
}
