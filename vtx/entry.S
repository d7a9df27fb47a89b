/* SPDX-License-Identifier: Apache-2.0 */
/* VM entry and exit: swaps the general registers of root mode and guest. Source: SDM 3C, "VM Entries",
 * "VM Exits". The stack at VM exit is the stack at entry, so the pointer to the registers is on top. */
#include "vtx/regs.h"

	.text
	.code64

/* bool vmx_enter(uint64_t *regs [rdi], bool launched [esi]) */
	.globl	vmx_enter
	.type	vmx_enter, @function
vmx_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi
	mov	$VMCS_HOST_RSP_ENCODING, %eax
	vmwrite	%rsp, %rax
	test	%sil, %sil
	mov	REGS_RAX(%rdi), %rax
	mov	REGS_RCX(%rdi), %rcx
	mov	REGS_RDX(%rdi), %rdx
	mov	REGS_RBX(%rdi), %rbx
	mov	REGS_RBP(%rdi), %rbp
	mov	REGS_RSI(%rdi), %rsi
	mov	REGS_R8(%rdi), %r8
	mov	REGS_R9(%rdi), %r9
	mov	REGS_R10(%rdi), %r10
	mov	REGS_R11(%rdi), %r11
	mov	REGS_R12(%rdi), %r12
	mov	REGS_R13(%rdi), %r13
	mov	REGS_R14(%rdi), %r14
	mov	REGS_R15(%rdi), %r15
	mov	REGS_RDI(%rdi), %rdi
	jz	1f
	vmresume
	jmp	2f
1:	vmlaunch
2:	/* VMfail: the guest did not run. */
	pop	%rdi
	xor	%eax, %eax
	jmp	3f

	.globl	vmx_exit_entry
vmx_exit_entry:
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, REGS_RAX(%rdi)
	mov	%rcx, REGS_RCX(%rdi)
	mov	%rdx, REGS_RDX(%rdi)
	mov	%rbx, REGS_RBX(%rdi)
	mov	%rbp, REGS_RBP(%rdi)
	mov	%rsi, REGS_RSI(%rdi)
	mov	%r8, REGS_R8(%rdi)
	mov	%r9, REGS_R9(%rdi)
	mov	%r10, REGS_R10(%rdi)
	mov	%r11, REGS_R11(%rdi)
	mov	%r12, REGS_R12(%rdi)
	mov	%r13, REGS_R13(%rdi)
	mov	%r14, REGS_R14(%rdi)
	mov	%r15, REGS_R15(%rdi)
	pop	REGS_RDI(%rdi)
	pop	%rdi
	mov	$1, %eax
3:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	vmx_enter, . - vmx_enter

	.section .note.GNU-stack, "", @progbits
