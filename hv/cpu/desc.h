/* SPDX-License-Identifier: Apache-2.0 */
/** GDT, IDT and TSS of root mode. SDM 3A, "Protected-Mode Memory Management", "64-Bit Mode Task
 * Management". */
#ifndef BH_CPU_DESC_H
#define BH_CPU_DESC_H

#include "lib/types.h"

#define SEL_CODE64 0x08u
#define SEL_DATA   0x10u
#define SEL_TSS	   0x18u

#define DESC_GDT_WORDS 5u /* null, code, data, two for the TSS */

#define IST_DF	1u
#define IST_NMI 2u
#define IST_MC	3u

struct desc_tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7]; /* ist[0] is IST 1 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} BH_PACKED;
_Static_assert(sizeof(struct desc_tss) == 104, "SDM 3A, 64-Bit TSS Format");

struct cpu;

/** Builds and loads the GDT and TSS of this CPU, and the shared IDT. */
void cpu_desc_init(struct cpu *cpu);

/** Base as the CPU holds it, for the host state of the back end. */
uint64_t desc_idt_base(void);

#endif
