/* SPDX-License-Identifier: Apache-2.0 */
/** The pair of 8259A interrupt controllers: closed at start, then the control partition's. */
#ifndef BH_IRQ_PIC_H
#define BH_IRQ_PIC_H

/** Masks every line. The firmware left vectors in it that mean exceptions to an operating system, and
 *  with interrupt acknowledge on VM exit they would be taken before its owner has set its own.
 *  Source: Intel 8259A data sheet, "Operation Command Word 1 (OCW1)". */
void pic_close(void);

#endif
