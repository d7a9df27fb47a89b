/* SPDX-License-Identifier: Apache-2.0 */
/** MSR access that survives #GP. Each instruction that may fault has a pair in .fixup:
 *  its address, and where trap_handle continues. */
#define BH_NOSUPP 9 /* abi/err.h */

	.section .text
	.globl insn_rdmsr_safe
	.type insn_rdmsr_safe, @function
insn_rdmsr_safe:
	mov	%edi, %ecx
1:	rdmsr
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, (%rsi)
	xor	%eax, %eax
	ret
	.size insn_rdmsr_safe, . - insn_rdmsr_safe

	.globl insn_wrmsr_safe
	.type insn_wrmsr_safe, @function
insn_wrmsr_safe:
	mov	%edi, %ecx
	mov	%esi, %eax
	mov	%rsi, %rdx
	shr	$32, %rdx
2:	wrmsr
	xor	%eax, %eax
	ret
	.size insn_wrmsr_safe, . - insn_wrmsr_safe

refused:
	mov	$-BH_NOSUPP, %eax
	ret

	.section .fixup, "a"
	.quad	1b, refused
	.quad	2b, refused

	.section .note.GNU-stack, "", @progbits
