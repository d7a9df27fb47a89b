/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what the control partition gets at start: its identity map, memory map and start info. */
#include "part/control.h"

#include "cpu/cpuid.h"
#include "dbg/log.h"
#include "iommu/iommu.h"
#include "lib/boot_info.h"
#include "mem/frames.h"
#include "mem/ptab.h"
#include "part/backend.h"
#include "part/vcpuid.h"
#include "part/part.h"
#include "part/policy.h"
#include "part/sched.h"

#define TAG "control"

/* UEFI puts devices at the very end of what the CPU addresses. Pages of 1 GiB keep the tables for
 * that small: 512 KiB for the largest. */
#define ADDRESS_BITS_MAX	46u
#define ADDRESS_BITS_SMALL_PAGE 39u
#define ADDRESS_BITS_UNSAID	36u

#define PROT_ALL (PTAB_READ | PTAB_WRITE | PTAB_EXECUTE)

static uint64_t address_top(void)
{
	unsigned bits = cpuid_read(0x80000008u, 0, CPUID_EAX) & 0xff;
	unsigned most =
		backend->format->max_leaf_level >= 3 ? ADDRESS_BITS_MAX : ADDRESS_BITS_SMALL_PAGE;

	return BIT(bits ? MIN(bits, most) : ADDRESS_BITS_UNSAID);
}

/* Everything is the control partition's but frames of root mode and of the pool. */
static int map_memory(struct part *control)
{
	uint64_t base = 0, size, top = address_top();
	unsigned owner;
	hpa_t page;
	int err = 0;

	while (!err && frame_run_next(&base, &size, &owner)) {
		if (owner == FRAME_PART0) {
			err = backend_map(control, base, hpa(base), size, PROT_ALL, PTAB_WB);
		} else if (owner == FRAME_ABSENT) {
			/* Holes in RAM are ROM, firmware tables and devices: uncached, unless the
			 * guest's own page tables ask for write combining. */
			err = backend_map(control, base, hpa(base), size, PROT_ALL, PTAB_UC);
		}
		base += size;
	}
	if (!err && base < top) {
		err = backend_map(control, base, hpa(base), top - base, PROT_ALL, PTAB_UC);
	}
	if (!err) {
		err = backend_unmap(control, VLAPIC_MMIO, PAGE_SIZE);
	}
	for (unsigned i = 0; !err && iommu_registers(i, &page); i++) {
		err = backend_unmap(control, page.v, PAGE_SIZE);
	}
	return err;
}

unsigned control_vcpu_count(void)
{
	const struct bh_policy_part *policy = policy_part(BH_PART_CONTROL);

	return policy ? MIN(policy->vcpu_count, cpu_count()) : 1;
}

int control_init(const struct boot_info *info, gpa_t start_info, gpa_t entry)
{
	struct part *control = &parts[BH_PART_CONTROL];
	struct bh_vcpu_start start = {.mode = BH_VCPU_FLAT32, .rip = entry.v, .rbx = start_info.v};
	int err;

	for (uint32_t i = 0; i < policy_part_count(); i++) {
		parts[i].id = i;
		parts[i].policy = policy_part(i);
	}
	vcpuid_init();
	err = backend_part_create(control);
	err = err ? err : map_memory(control);
	err = err ? err : part_create_vcpus(control);
	err = err ? err : vcpu_start(control->vcpu[0], &start);
	if (err) {
		boot_error = "no frames left for the control partition";
		return err;
	}
	control->vcpu[0]->state = VCPU_RUNNABLE;
	control->open = true;
	__atomic_store_n(&control->state, BH_PART_RUNNING, __ATOMIC_RELEASE);
	sched_wake(control->vcpu[0]);
	log_notice(TAG, "starts at 0x%lx, root mode uses %lu KiB", entry.v,
		   (frames_hv_used() >> 10));
	return 0;
}
