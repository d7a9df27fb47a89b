/* SPDX-License-Identifier: Apache-2.0 */
/** Text of others made fit for a terminal and for JSON. */
#ifndef VHD_TOOL_TEXT_H
#define VHD_TOOL_TEXT_H

#include <stddef.h>

/** Copies valid UTF-8 and replaces each other byte, each control character and each code point that
 * turns writing around by '?', cut to the buffer at a whole character. Returns `ret_text`. */
const char *tool_text_clean(char *ret_text, size_t size, const char *untrusted);

#endif
