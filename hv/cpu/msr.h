/* SPDX-License-Identifier: Apache-2.0 */
/** MSR numbers and control register bits. Names: SDM 4, "Architectural MSRs"; SDM 3A, "Control
 * Registers". */
#ifndef BH_CPU_MSR_H
#define BH_CPU_MSR_H

#define MSR_IA32_TSC			 0x010u
#define MSR_IA32_APIC_BASE		 0x01bu
#define MSR_IA32_FEATURE_CONTROL	 0x03au
#define MSR_IA32_BIOS_SIGN_ID		 0x08bu
#define MSR_IA32_MTRRCAP		 0x0feu
#define MSR_IA32_SYSENTER_CS		 0x174u
#define MSR_IA32_SYSENTER_ESP		 0x175u
#define MSR_IA32_SYSENTER_EIP		 0x176u
#define MSR_IA32_MISC_ENABLE		 0x1a0u
#define MSR_IA32_DEBUGCTL		 0x1d9u
#define MSR_IA32_MTRR_PHYSBASE0		 0x200u
#define MSR_IA32_MTRR_FIX4K_F8000	 0x26fu
#define MSR_IA32_PAT			 0x277u
#define MSR_IA32_MTRR_DEF_TYPE		 0x2ffu
#define MSR_IA32_VMX_BASIC		 0x480u
#define MSR_IA32_VMX_MISC		 0x485u
#define MSR_IA32_VMX_CR0_FIXED0		 0x486u
#define MSR_IA32_VMX_CR0_FIXED1		 0x487u
#define MSR_IA32_VMX_CR4_FIXED0		 0x488u
#define MSR_IA32_VMX_CR4_FIXED1		 0x489u
#define MSR_IA32_VMX_PROCBASED_CTLS2	 0x48bu
#define MSR_IA32_VMX_EPT_VPID_CAP	 0x48cu
#define MSR_IA32_VMX_TRUE_PINBASED_CTLS	 0x48du
#define MSR_IA32_VMX_TRUE_PROCBASED_CTLS 0x48eu
#define MSR_IA32_VMX_TRUE_EXIT_CTLS	 0x48fu
#define MSR_IA32_VMX_TRUE_ENTRY_CTLS	 0x490u
#define MSR_IA32_TSC_DEADLINE		 0x6e0u
#define MSR_IA32_X2APIC_FIRST		 0x800u
#define MSR_IA32_X2APIC_ISR0		 0x810u
#define MSR_IA32_X2APIC_LVT_TIMER	 0x832u
#define MSR_IA32_X2APIC_LVT_LINT0	 0x835u
#define MSR_IA32_X2APIC_LVT_LINT1	 0x836u
#define MSR_IA32_X2APIC_LAST		 0x8ffu
#define MSR_IA32_EFER			 0xc0000080u
#define MSR_IA32_STAR			 0xc0000081u
#define MSR_IA32_LSTAR			 0xc0000082u
#define MSR_IA32_CSTAR			 0xc0000083u
#define MSR_IA32_FMASK			 0xc0000084u
#define MSR_IA32_FS_BASE		 0xc0000100u
#define MSR_IA32_GS_BASE		 0xc0000101u
#define MSR_IA32_KERNEL_GS_BASE		 0xc0000102u
#define MSR_IA32_TSC_AUX		 0xc0000103u

/* AMD's own: APM 2, "MSR Cross-Reference". */
#define MSR_AMD_SYSCFG	 0xc0010010u
#define MSR_AMD_HWCR	 0xc0010015u
#define MSR_AMD_NB_CFG	 0xc001001fu
#define MSR_VM_CR	 0xc0010114u
#define MSR_VM_HSAVE_PA	 0xc0010117u
#define MSR_AMD_DE_CFG	 0xc0011029u

#define VM_CR_R_INIT 0x02u
#define VM_CR_SVMDIS 0x10u

#define APIC_BASE_BSP	 0x100u
#define APIC_BASE_EXTD	 0x400u
#define APIC_BASE_ENABLE 0x800u

#define FEATURE_CONTROL_LOCK		0x1u
#define FEATURE_CONTROL_VMX_OUTSIDE_SMX 0x4u

#define EFER_SCE  0x001u
#define EFER_LME  0x100u
#define EFER_LMA  0x400u
#define EFER_NXE  0x800u
#define EFER_SVME 0x1000u

#define CR0_PE 0x00000001ull
#define CR0_MP 0x00000002ull
#define CR0_EM 0x00000004ull
#define CR0_TS 0x00000008ull
#define CR0_ET 0x00000010ull
#define CR0_NE 0x00000020ull
#define CR0_WP 0x00010000ull
#define CR0_AM 0x00040000ull
#define CR0_NW 0x20000000ull
#define CR0_CD 0x40000000ull
#define CR0_PG 0x80000000ull

#define CR4_VME	       0x00000001ull
#define CR4_PVI	       0x00000002ull
#define CR4_TSD	       0x00000004ull
#define CR4_DE	       0x00000008ull
#define CR4_PSE	       0x00000010ull
#define CR4_PAE	       0x00000020ull
#define CR4_MCE	       0x00000040ull
#define CR4_PGE	       0x00000080ull
#define CR4_PCE	       0x00000100ull
#define CR4_OSFXSR     0x00000200ull
#define CR4_OSXMMEXCPT 0x00000400ull
#define CR4_VMXE       0x00002000ull
#define CR4_FSGSBASE   0x00010000ull
#define CR4_PCIDE      0x00020000ull
#define CR4_OSXSAVE    0x00040000ull
#define CR4_SMEP       0x00100000ull
#define CR4_SMAP       0x00200000ull

#define RFLAGS_RESERVED1 0x00000002ull
#define RFLAGS_TF	 0x00000100ull
#define RFLAGS_IF	 0x00000200ull
#define RFLAGS_DF	 0x00000400ull

/** Exception vectors. SDM 3A, "Exception and Interrupt Vectors". */
#define EXC_DB	1u
#define EXC_NMI 2u
#define EXC_BP	3u
#define EXC_OF	4u
#define EXC_UD	6u
#define EXC_DF	8u
#define EXC_GP	13u
#define EXC_PF	14u
#define EXC_AC	17u
#define EXC_MC	18u

#endif
