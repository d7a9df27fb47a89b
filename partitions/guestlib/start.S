/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of a test kernel: multiboot header, 32-bit entry, on to guest_start in long mode. */
#define MB_MAGIC 0x1badb002
#define MB_FLAGS 3

	.section .multiboot, "a"
	.balign 4
	.long MB_MAGIC, MB_FLAGS, -(MB_MAGIC + MB_FLAGS)

	.text
	.code32
	.global _start
_start:
	cli
	cld
	mov $stack_top, %esp
	mov %eax, boot_magic
	mov %ebx, boot_info

	call long_tables
	call long_mode_on
	ljmp $0x08, $start64

	.code64
start64:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $stack_top, %rsp
	xor %ebp, %ebp
	mov boot_magic, %edi
	mov boot_info, %esi
	call guest_start
1:	cli
	hlt
	jmp 1b

	.bss
	.balign 16
boot_magic: .long 0
boot_info: .long 0

	.section .note.GNU-stack, "", @progbits
