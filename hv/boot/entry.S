/* SPDX-License-Identifier: Apache-2.0 */
/** Multiboot2 header, and the way from 32-bit protected mode to boot_main in 64-bit mode.
 *  Source: Multiboot2 specification 2.0, "Multiboot2 header", "Machine state"; SDM 3A, "Initializing
 *  IA-32e Mode". The loader has zeroed .bss. */
#define MB2_MAGIC        0xe85250d6
#define MB2_TAG_REQUEST  1
#define MB2_TAG_SCREEN   5
#define MB2_TAG_ALIGN    6
#define MB2_OPTIONAL     1

#define CR0_PG           0x80000000
#define CR0_WP           0x00010000
#define CR4_PAE          0x20
#define MSR_EFER         0xc0000080
#define EFER_LME         0x100
#define PTE_TABLE        0x03 /* present, writable */
#define PTE_PAGE_2M      0x83 /* and large */
#define STACK_TOP        (cpu_stacks + 0x1000 + 0x8000) /* struct cpu_stacks: end of main[] */
#define COM1             0x3f8

	.section .multiboot, "a"
	.balign 8
header:
	.long	MB2_MAGIC, 0, header_end - header
	.long	-(MB2_MAGIC + 0 + (header_end - header))
	.balign 8
	.short	MB2_TAG_REQUEST, 0
	.long	16
	.long	1, 6 /* command line, memory map */
	.balign 8
	.short	MB2_TAG_REQUEST, MB2_OPTIONAL
	.long	20
	.long	3, 14, 15 /* modules, ACPI root pointers */
	.balign 8
	.short	MB2_TAG_SCREEN, MB2_OPTIONAL
	.long	20
	.long	0, 0, 32 /* any size; VGA text does as well */
	.balign 8
	.short	MB2_TAG_ALIGN, 0
	.long	8
	.balign 8
	.short	0, 0
	.long	8
header_end:

	.section .text.entry, "ax"
	.code32
	.globl entry
entry:
	cli
	cld
	mov	%eax, %ebp /* magic; EBX has the information structure */
	rdtsc
	mov	%eax, entry_tsc
	mov	%edx, entry_tsc + 4
	mov	$STACK_TOP, %esp

	mov	%ebx, %esi
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	no_long_mode
	mov	$0x80000001, %eax
	cpuid
	bt	$29, %edx
	jnc	no_long_mode

	/* 4 GiB identity map of 2 MiB pages: PML4, PDPT, four page directories */
	movl	$boot_pdpt + PTE_TABLE, boot_pml4
	mov	$boot_pd + PTE_TABLE, %eax
	mov	$boot_pdpt, %edi
	mov	$4, %ecx
1:	mov	%eax, (%edi)
	add	$0x1000, %eax
	add	$8, %edi
	loop	1b
	mov	$PTE_PAGE_2M, %eax
	mov	$boot_pd, %edi
	mov	$2048, %ecx
2:	mov	%eax, (%edi)
	add	$0x200000, %eax
	add	$8, %edi
	loop	2b

	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$(CR0_PG | CR0_WP), %eax
	mov	%eax, %cr0
	lgdt	boot_gdtr
	ljmp	$0x08, $entry64

no_long_mode:
	mov	$text_no_long_mode, %esi
3:	lodsb
	test	%al, %al
	jz	5f
	mov	%al, %ah
	mov	$(COM1 + 5), %dx
4:	in	%dx, %al
	test	$0x20, %al
	jz	4b
	mov	%ah, %al
	mov	$COM1, %dx
	out	%al, %dx
	jmp	3b
5:	cli
	hlt
	jmp	5b

	.code64
entry64:
	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$STACK_TOP, %esp
	mov	%ebp, %edi
	mov	%esi, %esi
	mov	entry_tsc, %rdx
	xor	%ebp, %ebp
	call	boot_main
6:	cli
	hlt
	jmp	6b

	.globl	boot_gdt, boot_pml4
	.section .rodata
text_no_long_mode:
	.ascii	"bulkhead: cannot start: the CPU has no 64-bit mode (CPUID.80000001H:EDX.LM); "
	.ascii	"use a CPU with Intel 64 and VT-x\r\nbulkhead: halted\r\n\0"
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff
	.quad	0x00cf93000000ffff
boot_gdtr:
	.short	. - boot_gdt - 1
	.quad	boot_gdt

	.section .bss
	.balign 4096
boot_pml4:
	.skip	4096
	.globl	boot_pdpt /* init.c maps the screen */
boot_pdpt:
	.skip	4096
boot_pd:
	.skip	4 * 4096
entry_tsc:
	.skip	8

	.section .note.GNU-stack, "", @progbits
