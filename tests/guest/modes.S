/* SPDX-License-Identifier: Apache-2.0 */
/* Code of the mode tests: each is called in flat 32-bit mode without paging, and leaves a mark. */
#define REAL_AT    0x20000		/* the 16-bit code is copied there */
#define TABLE32_AT 0x400000		/* page tables of the 32-bit tests, 4 pages */

	.text
	.code32

/* Says that flat mode was there: CR0 as seen. */
	.global mode_flat
mode_flat:
	mov %cr0, %eax
	mov %eax, mode_mark
	ret

/* 32-bit paging with 4 MiB pages: maps 4 GiB one to one, but 0xc0000000 to 0. */
	.global mode_paging
mode_paging:
	mov $TABLE32_AT, %edi
	mov $0x87, %eax
	mov $1024, %ecx
1:	stosl
	add $0x400000, %eax
	loop 1b
	movl $0x87, TABLE32_AT + 768 * 4
	mov %cr4, %edx
	mov %edx, %eax
	or $0x10, %eax			/* PSE */
	mov %eax, %cr4
	mov $TABLE32_AT, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	jmp 2f
2:	mov $mode_probe, %ebx
	mov 0xc0000000(%ebx), %eax	/* the same bytes through the other mapping */
	mov %eax, mode_mark
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov %edx, %cr4
	ret

/* PAE paging: four page-directory pointers, which the CPU loads at MOV CR3. */
	.global mode_pae
mode_pae:
	mov $TABLE32_AT, %edi
	mov $8192, %ecx
	xor %eax, %eax
	rep stosb
	movl $TABLE32_AT + 0x1001, TABLE32_AT		/* 0..1 GiB */
	movl $TABLE32_AT + 0x1001, TABLE32_AT + 24	/* 3..4 GiB: the same */
	mov $TABLE32_AT + 0x1000, %edi
	mov $0x87, %eax
	mov $512, %ecx
1:	mov %eax, (%edi)
	movl $0, 4(%edi)
	add $0x200000, %eax
	add $8, %edi
	loop 1b
	mov %cr4, %edx
	mov %edx, %eax
	or $0x20, %eax
	mov %eax, %cr4
	mov $TABLE32_AT, %eax
	mov %eax, %cr3
	mov %cr0, %eax
	or $0x80000000, %eax
	mov %eax, %cr0
	jmp 2f
2:	mov $mode_probe, %ebx
	mov 0xc0000000(%ebx), %eax
	mov %eax, mode_mark
	mov %edx, %esi
	mov $0, %eax
	cpuid				/* an exit with PAE paging on */
	mov 0xc0000000 + mode_probe, %eax
	mov %eax, mode_mark2
	mov %cr0, %eax
	and $0x7fffffff, %eax
	mov %eax, %cr0
	mov %esi, %cr4
	ret

/* Real mode and back: 16-bit protected mode, PE off, code below 1 MiB, PE on. */
	.global mode_real
mode_real:
	mov $real_start, %esi
	mov $REAL_AT, %edi
	mov $real_end - real_start, %ecx
	rep movsb
	mov %esp, mode_esp
	sidt mode_idt
	ljmp *real16_far

	.code16
/* Runs at 16-bit CS with base REAL_AT, so offsets count from real_start. */
real_start:
	mov $0x48, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov %ax, %fs			/* limits stay as they are now */
	mov %cr0, %eax
	and $~1, %al
	mov %eax, %cr0
	ljmp $REAL_AT >> 4, $real_code - real_start
real_code:
	mov %cs, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov $0xff0, %sp
	/* Something that only real mode does: segment arithmetic, and an interrupt through the IVT. */
	lidtl %cs:real_ivt - real_start
	xor %ax, %ax
	mov %ax, %fs
	movw $real_int - real_start, %fs:0x60 * 4
	mov %cs, %ax
	mov %ax, %fs:0x60 * 4 + 2
	int $0x60
	xor %eax, %eax
	cpuid				/* an exit in real mode */
	mov $0x5f8, %dx
	mov $0x5a, %al
	out %al, %dx			/* an ioreq in real mode */
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmpl $0x18, $real_back
real_int:
	movw $0x1234, %cs:real_mark - real_start
	iret
real_ivt:
	.word 0x3ff
	.long 0
	.global real_mark
real_mark:
	.word 0
real_end:

	.code32
real_back:
	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %ss
	mov %ax, %fs
	mov mode_esp, %esp
	lidt mode_idt
	movzwl REAL_AT + (real_mark - real_start), %eax
	mov %eax, mode_mark
	ret

/* MOV, port and hypercall of 32-bit code. */
	.global mode_hypercall
mode_hypercall:
	xor %eax, %eax
	cmpb $0, guest_has_vmmcall
	jne 1f
	vmcall
	jmp 2f
1:	vmmcall
2:
	mov %eax, mode_mark
	ret

	.data
	.balign 8
	.global mode_mark, mode_mark2, mode_probe, real16_far
mode_mark: .long 0
mode_mark2: .long 0
mode_probe: .long 0x0badcafe
mode_esp: .long 0
mode_idt: .quad 0, 0
real16_far:
	.long 0
	.word 0x40

	.section .note.GNU-stack, "", @progbits
