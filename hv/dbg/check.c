/* SPDX-License-Identifier: Apache-2.0 */
/** What happens when we are wrong, and when we refuse to start. */
#include "dbg/check.h"

#include "cpu/percpu.h"
#include "dbg/console.h"
#include "dbg/crash.h"
#include "dbg/halt.h"
#include "dbg/log.h"
#include "lib/format.h"
#include "lib/string.h"

void check_failed(const char *file, int line, const char *cond)
{
	char text[128];

	fmt_snprintf(text, sizeof(text), "check failed at %s:%d: %s", file, line, cond);
	crash_stop(NULL, text);
}

int check_fail(const char *file, int line, enum bh_err code)
{
	log_debug("fail", "error %d at %s:%d", (int)code, file, line);
	return -(int)code;
}

static void say(const char *text)
{
	console_write(text, strlen(text), true);
}

void boot_refuse(const char *what, const char *remedy)
{
	char text[320];

	fmt_snprintf(text, sizeof(text), "bulkhead: cannot start: %s; %s\n", what, remedy);
	say(text);
	boot_halt();
}

void (*halt_others)(void);
static uint32_t halting; /* CPU that halts the machine + 1, or 0 */

void halt_if_crashed(void)
{
	if (__atomic_load_n(&halting, __ATOMIC_ACQUIRE)) {
		insn_stop();
	}
}

void halt_begin(void)
{
	uint32_t self = cpu_this()->id + 1, owner = 0;

	if (__atomic_compare_exchange_n(&halting, &owner, self, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		if (halt_others) {
			halt_others();
		}
	} else if (owner != self) {
		insn_stop();
	}
}

void boot_halt(void)
{
	halt_begin();
	say("bulkhead: halted\n");
	insn_stop();
}
