/* SPDX-License-Identifier: Apache-2.0 */
/** What the runner says: one line on standard error when it ends, and debug lines on request. */
#ifndef RUNNER_REPORT_H
#define RUNNER_REPORT_H

#include <stdbool.h>
#include "exit_code.h"

/** Parts of the runner that can be told to talk: --debug pci.cfg, --debug virtio.status, ... */
enum report_flag {
	REPORT_BUS_MISS,
	REPORT_PCI_CFG,
	REPORT_VIRTIO_STATUS,
	REPORT_VHOST_MSG,
	REPORT_VCPU_IOREQ,
	REPORT_ASSIGNED,
	REPORT_FLAG_COUNT
};

/** Prefix of all lines, e.g. the name of the partition. The string must stay. */
void report_set_name(const char *name);
/** Switches a debug flag on by its name; false if there is none of that name. */
bool report_enable(const char *name);
/** Names of all flags, NULL at the end. */
const char *const *report_flag_names(void);
bool report_wants(enum report_flag flag);

/** Prints a line if the flag is on. Any thread. */
void report_debug(enum report_flag flag, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/** Prints a line always. */
void report_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));
/** Prints why and ends the process with that code, from any thread. */
_Noreturn void report_end(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
