/* SPDX-License-Identifier: Apache-2.0 */
/* VMRUN and what it leaves to software: general registers, FS, GS, TR and the system-call registers.
 * Source: APM 2, "VMRUN Instruction", "VMSAVE and VMLOAD Instructions", "Global Interrupt Flag, STGI
 * and CLGI Instructions". */

#include "cpu/regs.S"

	.text
	.code64

/* void svm_enter(uint64_t *regs [rdi], hpa_t guest [rsi], hpa_t host [rdx])
 * The guest's RAX and RSP are in its VMCB, ours in the host save area. Interrupts are on at VMRUN,
 * so that they end the guest's run; GIF holds all of them back on both ways. */
	.globl	svm_enter
	.type	svm_enter, @function
svm_enter:
	push_own
	push	%rdx
	push	%rdi
	mov	%rsi, %rax
	load_guest
	clgi
	sti
	vmload	%rax
	vmrun	%rax
	vmsave	%rax
	save_guest
	pop	%rdi
	pop	%rax
	vmload	%rax
	cli
	pop_own
	ret
	.size	svm_enter, . - svm_enter

	.section .note.GNU-stack, "", @progbits
