/* SPDX-License-Identifier: Apache-2.0 */
/** What the vendor-neutral core needs from VT-x or AMD-V.
 *
 *  vtx/ and svm/ each define one table, the linker joins them, and root mode takes the one of the CPU it
 *  runs on. All functions: on the CPU they concern, with what they change locked or not yet shared. Errors
 *  are negative enum bh_err.
 */
#ifndef BH_PART_BACKEND_H
#define BH_PART_BACKEND_H

#include "mem/ptab.h"
#include "part/part.h"

/** What an instruction decoder and a guest page walk need. */
struct backend_mode {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t cs_base;
	unsigned bits; /* of the code segment: 16, 32, 64 */
	unsigned cpl;
};

/** Registers that the hardware keeps. */
enum backend_reg {
	BACKEND_RSP,
	BACKEND_RIP,
	BACKEND_RFLAGS,
	BACKEND_EFER,
	BACKEND_PAT,
	BACKEND_TSC_OFFSET,
};

/** A register of which a guest sees this value, and which ignores what it writes. */
struct backend_msr {
	uint32_t msr;
	uint64_t value;
};

struct backend {
	const char *name; /* "VT-x" */
	/** MSRs that entry and exit leave alone: the core swaps them with the vcpu. Ends with 0.
	 *  Writes of a guest to those behind the first `free_msrs` exit, so that nobody has to
	 *  read them back. */
	const uint32_t *switched_msrs;
	unsigned free_msrs;
	/** The vendor's registers that systems read unasked. Ends with 0; NULL: none. */
	const struct backend_msr *fixed_msrs;
	/** Format of the second-level tables. */
	struct ptab_format *format;

	/** The feature gate: logs each capability that is missing by its manual name. Changes nothing.
	 *  -BH_NOSUPP. */
	int (*check)(void);
	/** Once, on the first CPU; then cpu_init on every one. */
	int (*init)(void);
	/** Turns virtualization on for this CPU. -BH_NOSUPP, -BH_NOMEM. */
	int (*cpu_init)(void);

	/** What the hardware wants to know per partition; part->space is there. */
	int (*part_create)(struct part *part);
	void (*part_destroy)(struct part *part);
	/** Makes one page's writes doorbells; it has no memory. */
	int (*map_doorbell)(struct part *part, uint64_t gpa);

	int (*vcpu_create)(struct vcpu *vcpu);
	void (*vcpu_destroy)(struct vcpu *vcpu);
	/** State after RESET or INIT (SDM 3A, "Processor State After Reset"). */
	void (*vcpu_reset)(struct vcpu *vcpu);
	/** Flat 32-bit protected mode, or real mode with this base of CS. */
	void (*vcpu_start)(struct vcpu *vcpu, bool flat, uint64_t base, uint64_t rip, uint64_t rsp);

	/** Before the first entry of a turn on this CPU; before the vcpu goes to another one. */
	void (*load)(struct vcpu *vcpu);
	void (*unload)(struct vcpu *vcpu);
	/** This CPU forgets what it has cached of the second-level tables of the loaded vcpu. */
	void (*flush)(struct vcpu *vcpu);
	/** Hands pending events to the CPU, or asks for an exit when the guest can take them. */
	void (*inject)(struct vcpu *vcpu);
	/** Runs the guest until its next exit, which comes by the TSC `deadline`. False: the CPU refused the
	 *  state, and the partition is stopped. */
	bool (*enter)(struct vcpu *vcpu, uint64_t now, uint64_t deadline);
	/** Handles the exit. */
	void (*exit)(struct vcpu *vcpu);

	/* A guest's EFER and PAT are valid when they are written. */
	uint64_t (*read)(const struct vcpu *vcpu, enum backend_reg reg);
	void (*write)(struct vcpu *vcpu, enum backend_reg reg, uint64_t value);
	void (*advance)(struct vcpu *vcpu, unsigned insn_length);
	void (*mode)(struct vcpu *vcpu, struct backend_mode *ret_mode);
};

extern const struct backend vtx_backend, svm_backend;

/** The one in use; NULL before backend_choose. */
extern const struct backend *backend;

/** Takes the table for this CPU and runs its feature gate. -BH_NOSUPP: boot_error says why. */
int backend_choose(void) BH_MUST_CHECK;

/** Makes and frees what a partition has for its second-level translation. -BH_NOMEM. */
int backend_part_create(struct part *part) BH_MUST_CHECK;
void backend_part_destroy(struct part *part);

/** Second-level translation. prot: PTAB_*, memtype: PTAB_UC or PTAB_WB. No CPU translates by the old
 *  tables any more when they return. */
int backend_map(struct part *part, uint64_t gpa, hpa_t hpa, uint64_t size, unsigned prot,
		unsigned memtype) BH_MUST_CHECK;
int backend_unmap(struct part *part, uint64_t gpa, uint64_t size) BH_MUST_CHECK;
int backend_map_doorbell(struct part *part, uint64_t gpa) BH_MUST_CHECK;
/** Walks the second-level tables: true when every leaf lies in frames the partition owns or is granted. */
bool backend_check_isolation(struct part *part);
/** In debug builds and with the boot option check=isolation: walks all tables, the IOMMU's too, and stops the
 *  machine when one shows a frame to who does not own it. Called after each change. */
void backend_check_all(void);

#endif
