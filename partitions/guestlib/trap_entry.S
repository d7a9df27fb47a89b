/* SPDX-License-Identifier: Apache-2.0 */
/* Entry stubs of all 256 vectors, 16 bytes each, and the ways to CPL 3, compatibility and flat mode. */
	.text
	.code64
	.global trap_stubs
	.balign 16
trap_stubs:
	vector = 0
	.rept 256
	.balign 16
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	vector = vector + 1
	.endr

trap_common:
	cld
	push %rax
	push %rbx
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %rbp
	push %r8
	push %r9
	push %r10
	push %r11
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, %rdi
	mov %rsp, %rbp
	and $~15, %rsp
	call trap_dispatch
	mov %rbp, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rbp
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rbx
	pop %rax
	add $16, %rsp
	iretq

/* void user_run(void (*fn)(void)) */
	.global user_run
user_run:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, user_return_rsp
	pushq $0x23
	pushq $user_stack_top
	pushq $2
	pushq $0x2b
	pushq $user_start
	iretq
user_start:
	call *%rdi
	int $0x80

/* The gate of vector 0x80: CPL 3 is through. */
	.global user_leave
user_leave:
	mov user_return_rsp, %rsp
	mov $0x10, %eax
	mov %eax, %ss
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* void compat_run(uint32_t fn32) */
	.global compat_run
compat_run:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, compat_return_rsp
	mov $stack32_top, %esp
	mov %edi, %eax
	ljmp *compat_target
	.code32
compat_code:
	push %eax
	mov $0x10, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %ss
	pop %eax
	call *%eax
	ljmp $0x08, $compat_back
	.code64
compat_back:
	mov compat_return_rsp, %rsp
	pop %r15
	pop %r14
	pop %r13
	pop %r12
	pop %rbp
	pop %rbx
	ret

/* void flat32_run(uint32_t fn32) */
	.global flat32_run
flat32_run:
	push %rbx
	push %rbp
	push %r12
	push %r13
	push %r14
	push %r15
	mov %rsp, compat_return_rsp
	mov $stack32_top, %esp
	mov %edi, %eax
	ljmp *flat32_target
	.code32
flat32_code:
	mov %eax, %esi
	mov $0x10, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %ss
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov $0xc0000080, %ecx
	rdmsr
	and $~0x100, %eax
	wrmsr
	mov %cr4, %eax
	and $~0x20, %eax
	mov %eax, %cr4
	call *%esi
	call long_mode_on
	ljmp $0x08, $compat_back

	.data
	.balign 8
compat_target:
	.long compat_code
	.word 0x18
	.balign 8
flat32_target:
	.long flat32_code
	.word 0x18

	.bss
	.balign 16
user_return_rsp: .quad 0
compat_return_rsp: .quad 0
	.skip 8192
user_stack_top:
	.skip 8192
stack32_top:

	.section .note.GNU-stack, "", @progbits
