/* SPDX-License-Identifier: Apache-2.0 */
/** Descriptors that go along with bytes over a Unix socket. */
#ifndef MANAGER_FDS_H
#define MANAGER_FDS_H

#include <stddef.h>
#include <sys/types.h>

#define FDS_MAX 32u

/** Sends bytes with at most FDS_MAX descriptors, which stay the caller's; flags: of sendmsg(2).
 * Returns how many bytes went, with all the descriptors if any did, or -errno. */
ssize_t fds_send(int sock, const void *bytes, size_t size, const int *fds, unsigned int count,
		 int flags);

#endif
