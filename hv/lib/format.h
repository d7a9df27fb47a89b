/* SPDX-License-Identifier: Apache-2.0 */
/** printf into a buffer. Conversions: d u x c s %, lengths l ll z, flags 0 and -, width. */
#ifndef BH_LIB_FORMAT_H
#define BH_LIB_FORMAT_H

#include <stdarg.h>

#include "lib/types.h"

/** Writes at most size - 1 characters and a 0 (size > 0). Returns the length written, which is <
 * size. */
size_t fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args) BH_PRINTF(3, 0);
size_t fmt_snprintf(char *buf, size_t size, const char *fmt, ...) BH_PRINTF(3, 4);

#endif
