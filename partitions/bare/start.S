/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of the bare control partition by PVH: flat 32-bit mode, EBX = start info. */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long _start

	.text
	.code32
	.global _start
_start:
	cli
	cld
	mov $stack_top, %esp
	mov %ebx, start_info
	call long_tables
	call long_mode_on
	ljmp $0x08, $start64

	.code64
start64:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack_top, %rsp
	xor %ebp, %ebp
	mov start_info, %edi
	call bare_main
	ud2

	.bss
	.balign 8
start_info: .long 0

	.section .note.GNU-stack, "", @progbits
