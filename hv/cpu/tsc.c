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

/** Firmware and emulators hold a CPU up now and then: what two measurements in a row give is taken. */
static uint64_t measure_twice(uint16_t port, uint32_t mask)
{
	uint64_t last, now = measure(port, mask), tries = 10;

	do {
		last = now;
		now = measure(port, mask);
	} while ((now > last ? now - last : last - now) * 1000 > last && --tries);
	return now;
}

int tsc_init(uint16_t pm_port, bool pm_32bit)
{
	uint64_t measured;

	khz = boot_option_u64("tsc_khz", 0);
	if (khz) {
		log_info("tsc", "%lu kHz by option", khz);
		return 0;
	}
	measured = pm_port ? measure_twice(pm_port, pm_32bit ? 0xffffffffu : 0xffffffu) : 0;
	if (!measured) {
		return boot_fail(BH_NOSUPP, "no ACPI PM timer to measure the TSC with");
	}
	khz = round_khz(measured);
	log_info("tsc", "%lu kHz measured, taken as %lu", measured, khz);
	return 0;
}

uint64_t tsc_khz(void)
{
	return khz;
}

#define COMPARE_READS 1000u /* a round */
#define COMPARE_MS    10u

/* True when `count` CPUs have come here. */
static bool meet(struct tsc_pair *pair, uint32_t count, uint64_t patience)
{
	uint64_t end = insn_rdtsc() + patience;

	__atomic_fetch_add(&pair->here, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&pair->here, __ATOMIC_ACQUIRE) < count && insn_rdtsc() < end) {
		insn_pause();
	}
	return __atomic_load_n(&pair->here, __ATOMIC_ACQUIRE) >= count;
}

static uint64_t read_in_turn(struct tsc_pair *pair)
{
	uint64_t now;

	lock_acquire(&pair->lock);
	insn_fence(); /* not read before it is our turn */
	now = insn_rdtsc();
	if (now < pair->last) {
		pair->off = MAX(pair->off, pair->last - now);
	}
	pair->last = now;
	lock_release(&pair->lock);
	return now;
}

uint64_t tsc_compare(struct tsc_pair *pair, uint64_t patience)
{
	/* Twice: an emulator may let one CPU read all its turns before the other has its first. */
	for (unsigned round = 1; round <= 2; round++) {
		uint64_t end;

		if (!meet(pair, 2 * round, patience)) {
			return 1;
		}
		end = read_in_turn(pair) + COMPARE_MS * khz;
		for (unsigned i = 0; i < COMPARE_READS && read_in_turn(pair) < end; i++) {
		}
	}
	return meet(pair, 6, patience) ? pair->off : 1;
}
