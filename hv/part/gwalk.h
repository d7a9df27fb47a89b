/* SPDX-License-Identifier: Apache-2.0 */
/** Guest page walk: guest-linear to guest-physical, for fetching the one instruction we decode.
 *  Source: SDM 3A, "Paging". Reads the guest's tables once per level, never writes A/D bits. */
#ifndef BH_PART_GWALK_H
#define BH_PART_GWALK_H

#include "part/backend.h"

/** -BH_RANGE: not mapped, or a table outside the partition's memory. */
int gwalk_translate(const struct part *part, const struct backend_mode *mode, uint64_t linear,
		    uint64_t *ret_gpa) BH_MUST_CHECK;

/** Copies guest-linear memory, across pages. Returns the bytes copied, less than size at a hole. */
size_t gwalk_copy_in(struct part *part, const struct backend_mode *mode, uint64_t linear, void *dst,
		     size_t size);

#endif
