/* SPDX-License-Identifier: Apache-2.0 */
/** What the control partition can say and learn about a partition. */
#ifndef BH_ABI_PART_H
#define BH_ABI_PART_H

#include "types.h"

enum bh_part_state {
	BH_PART_EMPTY = 0,   /* no memory, no vcpus */
	BH_PART_CREATED = 1, /* memory zeroed, vcpus may be set */
	BH_PART_RUNNING = 2,
	BH_PART_PAUSED = 3,
	BH_PART_STOPPED = 4, /* stopped by itself, see stop_reason; reset or destroy it */
};

enum bh_stop_reason {
	BH_STOP_NONE = 0,
	BH_STOP_TRIPLE_FAULT = 1,
	BH_STOP_EXIT_UNKNOWN = 2, /* no handler for the exit reason, detail = reason */
	BH_STOP_ENTRY_FAILED = 3, /* VM entry refused the state, detail = error */
	BH_STOP_DECODE = 4,       /* an access outside RAM by an instruction we do not decode, detail = gpa */
	BH_STOP_IOREQ = 5,        /* an answer that does not fit its ioreq */
	BH_STOP_NMI = 6,          /* machine check or unexpected hardware event */
	BH_STOP_FETCH = 7,        /* executes where it has no memory, detail = gpa */
};

#define BH_PART_MAPPED 0x2u /* the control partition may map its RAM */

struct bh_part_info {
	char name[16];        /* from the policy, 0-terminated */
	uint32_t state;       /* enum bh_part_state */
	uint32_t stop_reason; /* enum bh_stop_reason */
	uint64_t stop_detail;
	uint64_t stop_rip;
	uint64_t ram_hpa;  /* where the caller sees its RAM, 0 while EMPTY */
	uint64_t ram_size; /* bytes; while EMPTY what the policy would give */
	uint32_t vcpu_count;
	uint32_t weight;
	uint32_t stop_vcpu;
	uint32_t flags; /* BH_POLICY_CONTROL, BH_PART_MAPPED */
	uint64_t tsc_khz;
};
BH_ABI_ASSERT(sizeof(struct bh_part_info) == 80);

enum bh_vcpu_mode {
	BH_VCPU_FLAT32 = 0, /* protected mode, flat 4 GiB segments, no paging: PVH, multiboot, bzImage */
	BH_VCPU_REAL = 1,   /* real mode, CS base = rip & ~0xffff */
};

/** First register state of a vcpu; all that is not named here is as after RESET. */
struct bh_vcpu_start {
	uint32_t mode; /* enum bh_vcpu_mode */
	uint32_t reserved;
	uint64_t rip, rsp, rax, rbx, rcx, rdx, rsi, rdi, rbp;
};
BH_ABI_ASSERT(sizeof(struct bh_vcpu_start) == 80);

/** Exit counters by cause, the same on VT-x and AMD-V. */
enum bh_exit_kind {
	BH_EXIT_IRQ,      /* interrupt for the host or the control partition */
	BH_EXIT_TIMER,    /* slice or deadline over */
	BH_EXIT_WINDOW,   /* interrupt window */
	BH_EXIT_CPUID,
	BH_EXIT_HLT,
	BH_EXIT_HYPERCALL,
	BH_EXIT_CR,
	BH_EXIT_PIO,
	BH_EXIT_RDMSR,
	BH_EXIT_WRMSR,
	BH_EXIT_MMIO,     /* nested-page fault that became an ioreq or a local APIC access */
	BH_EXIT_DOORBELL,
	BH_EXIT_XSETBV,
	BH_EXIT_EXCEPTION,
	BH_EXIT_OTHER,
	BH_EXIT_KINDS
};

struct bh_vcpu_stats {
	uint64_t run_tsc;   /* TSC ticks in the guest and in root mode on its behalf */
	uint64_t root_tsc;  /* of these, in root mode */
	uint64_t switches;  /* times it was put on a CPU */
	uint64_t injected;  /* interrupts and exceptions injected */
	uint64_t exits[24]; /* by enum bh_exit_kind */
};
BH_ABI_ASSERT(sizeof(struct bh_vcpu_stats) == 224);

#define BH_LOG_TEXT 4064u
struct bh_log_read {
	uint64_t cursor;  /* in: bytes seen so far; out: first byte of text[] */
	uint32_t size;    /* out: bytes in text[] */
	uint32_t reserved;
	uint64_t written; /* out: bytes ever written */
	char text[BH_LOG_TEXT];
};
BH_ABI_ASSERT(sizeof(struct bh_log_read) <= BH_PAGE_SIZE);

#endif
