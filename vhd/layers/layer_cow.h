/* SPDX-License-Identifier: Apache-2.0 */
/** The "cow" layer: writes are kept apart and gone at the end; the layer below is only read. So a
 * disk can be mounted with its journal replayed, scanned or given to a guest, and stays as it is.
 *
 *  Writes are kept by blocks of 4 KiB, in memory or in a temporary file, up to a bound: then they
 * fail with -ENOSPC. Blocks of zeros take no space. Flush makes nothing lasting.
 */
#ifndef VHD_LAYER_COW_H
#define VHD_LAYER_COW_H

#include "file.h"
#include "layer.h"

#define LAYER_COW_BLOCK 4096u

/** Owns `below` from now on when 0 is returned, and `store`: an empty file that takes the writes,
 * NULL: memory. bound: bytes that may be kept; 0: any. -ENOMEM; -EFBIG: more than 8 TiB. */
VHD_MUST_CHECK int layer_cow_open(struct layer *below, struct file *store, uint64_t bound,
				  struct layer **ret_layer);

/** Bytes that the writes take now. */
uint64_t layer_cow_get_used(const struct layer *cow);

#endif
