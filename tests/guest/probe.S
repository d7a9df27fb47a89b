/* SPDX-License-Identifier: Apache-2.0 */
/* Runs code that was put together at run time, and measures how far RIP went: 16 one-byte PUSHes follow
 * the instruction in question, then a jump to R14. */
	.text
	.code64

/* int64_t probe_run(const void *code, uint64_t regs[4]): RAX, RCX, RDX, RBX in and out. Returns the bytes
 * that the pushes took, or -1 after a trap, which trap_last describes. */
	.global probe_run
probe_run:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsi, %r15
	mov %rsp, %r12
	mov $-1, %r13
	movl $0xffffffff, trap_last	/* vector: none */
	movq $2f, trap_resume
	mov $1f, %r14d
	mov (%r15), %rax
	mov 8(%r15), %rcx
	mov 16(%r15), %rdx
	mov 24(%r15), %rbx
	jmp *%rdi
1:	mov %r12, %r13
	sub %rsp, %r13
2:	mov %r12, %rsp
	mov %rax, (%r15)
	mov %rcx, 8(%r15)
	mov %rdx, 16(%r15)
	mov %rbx, 24(%r15)
	movq $0, trap_resume
	mov %r13, %rax
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* The same in flat 32-bit mode, as flat32_run wants it: leaf 0 of CPUID by 66 0f a2, a port write by
 * f3 67 ee, a hypercall by 3e 0f 01 xx. */
	.code32
	.global probe_flat32
probe_flat32:
	push %ebp
	mov %esp, %ebp
	xor %eax, %eax
	xor %ecx, %ecx
	.byte 0x66, 0x0f, 0xa2
	.rept 16
	.byte 0x50
	.endr
	mov %ebx, probe_ebx
	mov $0x5f8, %edx
	mov $0x77, %al
	.byte 0xf3, 0x67, 0xee
	.rept 16
	.byte 0x50
	.endr
	xor %eax, %eax
	cmpb $0, probe_in_partition
	je 2f
	cmpb $0, guest_has_vmmcall
	jne 1f
	.byte 0x3e, 0x0f, 0x01, 0xc1
	jmp 2f
1:	.byte 0x3e, 0x0f, 0x01, 0xd9
2:
	.rept 16
	.byte 0x50
	.endr
	mov %eax, probe_eax
	mov %ebp, %eax
	sub %esp, %eax
	mov %eax, probe_pushed
	mov %ebp, %esp
	pop %ebp
	ret

	.bss
	.balign 8
	.global probe_ebx, probe_eax, probe_pushed, probe_in_partition
probe_ebx: .long 0
probe_eax: .long 0
probe_pushed: .long 0
probe_in_partition: .byte 0

	.section .note.GNU-stack, "", @progbits
