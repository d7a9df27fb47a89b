/* SPDX-License-Identifier: Apache-2.0 */
/** A small process of its own that may open input devices and nothing else: it watches /dev/input
 * and hands each device, once, to the switcher. It reads nothing from the switcher, so the switcher
 * cannot make it open anything.
 *
 *  It keeps CAP_DAC_READ_SEARCH, the switcher keeps no capability at all and has no system call
 * left that opens a file.
 */
#ifndef BH_OPENER_H
#define BH_OPENER_H

/** Starts it (must be called as root, before the switcher drops to uid, gid). Returns the socket
 * that the fds arrive on, one to a packet of one byte; -1 with a line on stderr. */
int opener_start(unsigned uid, unsigned gid);

#endif
