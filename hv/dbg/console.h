/* SPDX-License-Identifier: Apache-2.0 */
/** COM1, polled, 115200 8N1; the only device root mode drives besides the APIC. */
#ifndef BH_DBG_CONSOLE_H
#define BH_DBG_CONSOLE_H

#include "lib/types.h"

/** Sets the line up if there is a UART. */
void console_init(void);

/** Writes text, LF as CR LF. After console_release only what is `urgent` goes out. */
void console_write(const char *text, size_t size, bool urgent);

/** The control partition owns COM1 and the screen from here on: only errors are echoed to COM1, unless
 * `keep` (boot option console=always). */
void console_release(void);
void console_keep(void);

#endif
