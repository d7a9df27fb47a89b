/* SPDX-License-Identifier: Apache-2.0 */
/** Events for the control partition: one page of bits, announced by one interrupt.
 *
 *  Root mode sets bits with atomic OR and raises the interrupt when `pending` goes from 0 to 1. The
 *  kernel module first takes `pending` (exchange with 0), then each word it finds set (exchange with 0).
 */
#ifndef BH_ABI_EVENT_H
#define BH_ABI_EVENT_H

#include "types.h"

struct bh_event_page {
	uint64_t pending; /* bit p: something of partition p below is set */
	uint64_t state;   /* bit p: partition p changed its state by itself */
	uint64_t ioreq[BH_PART_MAX];                     /* bit v: ioreq of vcpu v is PENDING */
	uint64_t doorbell_page[BH_PART_MAX];             /* bit d: doorbell[p][d] is not 0 */
	uint64_t doorbell[BH_PART_MAX][BH_DOORBELL_MAX]; /* bit q: queue q was rung */
	uint64_t fault; /* bit p: a device of partition p was denied an access, see BH_HC_IOMMU_FAULT */
};
BH_ABI_ASSERT(sizeof(struct bh_event_page) <= BH_PAGE_SIZE);

/** Queue q of a doorbell page is rung by a write to page + 4 * q. */
#define BH_DOORBELL_STRIDE 4u

#endif
