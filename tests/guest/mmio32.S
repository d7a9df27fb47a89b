/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses by 32-bit code at the address in form32_in[0]; results go to form32_out. */
	.text
	.code32
	.global forms32
forms32:
	push %ebx
	push %esi
	push %edi
	mov form32_in, %edi
	mov $0x12345678, %eax
	mov $0x9abcdef0, %ebx
	mov %eax, (%edi)
	mov %bx, 4(%edi)
	mov %bh, 6(%edi)
	movb $0x77, 7(%edi)
	mov (%edi), %ecx
	mov %ecx, form32_out
	movzwl 2(%edi), %ecx
	mov %ecx, form32_out + 4
	movsbl 5(%edi), %ecx
	mov %ecx, form32_out + 8
	orl $0x80000000, (%edi)
	andl $0xff0fffff, (%edi)
	mov (%edi), %ecx
	mov %ecx, form32_out + 12
	xchg %ecx, 4(%edi)
	mov %ecx, form32_out + 16
	mov 4(%edi), %ecx
	mov %ecx, form32_out + 20
	xor %ecx, %ecx
	cmpl $0x1234, (%edi)
	seta %cl
	mov %ecx, form32_out + 24
	mov $1, %esi
	mov -4(%edi,%esi,4), %ecx
	mov %ecx, form32_out + 28
	mov %edi, %esi
	add $8, %edi
	mov $0x5a5a5a5a, %eax
	stosl
	mov $3, %ecx
	rep stosb
	sub %esi, %edi
	mov %edi, form32_out + 32
	mov 8(%esi), %ecx
	mov %ecx, form32_out + 36
	mov 12(%esi), %ecx
	mov %ecx, form32_out + 40
	pop %edi
	pop %esi
	pop %ebx
	ret

	.data
	.balign 8
	.global form32_in, form32_out
form32_in: .skip 48
form32_out: .skip 48

	.section .note.GNU-stack, "", @progbits
