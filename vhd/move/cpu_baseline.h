/* SPDX-License-Identifier: Apache-2.0 */
/** What a CPU can do for a guest: its x86-64 level and the features beyond it that a guest may have
 * come to rely on.
 *
 *  Source: System V ABI, AMD64 Architecture Processor Supplement, "Micro-Architecture Levels"; SDM
 * 2A, "CPUID".
 */
#ifndef VHD_CPU_BASELINE_H
#define VHD_CPU_BASELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CPU_BASELINE_TEXT 512u

struct cpu_baseline {
	unsigned level;	  /* 1 to 4 */
	uint64_t feature; /* bit i: cpu_baseline_name(i) */
};

/** This machine's. */
void cpu_baseline_get(struct cpu_baseline *ret_baseline);

/** The name of a feature bit as /proc/cpuinfo spells it, or NULL past the last one. */
const char *cpu_baseline_name(unsigned bit);

/** The bit of a name, or -1. */
int cpu_baseline_bit(const char *name);

/** The features of `needs` that `cpu` lacks, as words with a space between; returns their count,
 * one more when the level is too low. */
unsigned cpu_baseline_missing(const struct cpu_baseline *needs, const struct cpu_baseline *cpu,
			      char ret_text[CPU_BASELINE_TEXT]);

#endif
