/* SPDX-License-Identifier: Apache-2.0 */
/** A guest's pixels, mapped for reading only. The memory must be a sealed memfd: what cannot shrink
 * cannot fault. */
#ifndef BH_SURFACE_MAP_H
#define BH_SURFACE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "ui/proto/surface.h"

#define SURFACE_MAPS_MAX 3u /* buffers that a guest may flip between without being mapped afresh   \
			     */

struct surface_map {
	void *base; /* NULL: nothing mapped */
	size_t size;
	uint64_t device, inode, start; /* of what */
};

/** Mappings of one partition. */
struct surface_maps {
	struct surface_map list[SURFACE_MAPS_MAX];
	unsigned next;			/* to be replaced */
	const uint8_t *pixels;		/* row 0 of what is shown, NULL: nothing */
	uint32_t stride, columns, rows; /* rows that are mapped: no more than the screen can show */
};

/** Shows the scan-out that msg describes (it has passed message_decode_surface()) from fd, at most
 * max_rows of it; maps it unless it is mapped already. fd stays the caller's. Returns 0; -1 with a
 * reason in *ret_why when the memory is not sealed, not a memfd of ordinary pages, too small, or
 * cannot be mapped (*maps is unchanged). */
int surface_map_show(struct surface_maps *maps, const struct surface_msg *msg, int fd,
		     uint32_t max_rows, const char **ret_why);
void surface_map_close_all(struct surface_maps *maps);

/** Copies `size` bytes at `offset` of such a memfd. Returns 0 or -1. */
int surface_map_copy(int fd, uint64_t offset, void *to, size_t size, const char **ret_why);

#endif
