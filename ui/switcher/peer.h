/* SPDX-License-Identifier: Apache-2.0 */
/** The sockets of one partition: its GPU back end, which is not trusted at all, and its input back
 * ends.
 *
 *  A GPU back end that breaks the protocol loses its connection and with it its picture; nothing
 * else changes. It may send as fast as it likes: PEER_BUDGET messages per PEER_PERIOD_NS are read,
 * the rest waits in its socket.
 */
#ifndef BH_PEER_H
#define BH_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/core/model.h"
#include "ui/switcher/surface_map.h"
#include "ui/trusted/blit.h"

#define PEER_BUDGET    64u
#define PEER_PERIOD_NS 16000000u

/** One input back end. Releases that its full socket did not take are owed, so that no key hangs.
 */
struct peer_input {
	int fd; /* -1: none */
	bool owes;
	uint8_t owed[KEYS_COUNT / 8];
};

struct peer {
	int surface_fd; /* -1: none */
	uint32_t budget;
	uint64_t period_ns; /* when the budget was last filled */
	struct surface_maps maps;
	bool cursor_on;
	struct blit_cursor cursor;
	struct peer_input keyboard, tablet;
	uint64_t messages, dropped_inputs; /* since start */
};

void peer_init(struct peer *peer);

/** Takes the fds over (-1: none) and drops the old ones. */
void peer_connect(struct peer *peer, int surface_fd, int keyboard_fd, int tablet_fd);
void peer_close(struct peer *peer);

/** Reads what the budget allows and tells the model. Closes the connection on the first bad
 * message. */
void peer_serve(struct peer *peer, struct model *model, uint32_t part, uint64_t now_ns);

/** False while the budget is used up: leave the socket alone until peer_wake_ns(). */
bool peer_may_read(struct peer *peer, uint64_t now_ns);
uint64_t peer_wake_ns(const struct peer *peer);

void peer_send_resize(struct peer *peer, int32_t width, int32_t height);
void peer_send_input(struct peer_input *sink, const struct surface_input *input, uint64_t *dropped);

/** The source of a blit; .pixels NULL while nothing is mapped. */
struct blit_source peer_source(const struct peer *peer);

#endif
