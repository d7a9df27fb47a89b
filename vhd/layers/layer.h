/* SPDX-License-Identifier: Apache-2.0 */
/** A virtual disk, or something that sits on one and does one thing to its requests: crypt, cow,
 * verify, throttle, fault, delay, stats. The bottom of a stack is an image (vhd/format) or a raw
 * file (layer_raw.h).
 *
 *  Offsets and sizes are bytes within [0, layer->size), multiples of LAYER_SECTOR; callers outside
 * use layer_read() and its like, which check that. Functions return 0 or -errno.
 *
 *  * flush() returned 0: every write, zero and discard that *returned 0 before the call* survives a
 *    power cut. One that failed leaves its range old or new by sectors, and the disk usable.
 *  * Before that, a power cut leaves each sector of a written range old or new.
 *  * After discard() the range reads as anything that it held before, or zeros, or what the layer
 *    makes of zeros; it never shows bytes of another range.
 *
 *  Context: as fiber.h says; a layer serves several requests of one thread at a time.
 */
#ifndef VHD_LAYER_H
#define VHD_LAYER_H

#include "why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define LAYER_SECTOR 512u

/** Bits of an extent. */
enum layer_extent {
	LAYER_DATA = 0,
	LAYER_ZERO = 1u << 0, /* reads as zeros for sure */
	LAYER_HOLE = 1u << 1, /* takes no space in this layer's own file */
};

struct layer;

struct layer_ops {
	const char *name; /* "crypt", "vhd" ... */
	int (*read)(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		    uint64_t offset);
	int (*write)(struct layer *layer, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset);
	/** Reads as zeros afterwards. NULL: layer_zero() writes zeros. */
	int (*zero)(struct layer *layer, uint64_t offset, uint64_t size);
	/** NULL: nothing happens. */
	int (*discard)(struct layer *layer, uint64_t offset, uint64_t size);
	int (*flush)(struct layer *layer);
	/** What lies at `offset`: bits in *ret_extent, for *ret_size > 0 bytes. NULL: data to the
	 * end. */
	int (*extent)(struct layer *layer, uint64_t offset, uint64_t *ret_size,
		      unsigned *ret_extent);
	/** Closes this layer only; returns the first error of what it still had to do. */
	int (*close)(struct layer *layer);
};

/** First member of each kind of layer. */
struct layer {
	const struct layer_ops *ops;
	struct layer *below; /* NULL at the bottom */
	uint64_t size;	     /* bytes; changes by resizing only */
	uint32_t
		block_size; /* requests aligned to this need no read-modify-write; a power of two */
	bool read_only;
};

/** Puts a fresh layer (its memory all zero) on `below`: same size, block size and read-only flag.
 */
void layer_init_over(struct layer *layer, const struct layer_ops *ops, struct layer *below);

/** -EINVAL: not aligned, or outside; -EROFS. */
VHD_MUST_CHECK int layer_readv(struct layer *layer, const struct iovec *iov, unsigned count,
			       size_t size, uint64_t offset);
VHD_MUST_CHECK int layer_writev(struct layer *layer, const struct iovec *iov, unsigned count,
				size_t size, uint64_t offset);
VHD_MUST_CHECK int layer_read(struct layer *layer, void *ret_bytes, size_t size, uint64_t offset);
VHD_MUST_CHECK int layer_write(struct layer *layer, const void *bytes, size_t size,
			       uint64_t offset);
VHD_MUST_CHECK int layer_zero(struct layer *layer, uint64_t offset, uint64_t size);
VHD_MUST_CHECK int layer_discard(struct layer *layer, uint64_t offset, uint64_t size);
VHD_MUST_CHECK int layer_flush(struct layer *layer);
VHD_MUST_CHECK int layer_extent(struct layer *layer, uint64_t offset, uint64_t *ret_size,
				unsigned *ret_extent);

/** The layer of that name in the stack, or NULL. */
struct layer *layer_find(struct layer *top, const char *name);

/** Closes the whole stack from the top; NULL is fine. Does not flush. Returns the first error. */
int layer_close(struct layer *top);

#endif
