/* SPDX-License-Identifier: Apache-2.0 */
/** Files as wholes: read with a limit, replaced in one step, for policy/ and the manager.
 *
 *  vhd/io/folder.h has the same for disks. It is not this one because policy/ and vhd/ each build
 *  alone, and because a disk's folder may be one of memory whose power is cut.
 *
 *  Functions return 0 or -errno.
 */
#ifndef POLICY_WHOLE_FILE_H
#define POLICY_WHOLE_FILE_H

#include <stddef.h>
#include <sys/types.h>

/** Reads a plain file of at most `max` bytes, and a 0 behind it; the caller frees. A path below the
 * folder dir_fd, or AT_FDCWD; flags: 0 or O_NOFOLLOW. -EFBIG: it is longer; -EINVAL: not a plain
 * file, which could keep us waiting; -EIO: it has not the size that it says. The bytes are in one
 * place of memory only, so a caller can wipe them. */
int whole_file_read(int dir_fd, const char *path, int flags, size_t max, char **ret_bytes,
		    size_t *ret_size);
/** The same of an open file, from its beginning, wherever its offset stands. */
int whole_file_read_fd(int fd, size_t max, char **ret_bytes, size_t *ret_size);
/** Writes NAME.PID.tmp with these permissions, whatever the umask, flushes it, renames it to NAME,
 * flushes the folder: a power cut leaves the old file or the new one, and so do two that write at
 * the same time. */
int whole_file_replace(const char *path, mode_t mode, const void *bytes, size_t size);

#endif
