/* SPDX-License-Identifier: Apache-2.0 */
/** Counters with one writer, which anybody may read at any time. Adding is one plain instruction: a
 * reader on another CPU sees the old value or the new one, and the writer pays for no lock prefix. */
#ifndef BH_LIB_COUNT_H
#define BH_LIB_COUNT_H

#include "lib/types.h"

static inline void count_add(uint64_t *count, uint64_t n)
{
	__asm__("addq %1, %0" : "+m"(*count) : "er"(n) : "cc");
}

/** Copies `number` counters, each whole; those of one moment they need not be. */
static inline void count_read(const uint64_t *counts, size_t number, uint64_t *ret_counts)
{
	for (size_t i = 0; i < number; i++) {
		ret_counts[i] = __atomic_load_n(&counts[i], __ATOMIC_RELAXED);
	}
}

#endif
