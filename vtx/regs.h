/* SPDX-License-Identifier: Apache-2.0 */
/** Offsets in vcpu->regs for entry.S: 8 bytes a register, by register number (part/vcpu.h). */
#ifndef VTX_REGS_H
#define VTX_REGS_H

#define REGS_RAX 0
#define REGS_RCX 8
#define REGS_RDX 16
#define REGS_RBX 24
#define REGS_RBP 40
#define REGS_RSI 48
#define REGS_RDI 56
#define REGS_R8	 64
#define REGS_R9	 72
#define REGS_R10 80
#define REGS_R11 88
#define REGS_R12 96
#define REGS_R13 104
#define REGS_R14 112
#define REGS_R15 120

#define VMCS_HOST_RSP_ENCODING 0x6c14

#endif
