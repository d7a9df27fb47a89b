/* SPDX-License-Identifier: Apache-2.0 */
/** SDL scancodes as evdev key codes: what a developer's window needs to look like a keyboard. */
#ifndef BH_SDL_KEYS_H
#define BH_SDL_KEYS_H

#include <stdint.h>

/** KEY_..., 0 for a key that evdev has no code for. */
uint16_t sdl_keys_code(uint32_t scancode);

#endif
