/* SPDX-License-Identifier: Apache-2.0 */
/** Ring of log text. `written` only grows; byte n of the log is ring[n % LOG_SIZE] while it is
 * kept. */
#include "dbg/log.h"

#include "cpu/insn.h"
#include "dbg/console.h"
#include "lib/format.h"
#include "lib/lock.h"
#include "lib/string.h"

#define LOG_SIZE 0x10000u
#define LOG_LINE 256u

static char ring[LOG_SIZE];
static uint64_t written;
static enum log_level level_kept = BH_LOG_LEVEL;
static struct spinlock lock;
static bool crashed;

void log_set_level(enum log_level level)
{
	level_kept = level;
}

void log_enter_crash(void)
{
	crashed = true;
}

static void ring_append(const char *text, size_t size)
{
	size_t at = written % LOG_SIZE;
	size_t first = MIN(size, LOG_SIZE - at);

	memcpy(ring + at, text, first);
	memcpy(ring, text + first, size - first);
	written += size;
}

void log_print(enum log_level level, const char *tag, const char *fmt, ...)
{
	char line[LOG_LINE];
	va_list args;
	size_t len;

	if (level > level_kept) {
		return;
	}
	len = fmt_snprintf(line, sizeof(line), "[%11lu] %s: ", insn_rdtsc(), tag);
	va_start(args, fmt);
	len += fmt_vsnprintf(line + len, sizeof(line) - len, fmt, args);
	va_end(args);
	len = MIN(len, sizeof(line) - 2);
	line[len++] = '\n';
	if (!crashed) {
		lock_acquire(&lock);
	}
	ring_append(line, len);
	console_write(line, len, level == LOG_ERROR);
	if (!crashed) {
		lock_release(&lock);
	}
}

uint64_t log_read(uint64_t cursor, char *buf, size_t size, uint64_t *ret_start,
		  uint64_t *ret_written)
{
	uint64_t oldest, take;
	size_t at, first;

	lock_acquire(&lock);
	oldest = written > LOG_SIZE ? written - LOG_SIZE : 0;
	cursor = MIN(MAX(cursor, oldest), written);
	take = MIN((uint64_t)size, written - cursor);
	at = cursor % LOG_SIZE;
	first = MIN(take, LOG_SIZE - at);
	memcpy(buf, ring + at, first);
	memcpy(buf + first, ring, take - first);
	*ret_start = cursor;
	*ret_written = written;
	lock_release(&lock);
	return take;
}
