/* SPDX-License-Identifier: Apache-2.0 */
/* A VHD file of any content: opened, or refused; its size never exceeds the file. */
#define _GNU_SOURCE

#include "vhd.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct vhd vhd;

	if (fd < 0) {
		fd = memfd_create("vhd", MFD_CLOEXEC);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
		return 0;
	}
	if (vhd_open(fd, &vhd) == 0 && vhd.size > size) {
		abort();
	}
	return 0;
}
