/* SPDX-License-Identifier: Apache-2.0 */
/** Table of port and memory regions: which device answers an access of the guest.
 *
 *  An access must lie wholly inside one enabled region; what nobody answers reads as all ones and
 * swallows writes. Not locked: callers hold the machine lock.
 */
#ifndef RUNNER_BUS_H
#define RUNNER_BUS_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/ioreq.h"

#define BUS_REGION_MAX 64u

/** `offset` counts from the start of the region; size is 1, 2, 4 or 8 bytes and fits the region. */
struct bus_ops {
	uint64_t (*read)(void *device, uint64_t offset, unsigned size);
	void (*write)(void *device, uint64_t offset, unsigned size, uint64_t value);
};

struct bus_region {
	enum bh_ioreq_type type;
	bool enabled;
	uint64_t base;
	uint64_t size; /* bytes */
	const struct bus_ops *ops;
	void *device;
};

struct bus {
	struct bus_region region[BUS_REGION_MAX];
	unsigned region_count;
};

/** Adds an enabled region; NULL when the table is full. The address of the result stays valid. */
struct bus_region *bus_add(struct bus *bus, enum bh_ioreq_type type, uint64_t base, uint64_t size,
			   const struct bus_ops *ops, void *device);
/** Serves one access and returns what a read gives (0 for a write), bytes above `size` clear. */
uint64_t bus_access(struct bus *bus, const struct bh_ioreq *request);
/** Whether another enabled region of the same type shares an address with this one of the table. */
bool bus_overlaps(const struct bus *bus, const struct bus_region *region);
/** All ones in `size` bytes. */
uint64_t bus_ones(unsigned size);

#endif
