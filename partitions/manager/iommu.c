/* SPDX-License-Identifier: Apache-2.0 */
/** Watches the hypervisor's records of accesses that devices were denied. */
#define _GNU_SOURCE
#include "iommu.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bulkhead_dev.h"
#include "loop.h"
#include "say.h"
#include "switch.h"

#define LINES_MAX 8u	/* a look; the hypervisor records a few a second, its log has them too */
#define AGAIN_MS  1100u /* what a unit holds back while it hears too much comes a second later */

static struct loop_source source = {.fd = -1};
static struct loop_timer again;
static uint64_t seen; /* number of the next record */

static void say_fault(int dev, const struct bh_iommu_fault *fault)
{
	struct bh_part_info info = {.name = "?"};

	if (dev_info(dev, fault->part, &info)) {
		snprintf(info.name, sizeof(info.name), "?");
	}
	say("device %02x:%02x.%x of %s was denied a %s 0x%" PRIx64 ", reason %u",
	    fault->source >> 8, fault->source >> 3 & 31, fault->source & 7, info.name,
	    fault->write ? "write to" : "read of", fault->address, fault->reason);
}

static void look(int dev)
{
	struct bh_iommu_info info;
	struct bh_iommu_fault fault;
	unsigned int lines = 0;

	if (dev_iommu(dev, &info) || info.faults == seen) {
		return;
	}
	while (lines < LINES_MAX && seen < info.faults) {
		fault.number = seen;
		if (dev_fault(dev, &fault)) {
			break;
		}
		say_fault(dev, &fault);
		seen = fault.number + 1;
		lines++;
	}
	if (seen < info.faults) {
		say("devices were denied %" PRIu64 " accesses more", info.faults - seen);
		seen = info.faults;
	}
	loop_timer_set(&again, AGAIN_MS);
}

static void on_event(void *data, uint32_t events)
{
	(void)data;
	(void)events;
	look(source.fd);
}

static void on_again(void *data)
{
	(void)data;
	look(source.fd);
}

void iommu_watch(int dev)
{
	struct bh_iommu_info info;
	int ret = dev_iommu(dev, &info);

	if (ret) {
		say("the hypervisor does not tell of its IOMMU: %s", strerror(-ret));
		return;
	}
	if (!(info.flags & BH_IOMMU_ACTIVE)) {
		say("warning: no IOMMU: devices reach all memory");
		switch_warn("no IOMMU");
		return;
	}
	say("IOMMU: %u units, %u-bit addresses%s", info.unit_count, info.width,
	    info.flags & BH_IOMMU_INTREMAP ? ", interrupts checked" : "");
	source = (struct loop_source){.fd = -1, .ready = on_event};
	again.fire = on_again;
	ret = loop_add(&source, dev, EPOLLIN);
	if (ret) {
		say("faults of devices are not watched: %s", strerror(-ret));
	}
	look(dev);
}

struct json_object *iommu_reply(int dev)
{
	struct bh_iommu_info info;
	struct json_object *object;

	if (dev_iommu(dev, &info)) {
		return NULL;
	}
	object = json_object_new_object();
	json_object_object_add(object, "active",
			       json_object_new_boolean(info.flags & BH_IOMMU_ACTIVE));
	json_object_object_add(object, "interrupts",
			       json_object_new_boolean(info.flags & BH_IOMMU_INTREMAP));
	json_object_object_add(object, "units", json_object_new_uint64(info.unit_count));
	json_object_object_add(object, "width", json_object_new_uint64(info.width));
	json_object_object_add(object, "faults", json_object_new_uint64(info.faults));
	return object;
}
