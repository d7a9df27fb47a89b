/* SPDX-License-Identifier: Apache-2.0 */
/** What is left of a vector after a part of it was done. */
#ifndef VHD_IOV_H
#define VHD_IOV_H

#include <stddef.h>
#include <sys/uio.h>

/** Parts that iov_rest() fills at most, so that they fit on a stack. */
#define IOV_REST_MAX 64u

/** Puts what follows the first `done` bytes into rest[IOV_REST_MAX], as many parts as fit. Returns
 * how many. */
int iov_rest(struct iovec *rest, const struct iovec *iov, unsigned count, size_t done);

/** Writes zeros to all that follows the first `done` bytes. */
void iov_zero_rest(const struct iovec *iov, unsigned count, size_t done);

#endif
