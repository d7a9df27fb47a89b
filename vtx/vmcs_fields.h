/* SPDX-License-Identifier: Apache-2.0 */
/** Encodings of the VMCS fields we use, control bits and exit reasons.
 *
 *  Source: SDM 3C, "Virtual-Machine Control Structures", appendices "Field Encoding in VMCS" and "VMX
 *  Basic Exit Reasons". Names are the manual's, shortened.
 */
#ifndef VTX_VMCS_FIELDS_H
#define VTX_VMCS_FIELDS_H

#define VMCS_FIELDS(X)                                                                             \
	X(VPID, 0x0000)                                                                            \
	X(GUEST_ES_SEL, 0x0800)                                                                    \
	X(HOST_ES_SEL, 0x0c00)                                                                     \
	X(HOST_CS_SEL, 0x0c02)                                                                     \
	X(HOST_SS_SEL, 0x0c04)                                                                     \
	X(HOST_DS_SEL, 0x0c06)                                                                     \
	X(HOST_FS_SEL, 0x0c08)                                                                     \
	X(HOST_GS_SEL, 0x0c0a)                                                                     \
	X(HOST_TR_SEL, 0x0c0c)                                                                     \
	X(IO_BITMAP_A, 0x2000)                                                                     \
	X(IO_BITMAP_B, 0x2002)                                                                     \
	X(MSR_BITMAP, 0x2004)                                                                      \
	X(TSC_OFFSET, 0x2010)                                                                      \
	X(EPT_POINTER, 0x201a)                                                                     \
	X(GUEST_PHYS_ADDR, 0x2400)                                                                 \
	X(LINK_POINTER, 0x2800)                                                                    \
	X(GUEST_DEBUGCTL, 0x2802)                                                                  \
	X(GUEST_PAT, 0x2804)                                                                       \
	X(GUEST_EFER, 0x2806)                                                                      \
	X(GUEST_PDPTE0, 0x280a)                                                                    \
	X(HOST_PAT, 0x2c00)                                                                        \
	X(HOST_EFER, 0x2c02)                                                                       \
	X(PIN_CONTROLS, 0x4000)                                                                    \
	X(PROC_CONTROLS, 0x4002)                                                                   \
	X(EXCEPTION_BITMAP, 0x4004)                                                                \
	X(PF_ERROR_MASK, 0x4006)                                                                   \
	X(PF_ERROR_MATCH, 0x4008)                                                                  \
	X(CR3_TARGET_COUNT, 0x400a)                                                                \
	X(EXIT_CONTROLS, 0x400c)                                                                   \
	X(EXIT_MSR_STORE_COUNT, 0x400e)                                                            \
	X(EXIT_MSR_LOAD_COUNT, 0x4010)                                                             \
	X(ENTRY_CONTROLS, 0x4012)                                                                  \
	X(ENTRY_MSR_LOAD_COUNT, 0x4014)                                                            \
	X(ENTRY_INTR_INFO, 0x4016)                                                                 \
	X(ENTRY_ERROR_CODE, 0x4018)                                                                \
	X(ENTRY_INSN_LENGTH, 0x401a)                                                               \
	X(PROC_CONTROLS2, 0x401e)                                                                  \
	X(INSN_ERROR, 0x4400)                                                                      \
	X(EXIT_REASON, 0x4402)                                                                     \
	X(EXIT_INTR_INFO, 0x4404)                                                                  \
	X(EXIT_INTR_ERROR, 0x4406)                                                                 \
	X(IDT_VECTORING_INFO, 0x4408)                                                              \
	X(IDT_VECTORING_ERROR, 0x440a)                                                             \
	X(EXIT_INSN_LENGTH, 0x440c)                                                                \
	X(GUEST_ES_LIMIT, 0x4800)                                                                  \
	X(GUEST_GDTR_LIMIT, 0x4810)                                                                \
	X(GUEST_IDTR_LIMIT, 0x4812)                                                                \
	X(GUEST_ES_AR, 0x4814)                                                                     \
	X(GUEST_CS_AR, 0x4816)                                                                     \
	X(GUEST_SS_AR, 0x4818)                                                                     \
	X(GUEST_INTERRUPTIBILITY, 0x4824)                                                          \
	X(GUEST_ACTIVITY, 0x4826)                                                                  \
	X(GUEST_SYSENTER_CS, 0x482a)                                                               \
	X(PREEMPTION_TIMER, 0x482e)                                                                \
	X(HOST_SYSENTER_CS, 0x4c00)                                                                \
	X(CR0_MASK, 0x6000)                                                                        \
	X(CR4_MASK, 0x6002)                                                                        \
	X(CR0_SHADOW, 0x6004)                                                                      \
	X(CR4_SHADOW, 0x6006)                                                                      \
	X(EXIT_QUALIFICATION, 0x6400)                                                              \
	X(GUEST_LINEAR_ADDR, 0x640a)                                                               \
	X(GUEST_CR0, 0x6800)                                                                       \
	X(GUEST_CR3, 0x6802)                                                                       \
	X(GUEST_CR4, 0x6804)                                                                       \
	X(GUEST_ES_BASE, 0x6806)                                                                   \
	X(GUEST_CS_BASE, 0x6808)                                                                   \
	X(GUEST_GDTR_BASE, 0x6816)                                                                 \
	X(GUEST_IDTR_BASE, 0x6818)                                                                 \
	X(GUEST_DR7, 0x681a)                                                                       \
	X(GUEST_RSP, 0x681c)                                                                       \
	X(GUEST_RIP, 0x681e)                                                                       \
	X(GUEST_RFLAGS, 0x6820)                                                                    \
	X(GUEST_PENDING_DEBUG, 0x6822)                                                             \
	X(GUEST_SYSENTER_ESP, 0x6824)                                                              \
	X(GUEST_SYSENTER_EIP, 0x6826)                                                              \
	X(HOST_CR0, 0x6c00)                                                                        \
	X(HOST_CR3, 0x6c02)                                                                        \
	X(HOST_CR4, 0x6c04)                                                                        \
	X(HOST_FS_BASE, 0x6c06)                                                                    \
	X(HOST_GS_BASE, 0x6c08)                                                                    \
	X(HOST_TR_BASE, 0x6c0a)                                                                    \
	X(HOST_GDTR_BASE, 0x6c0c)                                                                  \
	X(HOST_IDTR_BASE, 0x6c0e)                                                                  \
	X(HOST_SYSENTER_ESP, 0x6c10)                                                               \
	X(HOST_SYSENTER_EIP, 0x6c12)                                                               \
	X(HOST_RSP, 0x6c14)                                                                        \
	X(HOST_RIP, 0x6c16)

enum vmcs_field {
#define X(name, encoding) VMCS_##name = encoding,
	VMCS_FIELDS(X)
#undef X
};

/* Pin-based controls. */

/* Primary processor-based controls. */
#define PROC_INTR_WINDOW    (1u << 2)
#define PROC_NMI_WINDOW     (1u << 22)
#define PROC_SECONDARY      (1u << 31)

/* Secondary processor-based controls. */
#define PROC2_EPT          (1u << 1)
#define PROC2_VPID         (1u << 5)
#define PROC2_INVPCID      (1u << 12)

/* VM-exit controls. */

/* VM-entry controls. */
#define ENTRY_IA32E      (1u << 9)

/* Interruption information, SDM 3C "Format of the VM-Entry Interruption-Information Field". */
#define INTR_INFO_VALID      (1u << 31)
#define INTR_INFO_ERROR_CODE (1u << 11)
#define INTR_TYPE_EXTINT     0u
#define INTR_TYPE_NMI        2u
#define INTR_TYPE_HW_EXC     3u
#define INTR_TYPE_SW_INT     4u
#define INTR_TYPE_PRIV_EXC   5u
#define INTR_TYPE_SW_EXC     6u

/* Interruptibility state. */
#define BLOCKING_STI   (1u << 0)
#define BLOCKING_MOVSS (1u << 1)
#define BLOCKING_NMI   (1u << 3)

#define EXIT_REASONS(X)                                                                            \
	X(EXCEPTION_NMI, 0)                                                                        \
	X(EXTINT, 1)                                                                               \
	X(TRIPLE_FAULT, 2)                                                                         \
	X(INTR_WINDOW, 7)                                                                          \
	X(NMI_WINDOW, 8)                                                                           \
	X(TASK_SWITCH, 9)                                                                          \
	X(CPUID, 10)                                                                               \
	X(GETSEC, 11)                                                                              \
	X(HLT, 12)                                                                                 \
	X(INVD, 13)                                                                                \
	X(RDPMC, 15)                                                                               \
	X(VMCALL, 18)                                                                              \
	X(VMCLEAR, 19)                                                                             \
	X(VMXON, 27)                                                                               \
	X(CR_ACCESS, 28)                                                                           \
	X(IO, 30)                                                                                  \
	X(RDMSR, 31)                                                                               \
	X(WRMSR, 32)                                                                               \
	X(MWAIT, 36)                                                                               \
	X(MONITOR, 39)                                                                             \
	X(EPT_VIOLATION, 48)                                                                       \
	X(EPT_MISCONFIG, 49)                                                                       \
	X(INVEPT, 50)                                                                              \
	X(PREEMPTION_TIMER, 52)                                                                    \
	X(INVVPID, 53)                                                                             \
	X(WBINVD, 54)                                                                              \
	X(XSETBV, 55)                                                                              \
	X(VMFUNC, 59)

enum exit_reason {
#define X(name, number) EXIT_REASON_##name = number,
	EXIT_REASONS(X)
#undef X
	EXIT_REASON_COUNT = 64,
};

#define EXIT_REASON_ENTRY_FAILED (1u << 31)

#endif
