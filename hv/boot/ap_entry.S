/* SPDX-License-Identifier: Apache-2.0 */
/** Where the other CPUs start: real mode, at a page below 1 MiB to which boot/ap.c has copied the first part,
 *  then long mode on the tables of the start (entry.S), one CPU at a time. Source: SDM 3A, "MP Initialization
 *  Protocol Algorithm", "Initializing IA-32e Mode". */
#define CR0_PE_PG 0x80000011 /* and ET; the caches are on, which INIT has left off */
#define CR4_PAE   0x20
#define MSR_EFER  0xc0000080
#define EFER_LME  0x100

	.section .rodata
	.globl ap_page, ap_page_end
	.code16
ap_page:
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	lgdtl	ap_gdtr - ap_page
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	$CR0_PE_PG, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $ap_entry64
ap_gdtr:
	.short	3 * 8 - 1
	.long	boot_gdt
ap_page_end:

	.text
	.code64
ap_entry64:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	/* One CPU for each ticket: who comes when nobody waits for it any more stays here. */
	xchg	%eax, ap_ticket
	test	%eax, %eax
	jz	1f
	mov	ap_stack, %rsp
	xor	%ebp, %ebp
	call	ap_main
1:	cli
	hlt
	jmp	1b

	.section .note.GNU-stack, "", @progbits
