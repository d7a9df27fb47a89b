/* SPDX-License-Identifier: Apache-2.0 */
/** Events to the control partition. The page is shared: only atomic OR, nothing is read back but the
 *  old value of `pending`, which decides about one interrupt and nothing else. */
#include "part/event.h"

#include "abi/event.h"
#include "part/part.h"

static struct bh_event_page *page;
static uint64_t msi_address;
static uint32_t msi_message;

int event_setup(uint64_t page_gpa, uint64_t msi_addr, uint64_t msi_data)
{
	struct part *control = &parts[BH_PART_CONTROL];
	struct bh_event_page *new_page = part_memory(control, page_gpa, PAGE_SIZE);

	if (page_gpa == 0) { /* its owner is about to use it for something else */
		page = NULL;
		return 0;
	}
	if (!new_page) {
		return -BH_RANGE;
	}
	if (msi_data > UINT32_MAX || (msi_addr & ~0xfffffull) != VLAPIC_MMIO ||
	    (msi_data & 0xff) < 16) {
		return -BH_INVAL;
	}
	page = new_page;
	msi_address = msi_addr;
	msi_message = (uint32_t)msi_data;
	return 0;
}

static void set_bit(uint64_t *word, unsigned bit)
{
	__atomic_or_fetch(word, BIT(bit), __ATOMIC_RELEASE);
}

static void announce(uint32_t part)
{
	uint64_t old = __atomic_fetch_or(&page->pending, BIT(part), __ATOMIC_ACQ_REL);

	if (old == 0) {
		(void)vlapic_msi(parts[BH_PART_CONTROL].vcpu[0], msi_address, msi_message);
	}
}

void event_ioreq(uint32_t part, uint32_t vcpu)
{
	if (page) {
		set_bit(&page->ioreq[part], vcpu);
		announce(part);
	}
}

void event_doorbell(uint32_t part, uint32_t doorbell, uint32_t queue)
{
	if (page) {
		set_bit(&page->doorbell[part][doorbell], queue);
		set_bit(&page->doorbell_page[part], doorbell);
		announce(part);
	}
}

void event_state(uint32_t part)
{
	if (page) {
		set_bit(&page->state, part);
		announce(part);
	}
}

void event_fault(uint64_t mask)
{
	for (uint32_t part = 0; page && part < BH_PART_MAX; part++) {
		if (mask & BIT(part)) {
			set_bit(&page->fault, part);
			announce(part);
		}
	}
}

void event_forget(uint32_t part)
{
	if (!page) {
		return;
	}
	__atomic_store_n(&page->ioreq[part], 0, __ATOMIC_RELEASE);
	__atomic_store_n(&page->doorbell_page[part], 0, __ATOMIC_RELEASE);
	for (unsigned d = 0; d < BH_DOORBELL_MAX; d++) {
		__atomic_store_n(&page->doorbell[part][d], 0, __ATOMIC_RELEASE);
	}
}
