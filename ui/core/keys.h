/* SPDX-License-Identifier: Apache-2.0 */
/** The key chord, decoded from raw evdev codes before anything else sees them, and the record of
 * which keys the focused partition believes to be down.
 *
 *  Super+1..9 and Super+Tab (Shift: backwards) belong to the switcher: no partition ever sees such
 * a digit or Tab, nor the Super that was held for it. A Super that was pressed and released alone
 * reaches the guest as a tap; with any other key it reaches the guest just before that key. Repeats
 * are dropped: guests repeat by themselves.
 */
#ifndef BH_KEYS_H
#define BH_KEYS_H

#include <stdbool.h>
#include <stdint.h>

#define KEYS_COUNT   768u /* KEY_CNT of linux/input-event-codes.h */
#define KEYS_OUT_MAX 2u

enum keys_action {
	KEYS_NONE = 0,
	KEYS_FOCUS, /* .order says which */
	KEYS_NEXT,
	KEYS_PREVIOUS,
};

enum keys_super {
	KEYS_SUPER_UP = 0,
	KEYS_SUPER_HELD,   /* down, the guest does not know */
	KEYS_SUPER_PASSED, /* down, the guest knows */
	KEYS_SUPER_USED,   /* down, was part of a chord: the guest will not learn of it */
};

struct keys {
	enum keys_super super;
	uint16_t super_code;	      /* the one that is down; of two, the first */
	bool super_touched;	      /* a modifier went down meanwhile: no tap on release */
	uint8_t super_down;	      /* bit 0 left, bit 1 right */
	uint8_t shift_down;	      /* the same */
	uint8_t sent[KEYS_COUNT / 8]; /* keys the focused partition believes to be down */
};

struct keys_event {
	uint16_t code;
	bool down;
};

struct keys_result {
	enum keys_action action;
	uint32_t order;
	unsigned count; /* events for the focused partition, in this order */
	struct keys_event events[KEYS_OUT_MAX];
};

/** One EV_KEY event; value 0 up, 1 down, 2 repeat. A code or value out of range gives an empty
 * result. */
struct keys_result keys_feed(struct keys *keys, uint32_t code, int32_t value);

/** Takes one key that the focused partition believes to be down out of the record, for the caller
 * to send its release. Returns false when there is none left. */
bool keys_take_sent(struct keys *keys, uint16_t *ret_code);

/** True for mouse buttons and the like, which go to the tablet. */
bool keys_is_button(uint32_t code);

#endif
