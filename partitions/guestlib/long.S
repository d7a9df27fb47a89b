/* SPDX-License-Identifier: Apache-2.0 */
/* The way into long mode, with the first 4 GiB mapped one to one, and the GDT; for test kernels and for the
 * bare control partition. */
	.text
	.code32

/* Fills the page tables. Changes EAX, ECX, EDI. */
	.global long_tables
long_tables:
	/* Six tables: PML4, PDPT, four page directories of 2 MiB pages. Present, writable, user. */
	movl $page_pdpt + 7, page_pml4
	mov $page_pdpt, %edi
	mov $page_dirs + 7, %eax
	mov $4, %ecx
1:	mov %eax, (%edi)
	add $4096, %eax
	add $8, %edi
	loop 1b
	mov $page_dirs, %edi
	mov $0x87, %eax
	mov $2048, %ecx
1:	mov %eax, (%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	ret

/* Paging and long mode on, from flat 32-bit mode. Changes EAX, ECX, EDX. */
	.global long_mode_on
long_mode_on:
	mov %cr4, %eax
	or $0x620, %eax			/* PAE, OSFXSR, OSXMMEXCPT */
	mov %eax, %cr4
	mov $page_pml4, %eax
	mov %eax, %cr3
	mov $0xc0000080, %ecx
	rdmsr
	or $0x100, %eax
	wrmsr
	mov %cr0, %eax
	and $~0x6000000c, %eax		/* caches on, no EM, no TS */
	or $0x80010022, %eax		/* PG, WP, NE, MP */
	mov %eax, %cr0
	lgdt gdt_pointer
	ret

	.data
	.balign 16
	.global gdt_table, gdt_pointer
gdt_table:
	.quad 0
	.quad 0x00af9b000000ffff	/* 08: code 64 */
	.quad 0x00cf93000000ffff	/* 10: data */
	.quad 0x00cf9b000000ffff	/* 18: code 32 */
	.quad 0x00cff3000000ffff	/* 20|3: user data */
	.quad 0x00affb000000ffff	/* 28|3: user code 64 */
	.quad 0, 0			/* 30: TSS */
	.quad 0x00009b000000ffff	/* 40: code 16, base 0 */
	.quad 0x000093000000ffff	/* 48: data 16, base 0 */
gdt_end:
gdt_pointer:
	.word gdt_end - gdt_table - 1
	.quad gdt_table

	.bss
	.balign 4096
	.global page_pml4, page_pdpt, page_dirs
page_pml4: .skip 4096
page_pdpt: .skip 4096
page_dirs: .skip 4 * 4096
	.skip 32768
	.global stack_top
stack_top:

	.section .note.GNU-stack, "", @progbits
