/* SPDX-License-Identifier: Apache-2.0 */
/** Base types of root mode: addresses as types, page sizes, small macros. */
#ifndef BH_LIB_TYPES_H
#define BH_LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>

#include "abi/err.h"
#include "abi/types.h"

/** Host-physical and guest-physical addresses do not mix. */
typedef struct {
	uint64_t v;
} hpa_t;
typedef struct {
	uint64_t v;
} gpa_t;

static inline hpa_t hpa(uint64_t v)
{
	return (hpa_t){v};
}

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){v};
}

/** Root mode runs on an identity map (mem/hspace.h), so a host-physical address is its own pointer.
 */
static inline void *hpa_ptr(hpa_t pa)
{
	return (void *)(uintptr_t)pa.v;
}

static inline hpa_t ptr_hpa(const volatile void *ptr)
{
	return (hpa_t){(uintptr_t)ptr};
}

#define PAGE_SHIFT 12
#define PAGE_SIZE  0x1000ull
#define PAGE_2M	   0x200000ull
#define PAGE_1G	   0x40000000ull

#define BIT(n)		 (1ull << (n))
#define ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define ALIGN_UP(x, a)	 ALIGN_DOWN((uint64_t)(x) + (a)-1, a)
#define IS_ALIGNED(x, a) (((x) & ((uint64_t)(a)-1)) == 0)
#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX(a, b)	 ((a) > (b) ? (a) : (b))

#define BH_MUST_CHECK	 __attribute__((warn_unused_result))
#define BH_PACKED	 __attribute__((packed))
#define BH_NORETURN	 _Noreturn
#define BH_ALIGNED(n)	 __attribute__((aligned(n)))
#define BH_PRINTF(f, a)	 __attribute__((format(printf, f, a)))
#define BH_SECTION(name) __attribute__((section(name)))

#endif
