/* SPDX-License-Identifier: Apache-2.0 */
/** Entry of the loader, at the first byte of its image: PVH state, EBX = start information.
 *  Position independent; the stack is the end of its 64 KiB. */
	.section .start, "ax"
	.code32
	.globl start
start:
	cli
	cld
	mov	(%ebx), %eax
	lea	4(%ebx), %esp /* PVH gives no stack: borrow the place of the magic for one word */
	call	1f
1:	pop	%ebp
	mov	%eax, (%ebx)
	sub	$(1b - start), %ebp
	lea	0x10000(%ebp), %esp
	push	%ebx
	push	%ebx
	call	loader_main /* (start information) -> kernel entry */
	pop	%ebx
	jmp	*%eax

/** (GDT pointer, PML4, entry, zero page), see linux64.c. Selectors 0x10 and 0x18 are what Linux asks for. */
	.globl linux64_jump
linux64_jump:
	mov	4(%esp), %eax
	lgdt	(%eax)
	mov	8(%esp), %eax
	mov	%eax, %cr3
	mov	12(%esp), %ebx
	mov	16(%esp), %esi
	mov	%cr4, %eax
	or	$0x20, %eax /* PAE */
	mov	%eax, %cr4
	mov	$0xc0000080, %ecx /* IA32_EFER */
	rdmsr
	or	$0x100, %eax /* LME */
	wrmsr
	mov	%cr0, %eax
	or	$0x80000000, %eax /* PG */
	mov	%eax, %cr0 /* compatibility mode until the far return */
	mov	$0x18, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	push	$0x10
	push	%ebx
	lret

	.section .note.GNU-stack, "", @progbits
