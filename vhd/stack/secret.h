/* SPDX-License-Identifier: Apache-2.0 */
/** A passphrase or key file, whole, in locked memory: what programs read before they open a stack.
 */
#ifndef VHD_SECRET_H
#define VHD_SECRET_H

#include "why.h"

#include <stddef.h>

#define SECRET_MAX 16384u

/** All zero is none. bytes[size] is 0. */
struct secret {
	char *bytes;
	size_t size;
};

/** Reads to the end; one newline there does not count. The descriptor stays the caller's. Returns
 * 0; -E2BIG; -ENOMEM; -errno. */
VHD_MUST_CHECK int secret_read_fd(int fd, struct secret *ret_secret);

/** The same from a file; `why` names it. */
VHD_MUST_CHECK int secret_read_file(const char *path, struct secret *ret_secret, struct why *why);

/** Wipes and forgets it; none is fine. */
void secret_wipe(struct secret *secret);

#endif
