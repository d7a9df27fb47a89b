/* SPDX-License-Identifier: Apache-2.0 */
/** The seam between a partition's GPU back end and the switcher, and between the switcher and its
 * input back end. Both are SOCK_SEQPACKET Unix sockets that carry fixed-size messages; anything of
 * another size, an unknown type or a value out of range ends the connection.
 */
#ifndef BH_SURFACE_H
#define BH_SURFACE_H

#include <stdint.h>

#define SURFACE_SIZE_MAX 8192u /* pixels, each way */

enum surface_type {
	/** gpu -> switcher: the scan-out is now width x height pixels, `stride` bytes a row,
	 * XRGB8888 (bytes B G R X), in the memory fd that comes along (SCM_RIGHTS), sealed against
	 * shrinking and growing, at least offset + stride * height bytes. width 0: the scan-out is
	 * off, no fd. */
	SURFACE_SCANOUT = 1,
	/** gpu -> switcher: this rectangle of the scan-out has new pixels. */
	SURFACE_DAMAGE = 2,
	/** gpu -> switcher: cursor image 64 x 64 ARGB8888 in the memory fd that comes along; x, y =
	 * hot spot. width 0: hidden, no fd. */
	SURFACE_CURSOR = 3,
	/** gpu -> switcher: the cursor's hot spot is at x, y of the scan-out, both int32_t within
	 * +-SURFACE_SIZE_MAX: part of the picture may lie past any edge. */
	SURFACE_CURSOR_MOVE = 4,
	/** switcher -> gpu: the guest should use width x height. First message after connecting,
	 * from each switcher that takes the connection over: the back end answers with the scan-out
	 * it has. */
	SURFACE_RESIZE = 5,
	/** gpu -> switcher: the guest reset its device; forget scan-out and cursor. */
	SURFACE_RESET = 6,
};

struct surface_msg {
	uint32_t type;
	uint32_t scanout; /* 0 */
	uint32_t x, y, width, height;
	uint32_t stride; /* bytes */
	uint32_t offset; /* bytes */
};
_Static_assert(sizeof(struct surface_msg) == 32, "surface_msg");

/** switcher -> input back end: one evdev event as in linux/input-event-codes.h. The switcher closes
 * each group with EV_SYN/SYN_REPORT. Absolute axes run 0..32767 over the surface. */
struct surface_input {
	uint16_t type;
	uint16_t code;
	int32_t value;
};
_Static_assert(sizeof(struct surface_input) == 8, "surface_input");

#endif
