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

	.section .note.GNU-stack, "", @progbits
