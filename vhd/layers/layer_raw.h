/* SPDX-License-Identifier: Apache-2.0 */
/** The "raw" layer: a file whose bytes are the disk. A bottom layer.
 *
 *  A file whose size is no multiple of LAYER_SECTOR has its last sector filled up with zeros; the
 * file grows when that sector is written. After a flush that failed nothing can be promised any
 * more: writes and flushes return -EIO until the disk is opened again.
 */
#ifndef VHD_LAYER_RAW_H
#define VHD_LAYER_RAW_H

#include "file.h"
#include "layer.h"

/** Owns `file` from now on when 0 is returned. -EINVAL: the file is empty; -ENOMEM, -errno. Locks
 * nothing. */
VHD_MUST_CHECK int layer_raw_open(struct file *file, struct layer **ret_layer);

#endif
