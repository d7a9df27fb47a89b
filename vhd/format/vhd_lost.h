/* SPDX-License-Identifier: Apache-2.0 */
/** The footer of a fixed disk that was being made longer when the power went: the file may be long
 * already and its new footer not there. Then the old one is the last thing in the file.
 */
#ifndef VHD_LOST_H
#define VHD_LOST_H

#include "file.h"
#include "vhd_footer.h"

/** Zeros before the end of the file that are looked at; holes cost nothing. */
#define VHD_LOST_SCAN_MAX (16u << 20)

/** Finds the footer behind which only zeros lie. -EINVAL: there is none; -errno of reading. */
VHD_MUST_CHECK int vhd_lost_find(struct file *file, uint64_t file_size, uint64_t *ret_offset);

#endif
