/* SPDX-License-Identifier: Apache-2.0 */
/** The virtual machine control block. Source: APM 2, "VMCB Layout, Control Area", "VMCB Layout, State Save
 *  Area", "SVM Intercept Exit Codes". */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include "lib/types.h"

struct vmcb_segment {
	uint16_t selector;
	uint16_t attributes; /* descriptor bits 55:52 and 47:40 */
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint16_t cr_read, cr_write; /* intercepts, bit n: CRn */
	uint16_t dr_read, dr_write;
	uint32_t exceptions; /* bit n: vector n */
	uint32_t intercept[3];
	uint8_t reserved1[0x40 - 0x18];
	uint64_t io_map;
	uint64_t msr_map;
	uint64_t tsc_offset;
	uint32_t asid;
	uint32_t tlb_control;
	uint64_t int_ctl;
	uint64_t int_state;
	uint64_t exit_code;
	uint64_t exit_info1;
	uint64_t exit_info2;
	uint64_t exit_int_info; /* the event whose delivery the exit interrupted, as event_inj */
	uint64_t np_enable;
	uint8_t reserved2[0xa8 - 0x98];
	uint64_t event_inj;
	uint64_t n_cr3;
	uint64_t lbr_control;
	uint64_t clean;
	uint64_t next_rip;
	uint8_t insn_count; /* of bytes that the CPU fetched */
	uint8_t insn_bytes[15];
	uint8_t reserved3[0x400 - 0xe0];

	struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved4[0x4cb - 0x4a0];
	uint8_t cpl;
	uint32_t reserved5;
	uint64_t efer;
	uint8_t reserved6[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved7[0x5d8 - 0x580];
	uint64_t rsp;
	uint8_t reserved8[0x5f8 - 0x5e0];
	uint64_t rax;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
	uint64_t cr2;
	uint8_t reserved9[0x668 - 0x648];
	uint64_t g_pat;
	uint64_t dbgctl;
	uint8_t reserved10[0x1000 - 0x678];
};
_Static_assert(offsetof(struct vmcb, io_map) == 0x40 && offsetof(struct vmcb, event_inj) == 0xa8 &&
		       offsetof(struct vmcb, insn_count) == 0xd0 && offsetof(struct vmcb, es) == 0x400 &&
		       offsetof(struct vmcb, cpl) == 0x4cb && offsetof(struct vmcb, efer) == 0x4d0 &&
		       offsetof(struct vmcb, cr4) == 0x548 && offsetof(struct vmcb, rsp) == 0x5d8 &&
		       offsetof(struct vmcb, rax) == 0x5f8 && offsetof(struct vmcb, cr2) == 0x640 &&
		       offsetof(struct vmcb, g_pat) == 0x668 && sizeof(struct vmcb) == PAGE_SIZE,
	       "VMCB layout");

/* A segment's attributes. */
#define SEGMENT_L BIT(9)
#define SEGMENT_D BIT(10)

#define TLB_CONTROL_FLUSH_ALL 1u
#define NP_ENABLE	      1u

/* int_ctl */
#define V_IRQ	       BIT(8)
#define V_IGN_TPR      BIT(20)
#define V_INTR_MASKING BIT(24)
/* int_state */
#define INTERRUPT_SHADOW BIT(0)

/* event_inj, exit_int_info: vector in bits 7:0, type in 10:8, error code in 63:32. */
#define EVENT_VALID	 BIT(31)
#define EVENT_ERROR_CODE BIT(11)
enum { EVENT_INTR = 0, EVENT_NMI = 2, EVENT_EXCEPTION = 3, EVENT_SW_INT = 4 };

/* exit_info1 of a nested page fault; the low bits are those of a page fault. */
#define NPF_WRITE	  BIT(1)
#define NPF_FETCH	  BIT(4)
#define NPF_GUEST_TABLE	  BIT(33) /* the access was the guest's page walk */
/* exit_info1 of IOIO; the port is in bits 31:16, the size in bytes in 6:4. */
#define IOIO_IN	    BIT(0)
#define IOIO_STRING BIT(2)
#define IOIO_REP    BIT(3)

#define EXIT_REASONS(X)                                                                            \
	X(CR_READ, 0x000)                                                                          \
	X(CR4_WRITE, 0x014)                                                                        \
	X(CR8_READ, 0x008)                                                                         \
	X(CR8_WRITE, 0x018)                                                                        \
	X(EXCEPTION, 0x040)                                                                        \
	X(INTR, 0x060)                                                                             \
	X(NMI, 0x061)                                                                              \
	X(SMI, 0x062)                                                                              \
	X(INIT, 0x063)                                                                             \
	X(VINTR, 0x064)                                                                            \
	X(RDPMC, 0x06f)                                                                            \
	X(CPUID, 0x072)                                                                            \
	X(RSM, 0x073)                                                                              \
	X(IRET, 0x074)                                                                             \
	X(INVD, 0x076)                                                                             \
	X(HLT, 0x078)                                                                              \
	X(INVLPGA, 0x07a)                                                                          \
	X(IOIO, 0x07b)                                                                             \
	X(MSR, 0x07c)                                                                              \
	X(SHUTDOWN, 0x07f)                                                                         \
	X(VMRUN, 0x080)                                                                            \
	X(VMMCALL, 0x081)                                                                          \
	X(VMLOAD, 0x082)                                                                           \
	X(VMSAVE, 0x083)                                                                           \
	X(STGI, 0x084)                                                                             \
	X(CLGI, 0x085)                                                                             \
	X(SKINIT, 0x086)                                                                           \
	X(WBINVD, 0x089)                                                                           \
	X(MONITOR, 0x08a)                                                                          \
	X(MWAIT, 0x08b)                                                                            \
	X(MWAIT_ARMED, 0x08c)                                                                      \
	X(XSETBV, 0x08d)                                                                           \
	X(RDPRU, 0x08e)                                                                            \
	X(NPF, 0x400)

enum {
#define X(name, code) EXIT_##name = code,
	EXIT_REASONS(X)
#undef X
	EXIT_TABLE_SIZE = 0x8f,
};
#define EXIT_INVALID UINT32_MAX /* the low half: VMRUN refused the VMCB */

/* intercept[]: codes 0x60..0x7f, 0x80..0x9f, 0xa0..0xbf. */
static inline void vmcb_intercept(struct vmcb *vmcb, unsigned code, bool on)
{
	uint32_t bit = 1u << (code - 0x60) % 32, *word = &vmcb->intercept[(code - 0x60) / 32];

	*word = on ? *word | bit : *word & ~bit;
}

#endif
