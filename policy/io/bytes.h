/* SPDX-License-Identifier: Apache-2.0 */
/** All bytes of a place in a file, however many calls of the system that takes. */
#ifndef POLICY_BYTES_H
#define POLICY_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Returns how many were read, fewer only at the end of the file, or -errno. */
ssize_t bytes_read(int fd, void *bytes, size_t size, uint64_t offset);
/** Returns 0 or -errno; then some may be written. */
int bytes_write(int fd, const void *bytes, size_t size, uint64_t offset);

#endif
