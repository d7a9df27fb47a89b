/* SPDX-License-Identifier: Apache-2.0 */
/** Small files read whole and replaced in one step. Functions return 0 or -errno. */
#ifndef POLICY_SIGN_IO_H
#define POLICY_SIGN_IO_H

#include <stddef.h>

/** Reads a plain file of at most `max` bytes, and a 0 behind it; the caller frees. A path below the
 * folder dir_fd, or AT_FDCWD. -EFBIG: it is longer; -EINVAL: not a plain file. */
int sign_io_read(int dir_fd, const char *path, size_t max, char **ret_bytes, size_t *ret_size);
/** Writes NAME.tmp, flushes it, renames it to NAME, flushes the folder: a power cut leaves the old
 * file or the new one. */
int sign_io_replace(const char *path, const void *bytes, size_t size);

#endif
