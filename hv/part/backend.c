/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the choice of the back end, and the second-level translation of each partition. */
#include "part/backend.h"

#include "cpu/insn.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "iommu/iommu.h"
#include "lib/boot_info.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "part/device.h"
#include "part/kick.h"

const struct backend *backend;

static bool checks; /* see backend_check_all */

int backend_choose(void)
{
	struct cpuid_regs regs;
	char value[16];
	bool amd;
	int err;

	checks = BH_HV_CHECKS ||
		 (boot_option("check", value, sizeof(value)) && strcmp(value, "isolation") == 0);
	insn_cpuid(0, 0, &regs);
	amd = regs.ebx == 0x68747541 || regs.ebx == 0x6f677948; /* "Auth", "Hygo" */
	backend = amd ? &svm_backend : &vtx_backend;
	err = backend->check();
	if (err) {
		boot_error = "this CPU lacks what is named as missing above";
	}
	return err;
}

static int check_leaf(void *ctx, uint64_t gpa, uint64_t entry, unsigned level)
{
	const struct part *part = ctx;
	uint64_t base = ptab_addr(entry, level), size = ptab_level_size(level);

	if (!part_is_control(part)) {
		return !frame_range_owned(hpa(base), size, part->id) &&
		       !device_range_owned(part, base, size);
	}
	/* The control partition may see its own frames, no frame at all, and RAM that was granted. */
	for (uint64_t at = base; at < base + size && at < frames_top(); at += PAGE_SIZE) {
		unsigned owner = frame_owner(hpa(at));

		if (owner == FRAME_HV || owner == FRAME_POOL) {
			return 1;
		}
		if (owner > FRAME_PART0 &&
		    !(parts[owner - FRAME_PART0].policy->map_by & BIT(BH_PART_CONTROL))) {
			return 1;
		}
	}
	return 0;
}

bool backend_check_isolation(struct part *part)
{
	bool ok;

	lock_acquire(&part->space_lock);
	ok = !part->backend || ptab_walk(&part->space, check_leaf, part) == 0;
	lock_release(&part->space_lock);
	return ok;
}

void backend_check_all(void)
{
	static uint32_t count;
	uint32_t now;

	if (!checks) {
		return;
	}
	for (unsigned i = 0; i < BH_PART_MAX; i++) {
		BH_CHECK(backend_check_isolation(&parts[i]));
	}
	BH_CHECK(iommu_check_isolation());
	now = __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED);
	if ((now & (now - 1)) == 0) {
		log_info("isolation", "holds after %u changes", now);
	}
}

int backend_part_create(struct part *part)
{
	int err;

	lock_acquire(&part->space_lock);
	err = ptab_init(&part->space, backend->format);
	if (!err) {
		err = backend->part_create(part);
		if (err) {
			ptab_fini(&part->space);
		}
	}
	lock_release(&part->space_lock);
	return err;
}

void backend_part_destroy(struct part *part)
{
	lock_acquire(&part->space_lock);
	backend->part_destroy(part);
	ptab_fini(&part->space);
	part->tlb_gen++;
	part->backend = NULL;
	lock_release(&part->space_lock);
	backend_check_all();
}

/* The change is made. A vcpu that enters from here on sees another generation and flushes first; those that
 * are in the guest come out; then nothing reads the tables that the change took out. */
static int finish(struct part *part, int err)
{
	hpa_t retired = ptab_take_retired(&part->space);

	__atomic_fetch_add(&part->tlb_gen, 1, __ATOMIC_SEQ_CST);
	lock_release(&part->space_lock);
	kick_out(part->id);
	ptab_free_retired(retired);
	backend_check_all();
	return err;
}

int backend_map(struct part *part, uint64_t gpa, hpa_t hpa, uint64_t size, unsigned prot,
		unsigned memtype)
{
	lock_acquire(&part->space_lock);
	return finish(part, ptab_map(&part->space, gpa, hpa.v, size, prot, memtype));
}

int backend_unmap(struct part *part, uint64_t gpa, uint64_t size)
{
	lock_acquire(&part->space_lock);
	return finish(part, ptab_unmap(&part->space, gpa, size));
}

int backend_map_doorbell(struct part *part, uint64_t gpa)
{
	lock_acquire(&part->space_lock);
	return finish(part, backend->map_doorbell(part, gpa));
}

