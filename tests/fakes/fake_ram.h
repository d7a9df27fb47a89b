/* SPDX-License-Identifier: Apache-2.0 */
/** RAM at its own physical address: root mode runs on an identity map, and so do its host tests. */
#ifndef FAKE_RAM_H
#define FAKE_RAM_H

#include "lib/boot_info.h"
#include "lib/types.h"

#define FAKE_IMAGE_END 0x180000ull /* image_layout().end */

/** Gives the test RAM from 1 MiB to `size` bytes, filled with 0xa5, and resets boot_record() to a map
 *  of it with no modules. Once or more a process. */
void fake_ram_init(uint64_t size);

/** Adds a module with these bytes at `base`; role is the first word of its string. */
void fake_ram_module(const char *role, uint64_t base, const void *bytes, uint64_t size);

#endif
