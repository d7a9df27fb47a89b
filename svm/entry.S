/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN and what it leaves to software: general registers, FS, GS, TR and the system-call registers.
 * Source: APM 2, "VMRUN Instruction", "VMSAVE and VMLOAD Instructions", "Global Interrupt Flag, STGI
 * and CLGI Instructions". */

/* 8 bytes a register, by register number (part/vcpu.h). */
#define REG(n) (8 * (n))(%rdi)

	.text
	.code64

/* void svm_enter(uint64_t *regs [rdi], hpa_t guest [rsi], hpa_t host [rdx])
 * The guest's RAX and RSP are in its VMCB, ours in the host save area. Interrupts are on at VMRUN, so that they
 * end the guest's run; GIF holds all of them back on both ways. */
	.globl	svm_enter
	.type	svm_enter, @function
svm_enter:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdx
	push	%rdi
	mov	%rsi, %rax
	mov	REG(1), %rcx
	mov	REG(2), %rdx
	mov	REG(3), %rbx
	mov	REG(5), %rbp
	mov	REG(6), %rsi
	mov	REG(8), %r8
	mov	REG(9), %r9
	mov	REG(10), %r10
	mov	REG(11), %r11
	mov	REG(12), %r12
	mov	REG(13), %r13
	mov	REG(14), %r14
	mov	REG(15), %r15
	mov	REG(7), %rdi
	clgi
	sti
	vmload	%rax
	vmrun	%rax
	vmsave	%rax
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rcx, REG(1)
	mov	%rdx, REG(2)
	mov	%rbx, REG(3)
	mov	%rbp, REG(5)
	mov	%rsi, REG(6)
	mov	%r8, REG(8)
	mov	%r9, REG(9)
	mov	%r10, REG(10)
	mov	%r11, REG(11)
	mov	%r12, REG(12)
	mov	%r13, REG(13)
	mov	%r14, REG(14)
	mov	%r15, REG(15)
	pop	REG(7)
	pop	%rdi
	pop	%rax
	vmload	%rax
	cli
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.size	svm_enter, . - svm_enter

	.section .note.GNU-stack, "", @progbits
