/* SPDX-License-Identifier: Apache-2.0 */
/** What holds the real devices back from memory: told once at the start, and each access that one
 * was denied. */
#ifndef MANAGER_IOMMU_H
#define MANAGER_IOMMU_H

#include <json-c/json.h>

/** Looks at the hypervisor's IOMMU from now on; needs the loop. Without one there is a warning in
 * the log and in the switcher's strip. */
void iommu_watch(int dev);

/** For `bulkhead status`: {active, interrupts, units, width, faults}; NULL: the hypervisor does not
 * say. */
struct json_object *iommu_reply(int dev);

#endif
