/* SPDX-License-Identifier: Apache-2.0 */
/** Checks of messages from the sockets. The bytes are the caller's private copy; what passes here
 * is in range and may be acted upon without another look. Formats: ui/proto/.
 */
#ifndef BH_MESSAGE_H
#define BH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/proto/surface.h"
#include "ui/proto/switcher.h"

#define MESSAGE_CURSOR_SIZE 64u /* pixels, each way */

/** A packet of a GPU back end with fd_count fds. Returns false when it breaks the protocol; the
 * caller then ends the connection. */
bool message_decode_surface(const void *untrusted, size_t size, unsigned fd_count,
			    struct surface_msg *ret_msg);

/** Last byte + 1 of the scan-out's pixels in its memory fd. msg has passed
 * message_decode_surface(). */
uint64_t message_surface_end(const struct surface_msg *msg);

/** A packet of bulkheadd with fd_count fds. Returns false when it is to be dropped. Strings come
 * out terminated and printable (other bytes become '?'). */
bool message_decode_switcher(const void *untrusted, size_t size, unsigned fd_count,
			     struct switcher_msg *ret_msg);

/** The same for SWITCHER_ASK; choices past .choice_count and lines past .line_count come out empty.
 */
bool message_decode_question(const void *untrusted, size_t size, unsigned fd_count,
			     struct switcher_question *ret_question);

#endif
