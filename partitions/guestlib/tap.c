/* SPDX-License-Identifier: Apache-2.0 */
/** Test results as TAP lines. */
#include "guest.h"

static unsigned int tap_count, tap_failed;

void tap_ok(bool ok, const char *format, ...)
{
	va_list ap;

	tap_count++;
	tap_failed += ok ? 0 : 1;
	guest_printf("%s %u - ", ok ? "ok" : "not ok", tap_count);
	va_start(ap, format);
	guest_vprintf(format, ap);
	va_end(ap);
	guest_printf("\n");
}

void tap_equal(uint64_t got, uint64_t want, const char *what)
{
	tap_ok(got == want, "%s", what);
	if (got != want) {
		guest_printf("# got 0x%lx, want 0x%lx\n", got, want);
	}
}

void tap_skip(const char *what, const char *why)
{
	tap_count++;
	guest_printf("ok %u - %s # SKIP %s\n", tap_count, what, why);
}

int tap_done(void)
{
	guest_printf("1..%u\n", tap_count);
	return tap_failed == 0 ? 0 : 1;
}

int tap_skip_all(const char *why)
{
	guest_printf("1..0 # SKIP %s\n", why);
	return 0;
}
