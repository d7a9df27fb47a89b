/* SPDX-License-Identifier: Apache-2.0 */
/** Events to the control partition. The page is shared: only atomic OR, nothing is read back but the
 *  old value of `pending`, which decides about one interrupt and nothing else. */
#include "part/event.h"

#include "abi/event.h"
#include "lib/lock.h"
#include "part/part.h"
#include "part/use.h"

/* Everybody uses it by part/use.h, under the address of this variable; NULL: there is none. */
static struct bh_event_page *shared_page;
static struct spinlock setup_lock; /* one that sets up at a time; users never take it */
static uint64_t msi_address;	   /* as long as the page is there */
static uint32_t msi_message;

/* The page, or NULL; it stays until put_page. */
static struct bh_event_page *get_page(void)
{
	use_begin(cpu_this(), &shared_page);
	return __atomic_load_n(&shared_page, __ATOMIC_SEQ_CST);
}

static void put_page(void)
{
	use_end(cpu_this());
}

static void set_up(struct bh_event_page *page, uint64_t msi_addr, uint32_t msi_data)
{
	lock_acquire(&setup_lock);
	__atomic_store_n(&shared_page, NULL, __ATOMIC_SEQ_CST);
	use_wait(&shared_page);
	msi_address = msi_addr;
	msi_message = msi_data;
	__atomic_store_n(&shared_page, page, __ATOMIC_SEQ_CST);
	lock_release(&setup_lock);
}

int event_setup(uint64_t page_gpa, uint64_t msi_addr, uint64_t msi_data)
{
	struct part *control = &parts[BH_PART_CONTROL];
	struct bh_event_page *page = part_memory(control, page_gpa, PAGE_SIZE);

	if (page_gpa == 0) { /* its owner is about to use it for something else */
		set_up(NULL, 0, 0);
		return 0;
	}
	if (!page) {
		return -BH_RANGE;
	}
	if (msi_data > UINT32_MAX || (msi_addr & ~0xfffffull) != VLAPIC_MMIO ||
	    (msi_data & 0xff) < 16) {
		return -BH_INVAL;
	}
	set_up(page, msi_addr, (uint32_t)msi_data);
	return 0;
}

static void set_bit(uint64_t *word, unsigned bit)
{
	__atomic_or_fetch(word, BIT(bit), __ATOMIC_RELEASE);
}

static void announce(struct bh_event_page *page, uint32_t part)
{
	uint64_t old = __atomic_fetch_or(&page->pending, BIT(part), __ATOMIC_ACQ_REL);

	if (old == 0) {
		(void)vlapic_msi(parts[BH_PART_CONTROL].vcpu[0], msi_address, msi_message);
	}
}

void event_ioreq(uint32_t part, uint32_t vcpu)
{
	struct bh_event_page *page = get_page();

	if (page) {
		set_bit(&page->ioreq[part], vcpu);
		announce(page, part);
	}
	put_page();
}

void event_doorbell(uint32_t part, uint32_t doorbell, uint32_t queue)
{
	struct bh_event_page *page = get_page();

	if (page) {
		set_bit(&page->doorbell[part][doorbell], queue);
		set_bit(&page->doorbell_page[part], doorbell);
		announce(page, part);
	}
	put_page();
}

void event_state(uint32_t part)
{
	struct bh_event_page *page = get_page();

	if (page) {
		set_bit(&page->state, part);
		announce(page, part);
	}
	put_page();
}

void event_fault(uint64_t mask)
{
	struct bh_event_page *page = get_page();

	for (uint32_t part = 0; page && part < BH_PART_MAX; part++) {
		if (mask & BIT(part)) {
			set_bit(&page->fault, part);
			announce(page, part);
		}
	}
	put_page();
}

void event_forget(uint32_t part)
{
	struct bh_event_page *page = get_page();

	if (page) {
		__atomic_store_n(&page->ioreq[part], 0, __ATOMIC_RELEASE);
		__atomic_store_n(&page->doorbell_page[part], 0, __ATOMIC_RELEASE);
		for (unsigned d = 0; d < BH_DOORBELL_MAX; d++) {
			__atomic_store_n(&page->doorbell[part][d], 0, __ATOMIC_RELEASE);
		}
	}
	put_page();
}
