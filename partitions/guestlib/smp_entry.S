/* SPDX-License-Identifier: Apache-2.0 */
/* From the start-up IPI, in real mode at 0x8000, to smp_main in long mode on the CPU's own stack. */
#define AT 0x8000
#define STACK 8192

	.text
	.code16
	.global smp_trampoline, smp_trampoline_end
smp_trampoline:
	cli
	xor %ax, %ax
	mov %ax, %ds
	lgdtl AT + (pointer32 - smp_trampoline)
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $0x18, $start32
	.balign 8
pointer32:
	.word 0x4f
	.long gdt_table
smp_trampoline_end:

	.code32
start32:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $1, %eax
	cpuid
	shr $24, %ebx			/* initial APIC ID */
	and $7, %ebx
	mov %ebx, %edi
	inc %ebx
	imul $STACK, %ebx, %esp
	add $stacks, %esp
	call long_mode_on
	ljmp $0x08, $start64
	.code64
start64:
	mov %edi, %edi
	mov %esp, %esp
	xor %ebp, %ebp
	call smp_main
1:	cli
	hlt
	jmp 1b

	.bss
	.balign 16
stacks:
	.skip 8 * STACK

	.section .note.GNU-stack, "", @progbits
