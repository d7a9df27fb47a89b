/* SPDX-License-Identifier: Apache-2.0 */
/** The log: lines "[tsc] tag: text" in a 64 KiB ring, echoed on COM1 while root mode owns it. */
#ifndef BH_DBG_LOG_H
#define BH_DBG_LOG_H

#include "lib/types.h"

enum log_level {
	LOG_ERROR,  /* something failed that should not */
	LOG_NOTICE, /* once per boot or per life of a partition */
	LOG_INFO,   /* progress */
	LOG_DEBUG,  /* kept only with the boot option log=debug */
};

void log_print(enum log_level level, const char *tag, const char *fmt, ...) BH_PRINTF(3, 4);

#define log_error(tag, ...)  log_print(LOG_ERROR, tag, __VA_ARGS__)
#define log_notice(tag, ...) log_print(LOG_NOTICE, tag, __VA_ARGS__)
#define log_info(tag, ...)   log_print(LOG_INFO, tag, __VA_ARGS__)
#define log_debug(tag, ...)  log_print(LOG_DEBUG, tag, __VA_ARGS__)

/** Highest level that is kept; LOG_INFO at start. */
void log_set_level(enum log_level level);

/** From here on lines are printed without the lock, which the CPU that crashed may hold. */
void log_enter_crash(void);

/** Text of the log from byte `cursor` on (bytes since boot). A cursor that fell out of the ring
 * moves forward. Returns the bytes copied, *ret_start the position of the first, *ret_written the
 * bytes ever written. */
uint64_t log_read(uint64_t cursor, char *buf, size_t size, uint64_t *ret_start,
		  uint64_t *ret_written);

#endif
