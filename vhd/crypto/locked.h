/* SPDX-License-Identifier: Apache-2.0 */
/** Memory for keys: locked, so that it is never swapped out; left out of core dumps; wiped when
 * given back. Where the system allows no locking (RLIMIT_MEMLOCK) the rest still holds. A child
 * after fork() has a copy that is not locked until it calls locked_again(). One thread.
 */
#ifndef VHD_LOCKED_H
#define VHD_LOCKED_H

#include <stddef.h>

/** Zeroed memory in pages of its own, or NULL. */
void *locked_alloc(size_t size);

/** Wipes and gives back; `size` as it was asked for. NULL is fine. */
void locked_free(void *memory, size_t size);

/** Locks again, in a child, what its parent had. */
void locked_again(void);

#endif
