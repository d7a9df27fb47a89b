/* SPDX-License-Identifier: Apache-2.0 */
/** The ring of fault records. A device can fault a million times a second: the log takes a few
 * lines a second, and a device that passes a limit is not listened to any more. */
#include "iommu/fault.h"

#include "cpu/insn.h"
#include "cpu/tsc.h"
#include "dbg/log.h"
#include "iommu/domain.h"

#define TAG "iommu"

#define WINDOW_MS    1000u
#define WINDOW_LINES 8u	  /* in the log */
#define WINDOW_NOISY 256u /* records: more is no accident */

static struct bh_iommu_fault ring[BH_IOMMU_FAULT_MAX];
static uint64_t count;
static uint64_t window_end; /* TSC */
static unsigned window_count;

static void say(const struct bh_iommu_fault *fault)
{
	bool interrupt = fault->reason >= VTD_REASON_INTERRUPT && fault->reason < VTD_REASON_END;

	log_notice(TAG, "device " FAULT_BDF " of partition %u was denied %s %lx, reason %u",
		   FAULT_BDF_ARGS(fault->source), fault->part,
		   interrupt	  ? "interrupt"
		   : fault->write ? "a write to"
				  : "a read of",
		   fault->address, fault->reason);
}

unsigned fault_record(const struct vtd_fault *fault, bool *ret_noisy)
{
	struct bh_iommu_fault *slot = &ring[count % BH_IOMMU_FAULT_MAX];
	bool blocked;

	*slot = (struct bh_iommu_fault){
		.number = count++,
		.address = fault->address,
		.tsc = insn_rdtsc(),
		.source = fault->source,
		.reason = fault->reason,
		.write = fault->write,
		.part = domain_part(fault->source, &blocked),
	};
	if (slot->tsc > window_end) {
		window_end = slot->tsc + WINDOW_MS * tsc_khz();
		window_count = 0;
	}
	if (++window_count <= WINDOW_LINES) {
		say(slot);
	}
	*ret_noisy = window_count >= WINDOW_NOISY;
	if (*ret_noisy) {
		log_notice(TAG, "device " FAULT_BDF ": its faults are not recorded any more",
			   FAULT_BDF_ARGS(fault->source));
		window_count = WINDOW_LINES;
	}
	return slot->part;
}

int fault_read(uint64_t number, struct bh_iommu_fault *ret_fault)
{
	if (number >= count) {
		return -BH_NOENT;
	}
	if (count - number > BH_IOMMU_FAULT_MAX) {
		number = count - BH_IOMMU_FAULT_MAX;
	}
	*ret_fault = ring[number % BH_IOMMU_FAULT_MAX];
	return 0;
}

uint64_t fault_count(void)
{
	return count;
}
