/* SPDX-License-Identifier: Apache-2.0 */
/** System calls of code under test over a disk_memory, so that power cuts and errors meet code that
 * knows only file descriptors. Linked with disk_fd_wrap (policy/sign/meson.build), open(),
 * openat(), pread() and the others end here; whatever does not concern DISK_FD_PATH goes on to the
 * C library.
 */
#ifndef TEST_DISK_FD_H
#define TEST_DISK_FD_H

#include "disk_memory.h"

/** The one folder: paths "/disk-memory/NAME", and names relative to its fd. */
#define DISK_FD_PATH   "/disk-memory"
#define DISK_FD_FOLDER (1 << 20)

/** Shows a disk (NULL: none) under DISK_FD_PATH. Returns the one before. Open fds stay with the
 * disk that they were opened on. */
struct disk_memory *disk_fd_mount(struct disk_memory *disk);
/** Open fds; 0 when everybody cleaned up. */
unsigned disk_fd_open_count(void);

#endif
