/* SPDX-License-Identifier: Apache-2.0 */
/** Finds the region of an access. Few regions, so the table is searched from its start. */
#include "bus.h"

#include <stddef.h>
#include <inttypes.h>
#include "report.h"

uint64_t bus_ones(unsigned size)
{
	return size >= 8 ? UINT64_MAX : (1ull << (size * 8)) - 1;
}

struct bus_region *bus_add(struct bus *bus, enum bh_ioreq_type type, uint64_t base, uint64_t size,
			   const struct bus_ops *ops, void *device)
{
	struct bus_region *region;

	if (bus->region_count >= BUS_REGION_MAX) {
		return NULL;
	}
	region = &bus->region[bus->region_count++];
	*region = (struct bus_region){
		.type = type,
		.enabled = true,
		.base = base,
		.size = size,
		.ops = ops,
		.device = device,
	};
	return region;
}

static struct bus_region *find_region(struct bus *bus, const struct bh_ioreq *request)
{
	for (unsigned i = 0; i < bus->region_count; i++) {
		struct bus_region *region = &bus->region[i];
		uint64_t offset = request->addr - region->base;

		if (region->enabled && region->type == (enum bh_ioreq_type)request->type &&
		    offset < region->size && region->size - offset >= request->size) {
			return region;
		}
	}
	return NULL;
}

bool bus_overlaps(const struct bus *bus, const struct bus_region *region)
{
	for (unsigned i = 0; i < bus->region_count; i++) {
		const struct bus_region *other = &bus->region[i];

		if (other != region && other->enabled && other->type == region->type &&
		    other->base < region->base + region->size &&
		    region->base < other->base + other->size) {
			return true;
		}
	}
	return false;
}

uint64_t bus_access(struct bus *bus, const struct bh_ioreq *request)
{
	struct bus_region *region = find_region(bus, request);
	uint64_t mask = bus_ones(request->size);
	bool write = request->dir == BH_IOREQ_WRITE;

	if (region == NULL) {
		report_debug(REPORT_BUS_MISS, "%s %s 0x%" PRIx64 " size %u at rip 0x%" PRIx64,
			     request->type == BH_IOREQ_PIO ? "port" : "memory",
			     write ? "write" : "read", request->addr, request->size, request->rip);
		return write ? 0 : mask;
	}
	if (write) {
		region->ops->write(region->device, request->addr - region->base, request->size,
				   request->data & mask);
		return 0;
	}
	return region->ops->read(region->device, request->addr - region->base, request->size) &
	       mask;
}
