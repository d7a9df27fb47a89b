/* SPDX-License-Identifier: Apache-2.0 */
/** Room for new blocks at the end of the file, and the footer behind it.
 *
 *  The file grows by several blocks at a time, in an order that leaves a footer at its end at every
 * instant of a power cut; taking a block from the room then writes nothing.
 */
#ifndef VHD_ROOM_H
#define VHD_ROOM_H

#include "vhd_image.h"

/** Bytes that the file grows by at most, for blocks of the usual size. */
#define VHD_ROOM_GROW_MAX (64u << 20)

/** Gives the block a place, in memory, when it has none. Of a dynamic disk it reads as zeros, of a
 * differencing one it shows its parent until sectors are set. Returns 0; -ENOSPC, -EFBIG, -ENOMEM,
 * -EIO ...: nothing changed. */
VHD_MUST_CHECK int vhd_room_allocate(struct vhd_image *image, uint32_t block);

/** Puts in order what a power cut left: the footer at the end and its copy, blocks behind it that
 * no table names. For an image that was just opened for writing. */
VHD_MUST_CHECK int vhd_room_settle(struct vhd_image *image);

/** Of a fixed disk that became longer: wipes the old footer inside it, then the note about it. */
VHD_MUST_CHECK int vhd_room_settle_fixed(struct vhd_image *image);

/** Gives unused room at the end of the file back. */
VHD_MUST_CHECK int vhd_room_trim(struct vhd_image *image);

/** Puts the footer to `offset`, lasting, and ends the file behind it. */
VHD_MUST_CHECK int vhd_room_end_at(struct vhd_image *image, uint64_t offset);

/** Sets `size` bytes apart at the end of the file, on a VHD_FILE_STEP boundary, zeros, with a
 * lasting footer behind them. There must be no unused room. */
VHD_MUST_CHECK int vhd_room_reserve(struct vhd_image *image, uint64_t size, uint64_t *ret_offset);

#endif
