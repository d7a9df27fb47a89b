/* SPDX-License-Identifier: Apache-2.0 */
/** Exceptions in root mode are our own faults, but for the few instructions that may fault
 * (.fixup). */
#include "cpu/trap.h"

#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "dbg/crash.h"
#include "dbg/halt.h"
#include "lib/format.h"

struct fixup {
	uint64_t at, resume;
};

extern const struct fixup link_fixup_start[], link_fixup_end[];

static const char *const names[] = {
	"#DE divide error",
	"#DB debug",
	"NMI",
	"#BP breakpoint",
	"#OF overflow",
	"#BR bound",
	"#UD invalid opcode",
	"#NM no FPU",
	"#DF double fault",
	"reserved",
	"#TS invalid TSS",
	"#NP segment not present",
	"#SS stack fault",
	"#GP general protection",
	"#PF page fault",
	"reserved",
	"#MF x87 error",
	"#AC alignment",
	"#MC machine check",
	"#XM SIMD error",
	"#VE virtualization",
	"#CP control protection",
};

static bool fix_up(struct trap_frame *frame)
{
	for (const struct fixup *f = link_fixup_start; f < link_fixup_end; f++) {
		if (f->at == frame->rip && frame->vector == EXC_GP) {
			frame->rip = f->resume;
			return true;
		}
	}
	return false;
}

void trap_handle(struct trap_frame *frame)
{
	char text[64];

	if (frame->vector >= 32) {
		irq_handle((unsigned)frame->vector);
		return;
	}
	if (frame->vector == EXC_NMI && cpu_this()->guest_nmi) {
		cpu_this()->guest_nmi = false;
		return;
	}
	if (fix_up(frame)) {
		return;
	}
	if (frame->vector == EXC_NMI) {
		halt_if_crashed();
	}
	fmt_snprintf(text, sizeof(text), "exception in root mode: %s",
		     frame->vector < ARRAY_SIZE(names) ? names[frame->vector] : "reserved");
	crash_stop(frame, text);
}
