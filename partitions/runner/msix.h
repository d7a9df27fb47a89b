/* SPDX-License-Identifier: Apache-2.0 */
/** MSI-X table and pending bits of one function.
 *  Source: PCI Local Bus Specification 3.0, "MSI-X Capability and Table Structures". */
#ifndef RUNNER_MSIX_H
#define RUNNER_MSIX_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/types.h"

#define MSIX_VECTOR_MAX (BH_DOORBELL_QUEUE_MAX + 1)
#define MSIX_ENTRY_SIZE 16u
#define MSIX_NO_VECTOR	0xffffu
#define MSIX_PBA_SIZE	16u /* bytes, enough for MSIX_VECTOR_MAX bits */

struct msix_entry {
	uint64_t addr;
	uint32_t data;
	uint32_t control; /* bit 0: masked */
};

struct msix {
	struct msix_entry entry[MSIX_VECTOR_MAX];
	unsigned count;
	bool pending[MSIX_VECTOR_MAX];
	bool enabled, masked; /* the function's own bits */
};

/** All vectors masked, nothing pending. count <= MSIX_VECTOR_MAX. */
void msix_init(struct msix *msix, unsigned count);
/** Accesses to the table and to the pending bits; offset within them. Only 4 and 8 bytes, aligned.
 */
uint64_t msix_table_read(const struct msix *msix, uint64_t offset, unsigned size);
void msix_table_write(struct msix *msix, uint64_t offset, unsigned size, uint64_t value);
uint64_t msix_pba_read(const struct msix *msix, uint64_t offset, unsigned size);
/** Whether an interrupt of that vector goes out at once. False for vectors that do not exist. */
bool msix_deliverable(const struct msix *msix, unsigned vector);
/** Takes the pending bit of a vector that is deliverable now. */
bool msix_take_pending(struct msix *msix, unsigned vector);

#endif
