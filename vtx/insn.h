/* SPDX-License-Identifier: Apache-2.0 */
/** The VMX instructions. Host tests link tests/fakes/vmx_insn.c instead.
 *  Source: SDM 3C, "VMX Instruction Reference". */
#ifndef VTX_INSN_H
#define VTX_INSN_H

#include "lib/types.h"

#define INVEPT_SINGLE 1u
#define INVVPID_SINGLE 1u

#if __STDC_HOSTED__
#include "vmx_insn_host.h" /* tests/fakes: the same names as functions */
#else

/** False: VMfail. */
#define VMX_REGION(name, insn)                                                                     \
	static inline bool name(hpa_t region)                                                      \
	{                                                                                          \
		bool failed;                                                                       \
                                                                                                   \
		__asm__ volatile(insn " %1; setna %0"                                              \
				 : "=qm"(failed)                                                   \
				 : "m"(region.v)                                                   \
				 : "cc", "memory");                                                \
		return !failed;                                                                    \
	}
VMX_REGION(vmx_on, "vmxon")
VMX_REGION(vmx_clear, "vmclear")
VMX_REGION(vmx_load, "vmptrld")

static inline uint64_t vmx_read(uint64_t field)
{
	uint64_t value;

	__asm__ volatile("vmread %1, %0" : "=r"(value) : "r"(field) : "cc");
	return value;
}

static inline void vmx_write(uint64_t field, uint64_t value)
{
	__asm__ volatile("vmwrite %1, %0" : : "r"(field), "r"(value) : "cc", "memory");
}

static inline void vmx_invept(unsigned type, uint64_t eptp)
{
	struct {
		uint64_t eptp, reserved;
	} desc = {eptp, 0};

	__asm__ volatile("invept %0, %1" : : "m"(desc), "r"((uint64_t)type) : "cc", "memory");
}

static inline void vmx_invvpid(unsigned type, uint16_t vpid)
{
	struct {
		uint64_t vpid, linear;
	} desc = {vpid, 0};

	__asm__ volatile("invvpid %0, %1" : : "m"(desc), "r"((uint64_t)type) : "cc", "memory");
}

#endif

#endif
