/* SPDX-License-Identifier: Apache-2.0 */
/** Events to the control partition: bits in a page it owns, one interrupt (abi/event.h).
 *  Locks: none held by the caller that a wake-up takes (part/sched.h). Context: any CPU. */
#ifndef BH_PART_EVENT_H
#define BH_PART_EVENT_H

#include "lib/types.h"

/** The page must be a frame of the control partition; the message is checked like any MSI. When it returns
 *  nobody writes to the page before. */
int event_setup(uint64_t page_gpa, uint64_t msi_addr, uint64_t msi_data) BH_MUST_CHECK;

/** Record an event of partition `part` and raise the interrupt. Without a page they are lost. */
void event_ioreq(uint32_t part, uint32_t vcpu);
void event_doorbell(uint32_t part, uint32_t doorbell, uint32_t queue);
void event_state(uint32_t part);
/** A device of each partition in the mask was denied an access. */
void event_fault(uint64_t mask);

/** The partition was reset or destroyed: takes back what it had pending. */
void event_forget(uint32_t part);

#endif
