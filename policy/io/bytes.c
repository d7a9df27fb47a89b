/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file by system calls; see bytes.h. */
#define _GNU_SOURCE
#include "bytes.h"

#include <errno.h>
#include <unistd.h>

ssize_t bytes_read(int fd, void *bytes, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = pread(fd, (char *)bytes + done, size - done, (off_t)(offset + done));

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -errno;
		}
		if (got == 0) {
			break;
		}
		done += (size_t)got;
	}
	return (ssize_t)done;
}

int bytes_write(int fd, const void *bytes, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t put =
			pwrite(fd, (const char *)bytes + done, size - done, (off_t)(offset + done));

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put <= 0) {
			return put < 0 ? -errno : -EIO;
		}
		done += (size_t)put;
	}
	return 0;
}
