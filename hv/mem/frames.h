/* SPDX-License-Identifier: Apache-2.0 */
/** Every 4 KiB frame of RAM has exactly one owner. The owner table is the only record of it.
 *
 *  Root mode has its image at 1 MiB and one window of RAM below 4 GiB, chosen at boot around what
 *  the firmware keeps and where the loader put modules. A frame is zeroed before it changes owner.
 */
#ifndef BH_MEM_FRAMES_H
#define BH_MEM_FRAMES_H

#include "lib/types.h"

#define FRAMES_IMAGE   0x100000ull  /* where boot/link.ld puts the image */
#define FRAMES_HV_SIZE 0x1000000ull /* bytes of the window, the owner table included */
#define FRAMES_POOL    0x1000000ull /* guests' RAM lies above: kernels want what is below */

/** Owners. Partition n owns FRAME_PART0 + n. */
#define FRAME_ABSENT 0u /* not RAM */
#define FRAME_HV     1u
#define FRAME_POOL   2u /* free, for partitions */
#define FRAME_PART0  16u

struct boot_info;

/** Builds the owner table from the memory map: root mode has its image and its window, all other
 * RAM is pool, all else is nobody's. Errors: -BH_NOMEM (no RAM at 1 MiB, or no room for the
 * window). */
BH_MUST_CHECK int frames_init(const struct boot_info *info);

/** One zeroed frame of root mode's own. Error: -BH_NOMEM. */
BH_MUST_CHECK int frame_alloc(hpa_t *ret);
/** `count` neighbouring zeroed frames. Error: -BH_NOMEM. */
BH_MUST_CHECK int frame_alloc_contig(unsigned count, hpa_t *ret);
/** Gives back one frame from frame_alloc or frame_alloc_contig. */
void frame_free(hpa_t frame);

/** FRAME_ABSENT, FRAME_HV, FRAME_POOL or FRAME_PART0 + n. Any address is allowed. */
unsigned frame_owner(hpa_t frame);

/** Called once when the policy is read: `sizes[i]` bytes (multiples of 2 MiB) for partition i + 1,
 * of count partitions, stay in the pool, each contiguous, from the top of RAM below 4 GiB and then above,
 * around the boot modules; all other pool frames go to partition 0. Error: -BH_NOMEM (nothing
 * changed). */
BH_MUST_CHECK int frames_reserve_pool(const struct boot_info *info, const uint64_t *sizes,
				      unsigned count);

/** A free range that was reserved for partition `part`, or with this size; size a multiple of 2 MiB,
 * address 2 MiB aligned, zeroed. Error: -BH_NOMEM, -BH_INVAL. */
BH_MUST_CHECK int frame_range_take(uint64_t size, unsigned part, hpa_t *ret);
/** Zeroes the range and returns it to the pool. */
void frame_range_release(hpa_t base, uint64_t size);
/** Every frame that [base, base + size) touches belongs to partition `part`. */
bool frame_range_owned(hpa_t base, uint64_t size, unsigned part);

/** Finds the next run of frames with one owner from *base on; false at the end of the table.
 *  For memory maps and the isolation check. */
bool frame_run_next(uint64_t *base, uint64_t *ret_size, unsigned *ret_owner);

/** First address above all RAM. */
uint64_t frames_top(void);
/** Bytes root mode has in use, its image included. */
uint64_t frames_hv_used(void);

#endif
