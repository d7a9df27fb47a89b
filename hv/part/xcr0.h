/* SPDX-License-Identifier: Apache-2.0 */
/** Which XSAVE components a guest may enable. Source: SDM 1, "Managing State Using the XSAVE Feature Set". */
#ifndef BH_PART_XCR0_H
#define BH_PART_XCR0_H

#include "lib/types.h"

#define XCR0_X87    0x1ull
#define XCR0_SSE    0x2ull
#define XCR0_AVX    0x4ull

/** The components of the CPU that fit into one frame and that we hand on; fixed after xcr0_init. XCR0 of a
 *  CPU has this value while nobody's registers are loaded. */
extern uint64_t xcr0_allowed;
/** Reads the CPU. -BH_NOSUPP: the save area of the allowed components is larger than a frame. */
int xcr0_init(void) BH_MUST_CHECK;
/** May a guest write this to XCR0? */
bool xcr0_check(uint64_t value);

#endif
