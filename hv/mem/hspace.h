/* SPDX-License-Identifier: Apache-2.0 */
/** Root mode's address space: identity map of RAM, W^X, page 0 and the stack
 * guards unmapped. */
#ifndef BH_MEM_HSPACE_H
#define BH_MEM_HSPACE_H

#include "lib/types.h"

/** Builds the tables, checks them and switches to them. Needs frames_init. Errors: -BH_NOMEM,
 * -BH_CORRUPT (W^X). */
BH_MUST_CHECK int hspace_init(void);

/** Maps registers of a device at their physical address: uncached, no execution. Whole pages, not
 * RAM. Errors: -BH_NOMEM, -BH_INVAL. */
BH_MUST_CHECK int hspace_map_device(hpa_t base, uint64_t size);

/** Takes the screen's memory out of the tables, where hspace_init put it for early messages. Error:
 * -BH_NOMEM. */
BH_MUST_CHECK int hspace_unmap_screen(void);

/** Value of CR3 for every CPU in root mode. */
uint64_t hspace_cr3(void);

/** Walks the tables: -BH_CORRUPT if any page is writable and executable; *ret_leaves counts the
 * leaves. */
BH_MUST_CHECK int hspace_check_wx(unsigned *ret_leaves);

#endif
