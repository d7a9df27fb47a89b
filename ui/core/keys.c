/* SPDX-License-Identifier: Apache-2.0 */
/** Decoding of the chord; see keys.h. */
#include "keys.h"

#include <linux/input-event-codes.h>

_Static_assert(KEYS_COUNT == KEY_CNT, "KEYS_COUNT");

bool keys_is_button(uint32_t code)
{
	return code >= BTN_MISC && code < KEY_OK;
}

static bool is_super(uint32_t code)
{
	return code == KEY_LEFTMETA || code == KEY_RIGHTMETA;
}

static bool is_modifier(uint32_t code)
{
	return code == KEY_LEFTSHIFT || code == KEY_RIGHTSHIFT || code == KEY_LEFTCTRL ||
	       code == KEY_RIGHTCTRL || code == KEY_LEFTALT || code == KEY_RIGHTALT;
}

static bool is_sent(const struct keys *keys, uint32_t code)
{
	return keys->sent[code / 8] & (1u << code % 8);
}

static void send_key(struct keys *keys, struct keys_result *result, uint32_t code, bool down)
{
	if (is_sent(keys, code) == down) {
		return;
	}
	keys->sent[code / 8] ^= (uint8_t)(1u << code % 8);
	result->events[result->count++] = (struct keys_event){(uint16_t)code, down};
}

static void super_press(struct keys *keys, uint32_t code)
{
	if (keys->super_down == 0) {
		keys->super = KEYS_SUPER_HELD;
		keys->super_code = (uint16_t)code;
		keys->super_touched = false;
	}
	keys->super_down |= code == KEY_LEFTMETA ? 1 : 2;
}

static void super_release(struct keys *keys, struct keys_result *result, uint32_t code)
{
	keys->super_down &= code == KEY_LEFTMETA ? 2 : 1;
	if (code != keys->super_code) {
		return;
	}
	if (keys->super == KEYS_SUPER_HELD && !keys->super_touched) {
		send_key(keys, result, code, true);
	}
	send_key(keys, result, code, false);
	/* The other Super, if down, still forms chords, but no guest shall learn of it. */
	keys->super = keys->super_down ? KEYS_SUPER_USED : KEYS_SUPER_UP;
	keys->super_code = code == KEY_LEFTMETA ? KEY_RIGHTMETA : KEY_LEFTMETA;
}

static bool decode_chord(struct keys *keys, struct keys_result *result, uint32_t code)
{
	if (keys->super_down == 0) {
		return false;
	}
	if (code >= KEY_1 && code <= KEY_9) {
		result->action = KEYS_FOCUS;
		result->order = code - KEY_1 + 1;
	} else if (code == KEY_TAB) {
		result->action = keys->shift_down ? KEYS_PREVIOUS : KEYS_NEXT;
	} else {
		return false;
	}
	if (keys->super == KEYS_SUPER_HELD) {
		keys->super = KEYS_SUPER_USED;
	}
	return true;
}

struct keys_result keys_feed(struct keys *keys, uint32_t code, int32_t value)
{
	struct keys_result result = {.action = KEYS_NONE};

	if (code >= KEYS_COUNT || (value != 0 && value != 1)) {
		return result;
	}
	if (code == KEY_LEFTSHIFT || code == KEY_RIGHTSHIFT) {
		uint8_t bit = code == KEY_LEFTSHIFT ? 1 : 2;

		keys->shift_down = value ? keys->shift_down | bit : keys->shift_down & ~bit;
	}
	if (is_super(code)) {
		if (value) {
			super_press(keys, code);
		} else {
			super_release(keys, &result, code);
		}
		return result;
	}
	if (!value) {
		send_key(keys, &result, code, false);
		return result;
	}
	if (decode_chord(keys, &result, code)) {
		return result;
	}
	if (keys->super == KEYS_SUPER_HELD) {
		if (is_modifier(code)) {
			/* It may still become Super+Shift+Tab: keep Super back. */
			keys->super_touched = true;
		} else {
			send_key(keys, &result, keys->super_code, true);
			keys->super = KEYS_SUPER_PASSED;
		}
	}
	send_key(keys, &result, code, true);
	return result;
}

bool keys_take_sent(struct keys *keys, uint16_t *ret_code)
{
	for (uint32_t i = 0; i < sizeof(keys->sent); i++) {
		if (keys->sent[i]) {
			uint32_t bit = (uint32_t)__builtin_ctz(keys->sent[i]);

			keys->sent[i] &= (uint8_t)(keys->sent[i] - 1);
			*ret_code = (uint16_t)(i * 8 + bit);
			return true;
		}
	}
	return false;
}
