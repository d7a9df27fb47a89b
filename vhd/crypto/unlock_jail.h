/* SPDX-License-Identifier: Apache-2.0 */
/** Shuts the process in before it looks at a header: no files but what is open, no network, no new
 * programs or privileges, a few system calls, bounded memory and time.
 */
#ifndef VHD_UNLOCK_JAIL_H
#define VHD_UNLOCK_JAIL_H

#include <stdbool.h>
#include <stddef.h>

/** Loads what the libraries would load later: call before unlock_jail(). */
bool unlock_warm_up(void);

/** For good. `memory` bytes may be used on top of what is used now. False: the kernel refused. */
bool unlock_jail(size_t memory);

#endif
