/* SPDX-License-Identifier: Apache-2.0 */
/** One access of a guest that root mode does not answer itself, on its way to the partition's runner.
 *
 *  The ioreq page belongs to the control partition: BH_VCPU_MAX slots, slot v for vcpu v. Root mode fills
 *  the slot, sets PENDING and records the event; the runner answers in `data`, sets DONE and calls
 *  BH_HC_IOREQ_DONE. Root mode keeps its own copy of the request and takes only `data` from the answer.
 */
#ifndef BH_ABI_IOREQ_H
#define BH_ABI_IOREQ_H

#include "types.h"

enum bh_ioreq_state { BH_IOREQ_FREE = 0, BH_IOREQ_PENDING = 1, BH_IOREQ_DONE = 2 };
/** Flag of BH_HC_IOREQ_DONE. */
#define BH_IOREQ_WAIT 1u

enum bh_ioreq_type { BH_IOREQ_PIO = 0, BH_IOREQ_MMIO = 1 };
enum bh_ioreq_dir { BH_IOREQ_READ = 0, BH_IOREQ_WRITE = 1 };

struct bh_ioreq {
	uint64_t addr;  /* port or guest-physical address */
	uint64_t data;  /* value written, or the answer; low `size` bytes count */
	uint32_t size;  /* bytes: 1, 2, 4, 8 */
	uint8_t type;   /* enum bh_ioreq_type */
	uint8_t dir;    /* enum bh_ioreq_dir */
	uint8_t vcpu;
	uint8_t reserved;
	uint32_t state; /* enum bh_ioreq_state; written last */
	uint32_t reserved2;
	uint64_t seq;   /* counts the requests of this vcpu */
	uint64_t rip;   /* for diagnosis */
	uint64_t reserved3[2];
};
BH_ABI_ASSERT(sizeof(struct bh_ioreq) == 64);

#endif
