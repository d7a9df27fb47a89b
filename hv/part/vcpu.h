/* SPDX-License-Identifier: Apache-2.0 */
/** A virtual CPU: registers that root mode holds, why it does not run, what waits to be injected.
 *
 *  Written by the CPU that it is on, or by a management hypercall while it is off every CPU
 *  (part/sched.h). Everybody else asks: by bits in `requests`, which the vcpu serves before it enters the
 *  guest; a vcpu that is asked something gets a CPU, whatever its state. IRR takes vectors from anybody.
 */
#ifndef BH_PART_VCPU_H
#define BH_PART_VCPU_H

#include "abi/ioreq.h"
#include "abi/part.h"
#include "lib/count.h"
#include "lib/types.h"
#include "part/decode.h"
#include "part/vlapic.h"

struct cpu;
struct part;
struct sched;

/** General registers in the order of their numbers in instructions (SDM 2A, "ModR/M and SIB"); index 4
 *  (RSP) is kept by the back end. entry.S knows the offsets. */
enum reg { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R15 = 15 };
#define REG_COUNT 16

enum vcpu_state {
	VCPU_OFF,        /* no start state yet, or waits for SIPI */
	VCPU_RUNNABLE,   /* would execute instructions */
	VCPU_HALTED,     /* HLT: until an interrupt */
	VCPU_WAIT_IOREQ, /* until its runner has answered */
};

/** What others may ask of a vcpu. */
enum vcpu_request {
	VCPU_REQ_IRQ = 0x01,    /* look at the local APIC: a vector was posted */
	VCPU_REQ_NMI = 0x02,
	VCPU_REQ_INIT = 0x04,   /* before the next: */
	VCPU_REQ_SIPI = 0x08,   /* at `sipi_vector` */
	VCPU_REQ_TIMER = 0x10,  /* its deadline has passed */
	VCPU_REQ_ANSWER = 0x20, /* ioreq.answer is there */
	VCPU_REQ_ASKED = 0x40,  /* the vcpu that it waits for has asked again */
};

/** Registers that neither the hardware nor the exit path switches: swapped when another vcpu comes on. */
struct vcpu_switched {
	uint64_t msr[6]; /* backend->switched_msrs names them */
	uint64_t cr2, dr0, dr1, dr2, dr3, dr6;
	uint64_t xcr0;
};

/** What waits to be delivered before the next guest instruction. */
struct vcpu_event {
	bool valid;
	bool has_error;
	uint8_t vector;
	/* 0 external interrupt, 2 NMI, 3 exception, 4 software interrupt, 6 software exception */
	uint8_t type;
	uint32_t error;
	uint32_t insn_length; /* types 4 and 6 */
};

/** The access a vcpu waits for, and how the answer becomes register state. */
struct vcpu_ioreq {
	struct bh_ioreq request; /* our own copy */
	struct decode_insn insn; /* MMIO: what the instruction does */
	uint32_t phase;          /* enum ioreq_phase; who answers changes it first */
	bool string;             /* PIO: INS or OUTS */
	bool rep;
	uint8_t insn_length;     /* PIO */
	uint64_t linear;         /* INS, OUTS: guest-linear address of the element */
	uint64_t answer;
	uint64_t seq;
};

struct vcpu {
	uint64_t regs[REG_COUNT]; /* first: entry.S */
	struct part *part;
	uint32_t id;
	uint32_t apic_id; /* the control partition's: that of the CPU it is pinned to */
	enum vcpu_state state;
	uint32_t requests;     /* enum vcpu_request; anybody, atomic */
	uint8_t sipi_vector;   /* before VCPU_REQ_SIPI */
	bool pinned;           /* stays on its CPU; never changes */
	struct sched *home;    /* CPU it runs on next; like the next three under sched->lock */
	uint32_t place;        /* enum sched_place */
	struct vcpu *next;     /* run queue */
	uint64_t vtime;        /* weighted run time */
	bool loaded;           /* its registers are in a CPU; cleared by that CPU when they are back here */
	struct cpu *last_cpu;  /* where it ran last; written when it is loaded */
	struct vlapic lapic;
	uint64_t closed_since; /* TSC of the first slice end with interrupts off in a row; 0: none */
	bool irq_check;    /* something may be deliverable now that was not */
	uint16_t extint;   /* control partition: vector from the PIC + 1, or 0 */
	bool nmi;          /* one waits until the guest takes NMIs */
	struct vcpu_event event;
	struct vcpu_ioreq ioreq;
	struct vcpu **waits_at; /* part->waiter[n] of the vcpu it halts for, or NULL */
	struct vcpu_switched switched;
	uint64_t tsc_offset;
	uint64_t tlb_gen; /* of the partition, when this vcpu last flushed; 0: on another CPU */
	void *xstate;  /* XSAVE area, one frame */
	void *backend; /* vtx: struct vmx_vcpu */
	struct bh_vcpu_stats stats;
};
_Static_assert(offsetof(struct vcpu, regs) == 0, "entry.S");

/** Puts the vcpu into the state after INIT: real-mode reset state in the back end, local APIC reset.
 *  Context: it is off every CPU, or the one that runs here. */
void vcpu_reset(struct vcpu *vcpu);

/** Swaps `switched` and the XSAVE state in and out. Context: this CPU, vcpu not running. */
void vcpu_load(struct vcpu *vcpu);
void vcpu_save(struct vcpu *vcpu);

/** A general register by its number, RSP included. */
uint64_t vcpu_reg_read(const struct vcpu *vcpu, unsigned reg);
void vcpu_reg_write(struct vcpu *vcpu, unsigned reg, uint64_t value);

/** First state of a vcpu that is off every CPU. -BH_INVAL. */
int vcpu_start(struct vcpu *vcpu, const struct bh_vcpu_start *start) BH_MUST_CHECK;

/** Runs the vcpu until it blocks, stops, or this CPU should choose again. Loaded on this CPU. */
void vcpu_run(struct vcpu *vcpu);

/** Asks something (enum vcpu_request) of a vcpu in any state; it will look soon. Context: any CPU, no
 *  scheduler lock held. */
void vcpu_request(struct vcpu *vcpu, unsigned bits);

/** Queues an exception for injection; an earlier one makes it a double fault (SDM 3A, "Interrupt 8 -
 *  Double Fault Exception"). A contributory one on a double fault is left to the CPU as triple fault. */
void vcpu_inject_exception(struct vcpu *vcpu, unsigned vector, bool has_error, uint32_t error);

#endif
