/* SPDX-License-Identifier: Apache-2.0 */
/** TSC rate. The PM timer runs at 3.579545 MHz: ACPI 6.5, "Power Management Timer". */
#include "cpu/tsc.h"

#include "cpu/insn.h"
#include "dbg/log.h"
#include "lib/boot_info.h"

#define PM_HZ	   3579545ull
#define PM_TICKS   (PM_HZ / 100) /* 10 ms */
#define PM_STALLED 10000000u	 /* reads */

static uint64_t khz;

/** A rate within 0.1 % of a whole MHz is taken to be that: crystals are made so, and measurements
 * are not. */
static uint64_t round_khz(uint64_t measured)
{
	uint64_t whole = (measured + 500) / 1000 * 1000;
	uint64_t off = whole > measured ? whole - measured : measured - whole;

	return off * 1000 <= measured ? whole : measured;
}

static uint64_t measure(uint16_t port, uint32_t mask)
{
	uint32_t begin, now, next;
	uint64_t tsc;
	unsigned reads = 0;

	begin = insn_in32(port) & mask;
	do { /* start at an edge */
		now = insn_in32(port) & mask;
	} while (now == begin && ++reads < PM_STALLED);
	tsc = insn_rdtsc();
	begin = now;
	do {
		next = insn_in32(port) & mask;
	} while (((next - begin) & mask) < PM_TICKS && ++reads < PM_STALLED);
	tsc = insn_rdtsc() - tsc;
	if (reads >= PM_STALLED) {
		return 0;
	}
	return tsc * PM_HZ / ((next - begin) & mask) / 1000;
}

int tsc_init(uint16_t pm_port, bool pm_32bit)
{
	uint64_t measured;

	khz = boot_option_u64("tsc_khz", 0);
	if (khz) {
		log_info("tsc", "%lu kHz by option", khz);
		return 0;
	}
	measured = pm_port ? measure(pm_port, pm_32bit ? 0xffffffffu : 0xffffffu) : 0;
	if (!measured) {
		boot_error = "no ACPI PM timer to measure the TSC with";
		return -BH_NOSUPP;
	}
	khz = round_khz(measured);
	log_info("tsc", "%lu kHz measured, taken as %lu", measured, khz);
	return 0;
}

uint64_t tsc_khz(void)
{
	return khz;
}
