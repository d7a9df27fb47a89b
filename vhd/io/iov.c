/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the arithmetic of half-done vectors. */
#include "iov.h"

#include <string.h>

int iov_rest(struct iovec *rest, const struct iovec *iov, unsigned count, size_t done)
{
	unsigned used = 0;

	for (unsigned i = 0; i < count && used < IOV_REST_MAX; i++) {
		if (done >= iov[i].iov_len) {
			done -= iov[i].iov_len;
			continue;
		}
		rest[used].iov_base = (char *)iov[i].iov_base + done;
		rest[used].iov_len = iov[i].iov_len - done;
		done = 0;
		used++;
	}
	return (int)used;
}

void iov_zero_rest(const struct iovec *iov, unsigned count, size_t done)
{
	for (unsigned i = 0; i < count; i++) {
		size_t skip = done < iov[i].iov_len ? done : iov[i].iov_len;

		memset((char *)iov[i].iov_base + skip, 0, iov[i].iov_len - skip);
		done -= skip;
	}
}
