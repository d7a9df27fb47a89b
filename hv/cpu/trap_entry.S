/* SPDX-License-Identifier: Apache-2.0 */
/** Entry of all 256 vectors. Each entry leaves an error code (0 where the CPU pushes none) and
 *  the vector; the common part completes struct trap_frame. The CPU aligned RSP to 16 before its five
 *  words, so with 17 more the call below is aligned. */
	.section .text
	.balign 16
	.globl trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	/* 8, 10..14, 17, 21, 29, 30 bring an error code: SDM 3A, "Exception and Interrupt Reference" */
	.set	low, (vector != 8) && ((vector < 10) || (vector > 14))
	.if	low && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
	push	$0
	.endif
	.byte	0x68 /* push imm32, never the short form: all entries fit in 16 bytes */
	.long	vector
	.byte	0xe9 /* jmp rel32 */
	.long	trap_common - . - 4
	.set	vector, vector + 1
	.endr

	.balign 16
trap_common:
	.irp	reg, rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
	push	%\reg
	.endr
	cld
	mov	%rsp, %rdi
	call	trap_handle
	.irp	reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
	pop	%\reg
	.endr
	add	$16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
