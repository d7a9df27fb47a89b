/* SPDX-License-Identifier: Apache-2.0 */
/* VM entry and exit: swaps the general registers of root mode and guest. Source: SDM 3C, "VM Entries",
 * "VM Exits". The stack at VM exit is the stack at entry, so the pointer to the registers is on top. */
#include "cpu/regs.S"

#define HOST_RSP 0x6c14 /* VMCS field */

	.text
	.code64

/* bool vmx_enter(uint64_t *regs [rdi], bool launched [esi]) */
	.globl	vmx_enter
	.type	vmx_enter, @function
vmx_enter:
	push_own
	push	%rdi
	mov	$HOST_RSP, %eax
	vmwrite	%rsp, %rax
	test	%sil, %sil
	mov	REG(0), %rax
	load_guest
	jz	1f
	vmresume
	jmp	2f
1:	vmlaunch
2:	/* VMfail: the guest did not run. */
	pop	%rdi
	xor	%eax, %eax
	jmp	3f

	.globl	vmx_exit_entry
vmx_exit_entry:
	save_guest
	mov	%rax, REG(0)
	pop	%rdi
	mov	$1, %eax
3:	pop_own
	ret
	.size	vmx_enter, . - vmx_enter

	.section .note.GNU-stack, "", @progbits
