/* SPDX-License-Identifier: Apache-2.0 */
/** A key that is printed and typed: 160 random bits as eight groups of four letters and a check
 * letter, "7K2MX-...". The alphabet has no I, L, O and U. Each check letter knows the place of its
 * group: one wrong letter, two that changed places and two groups that did are all found.
 *
 *  The secret of its keyslot is the text as it is printed, so that stock tools take it too.
 */
#ifndef VHD_RECOVERY_KEY_H
#define VHD_RECOVERY_KEY_H

#include <stddef.h>

#define RECOVERY_KEY_GROUPS 8u
#define RECOVERY_KEY_TEXT   48u /* 8 x 5 letters, 7 dashes, NUL */

/** A fresh one. 0 or -errno. */
int recovery_key_generate(char ret_text[RECOVERY_KEY_TEXT]);

/** Reads what was typed, in any case, with or without dashes and blanks, 0 for O, 1 for I and L.
 * Returns 0 and the text as printed; -EINVAL: no recovery key at all; 1 to 8: the first group that
 * is mistyped. */
int recovery_key_read(const char *typed, size_t size, char ret_text[RECOVERY_KEY_TEXT]);

#endif
