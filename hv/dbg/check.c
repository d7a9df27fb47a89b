/* SPDX-License-Identifier: Apache-2.0 */
/** What happens when we are wrong, and when we refuse to start. */
#include "dbg/check.h"

#include "cpu/insn.h"
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

void boot_halt(void)
{
	say("bulkhead: halted\n");
	insn_stop();
}
