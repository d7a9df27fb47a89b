/* SPDX-License-Identifier: Apache-2.0 */
/** Lines on standard error, each written by one write() so that threads do not mix. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 512

static const char *const flag_names[] = {
	[REPORT_BUS_MISS] = "bus.miss",		  [REPORT_PCI_CFG] = "pci.cfg",
	[REPORT_VIRTIO_STATUS] = "virtio.status", [REPORT_VHOST_MSG] = "vhost.msg",
	[REPORT_VCPU_IOREQ] = "vcpu.ioreq",	  [REPORT_ASSIGNED] = "assigned.irq",
	[REPORT_FLAG_COUNT] = NULL,
};

static bool flag_on[REPORT_FLAG_COUNT];
static const char *report_name = "";

void report_set_name(const char *name)
{
	report_name = name;
}

bool report_enable(const char *name)
{
	for (unsigned i = 0; i < REPORT_FLAG_COUNT; i++) {
		if (strcmp(flag_names[i], name) == 0) {
			flag_on[i] = true;
			return true;
		}
	}
	return false;
}

const char *const *report_flag_names(void)
{
	return flag_names;
}

bool report_wants(enum report_flag flag)
{
	return flag_on[flag];
}

__attribute__((format(printf, 1, 0))) static void print_line(const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	int used = snprintf(line, sizeof(line), "bulkhead-runner%s%s: ", report_name[0] ? " " : "",
			    report_name);
	int more;

	if (used < 0 || (size_t)used >= sizeof(line) - 1) {
		used = 0;
	}
	more = vsnprintf(line + used, sizeof(line) - 1 - (size_t)used, format, args);
	if (more > 0) {
		used += more;
	}
	if ((size_t)used > sizeof(line) - 2) {
		used = sizeof(line) - 2;
	}
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)used) < 0) {
		return; /* nobody reads us; there is no second place to say so */
	}
}

void report_debug(enum report_flag flag, const char *format, ...)
{
	va_list args;

	if (!flag_on[flag]) {
		return;
	}
	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

void report_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
}

void report_end(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_line(format, args);
	va_end(args);
	_exit(code);
}
