/* SPDX-License-Identifier: Apache-2.0 */
/** The GPU back end's side of the connection to the switcher (ui/proto/surface.h).
 *
 *  What the switcher has not been told yet is kept as a state (scan-out, cursor, one box of
 * damage), not as a queue of messages: a slow switcher costs a few words, and the guest never waits
 * for it. Without a connection everything is accepted and forgotten.
 */
#ifndef BH_DEVICES_SCREEN_H
#define BH_DEVICES_SCREEN_H

#include "proto/surface.h"

#include <poll.h>
#include <stdbool.h>

/** A message to be sent, with the fd that goes along (owned; -1: none). */
struct screen_message {
	bool pending;
	struct surface_msg msg;
	int fd;
};

struct screen {
	int sock; /* -1: no switcher */
	bool reset_pending;
	struct screen_message scanout, cursor, move;
	struct screen_message damage; /* the box around all that was damaged */
};

/** sock: connected SOCK_SEQPACKET socket, owned from now on; -1 for none. */
void screen_init(struct screen *screen, int sock);

/** Tell the switcher; fd stays the caller's. width 0 and fd -1: off. */
void screen_set_scanout(struct screen *screen, int fd, uint32_t width, uint32_t height,
			uint32_t stride, uint32_t offset);
void screen_set_cursor(struct screen *screen, int fd, uint32_t hot_x, uint32_t hot_y);
void screen_move_cursor(struct screen *screen, uint32_t x, uint32_t y);
void screen_damage(struct screen *screen, uint32_t x, uint32_t y, uint32_t width, uint32_t height);
void screen_reset(struct screen *screen);

/** Sends what is pending as far as the socket takes it. */
void screen_flush(struct screen *screen);

/** What to wait for; fd -1 without a connection. */
struct pollfd screen_poll(const struct screen *screen);

/** After poll() found something to read: takes one message. True when the switcher asks for a size.
 */
bool screen_receive_resize(struct screen *screen, uint32_t *ret_width, uint32_t *ret_height);

#endif
