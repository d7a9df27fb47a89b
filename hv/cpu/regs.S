/* SPDX-License-Identifier: Apache-2.0 */
/** Macros for code that swaps general registers: those of root mode on the stack, those of a guest in
 *  vcpu->regs at RDI, 8 bytes a register, by register number (part/vcpu.h). */

#define REG(n) (8 * (n))(%rdi)

/* What a C function must leave as it was. */
	.macro	push_own
	.irp	reg, rbx, rbp, r12, r13, r14, r15
	push	%\reg
	.endr
	.endm

	.macro	pop_own
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	pop	%\reg
	.endr
	.endm

/* All but RAX and RSP; RDI last. */
	.macro	load_guest
	mov	REG(1), %rcx
	mov	REG(2), %rdx
	mov	REG(3), %rbx
	mov	REG(5), %rbp
	mov	REG(6), %rsi
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	REG(\n), %r\n
	.endr
	mov	REG(7), %rdi
	.endm

/* The pointer is on top of the stack, and is taken off. */
	.macro	save_guest
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rcx, REG(1)
	mov	%rdx, REG(2)
	mov	%rbx, REG(3)
	mov	%rbp, REG(5)
	mov	%rsi, REG(6)
	.irp	n, 8, 9, 10, 11, 12, 13, 14, 15
	mov	%r\n, REG(\n)
	.endr
	pop	REG(7)
	.endm
