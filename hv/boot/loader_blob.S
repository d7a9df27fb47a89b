/* SPDX-License-Identifier: Apache-2.0 */
/** The control partition's loader, carried in root mode's read-only data (pvh.c copies it out). */
	.section .rodata
	.balign 16
	.globl loader_blob, loader_blob_end
loader_blob:
	.incbin LOADER_BIN
loader_blob_end:

	.section .note.GNU-stack, "", @progbits
