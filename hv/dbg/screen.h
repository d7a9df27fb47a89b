/* SPDX-License-Identifier: Apache-2.0 */
/** The screen that the boot loader left us, as a console for a person without a serial line. It
 * shows the log until the control partition owns the device. */
#ifndef BH_DBG_SCREEN_H
#define BH_DBG_SCREEN_H

#include "lib/boot_info.h"

/** Clears the screen and writes to it from here on. Its memory must be mapped; depth 0: no screen.
 */
void screen_init(const struct boot_screen *from);

/** Writes printable ASCII and LF; does nothing without a screen. Full: goes on at the top. */
void screen_write(const char *text, size_t size);

/** The control partition owns the screen: its memory is not touched again. */
void screen_release(void);

/** 8x16 dots for each of ' ' to '~', a byte per line, the left dot in bit 7. Made at build time
 * from DejaVu Sans Mono by tools/glyphs.c. */
extern const uint8_t screen_glyphs['~' - ' ' + 1][16];

#endif
