/* SPDX-License-Identifier: Apache-2.0 */
/** Numbers in words. */
#define _GNU_SOURCE
#include "words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "runner/exit_code.h"

void words_stop_reason(const struct bh_part_info *info, char *text, size_t size)
{
	uint64_t detail = info->stop_detail;

	switch (info->stop_reason) {
	case BH_STOP_NONE:
		snprintf(text, size, "no reason");
		break;
	case BH_STOP_TRIPLE_FAULT:
		snprintf(text, size, "triple fault");
		break;
	case BH_STOP_EXIT_UNKNOWN:
		snprintf(text, size, "no handler for exit %" PRIu64, detail);
		break;
	case BH_STOP_ENTRY_FAILED:
		snprintf(text, size, "VM entry failed, error %" PRIu64, detail);
		break;
	case BH_STOP_DECODE:
		snprintf(text, size, "undecoded access to %#" PRIx64, detail);
		break;
	case BH_STOP_IOREQ:
		snprintf(text, size, "wrong answer to an access");
		break;
	case BH_STOP_NMI:
		snprintf(text, size, "machine check or unexpected hardware event");
		break;
	case BH_STOP_FETCH:
		snprintf(text, size, "jumped to %#" PRIx64 " where it has no memory", detail);
		break;
	default:
		snprintf(text, size, "stop reason %u", info->stop_reason);
		break;
	}
}

const char *words_exit_kind(unsigned int kind)
{
	static const char *const names[BH_EXIT_KINDS] = {
		[BH_EXIT_IRQ] = "irq",	     [BH_EXIT_TIMER] = "timer",
		[BH_EXIT_WINDOW] = "window", [BH_EXIT_CPUID] = "cpuid",
		[BH_EXIT_HLT] = "hlt",	     [BH_EXIT_HYPERCALL] = "hypercall",
		[BH_EXIT_CR] = "cr",	     [BH_EXIT_PIO] = "pio",
		[BH_EXIT_RDMSR] = "rdmsr",   [BH_EXIT_WRMSR] = "wrmsr",
		[BH_EXIT_MMIO] = "mmio",     [BH_EXIT_DOORBELL] = "doorbell",
		[BH_EXIT_XSETBV] = "xsetbv", [BH_EXIT_EXCEPTION] = "exception",
		[BH_EXIT_OTHER] = "other",
	};

	return kind < BH_EXIT_KINDS && names[kind] ? names[kind] : "unknown";
}

void words_process_end(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status)) {
		snprintf(text, size, "killed by signal %d", WTERMSIG(status));
	} else {
		snprintf(text, size, "exited with status %d", WEXITSTATUS(status));
	}
}

void words_runner_end(int status, char *text, size_t size)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (code == EXIT_CODE_POWER_OFF) {
		snprintf(text, size, "powered off");
	} else if (code == EXIT_CODE_START) {
		snprintf(text, size, "could not be set up");
	} else if (code == EXIT_CODE_RESET) {
		snprintf(text, size, "asked for a reset");
	} else if (code == EXIT_CODE_STOPPED) {
		snprintf(text, size, "stopped by the hypervisor");
	} else if (code == EXIT_CODE_BACK_END) {
		snprintf(text, size, "lost a back end");
	} else if (code >= EXIT_CODE_DEBUG_EXIT) {
		snprintf(text, size, "debug exit %d", code & 127);
	} else {
		char end[64];

		words_process_end(status, end, sizeof(end));
		snprintf(text, size, "runner %s", end);
	}
}
