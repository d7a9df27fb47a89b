/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the choice of the back end, and the second-level translation of each partition. */
#include "part/backend.h"

#include "dbg/log.h"
#include "lib/boot_info.h"
#include "mem/frames.h"

const struct backend *backend;

static const struct backend *const backends[] = {&vtx_backend, &svm_backend};

int backend_choose(void)
{
	int err;

	for (unsigned i = 0; i < ARRAY_SIZE(backends); i++) {
		if (backends[i]->present()) {
			backend = backends[i];
		}
	}
	if (!backend) {
		boot_error = "this CPU has neither VT-x nor AMD-V";
		return -BH_NOSUPP;
	}
	err = backend->check();
	if (err) {
		boot_error = "this CPU lacks what is named as missing above";
	}
	return err;
}

int backend_part_create(struct part *part)
{
	int err = ptab_init(&part->space, backend->format);

	if (err) {
		return err;
	}
	err = backend->part_create(part);
	if (err) {
		ptab_fini(&part->space);
	}
	return err;
}

void backend_part_destroy(struct part *part)
{
	backend->part_destroy(part);
	ptab_fini(&part->space);
	part->tlb_gen++;
	part->backend = NULL;
}

/* Each vcpu compares before it enters. */
static int flush(struct part *part, int err)
{
	part->tlb_gen++;
	return err;
}

int backend_map(struct part *part, uint64_t gpa, hpa_t hpa, uint64_t size, unsigned prot,
		unsigned memtype)
{
	return flush(part, ptab_map(&part->space, gpa, hpa.v, size, prot, memtype));
}

int backend_unmap(struct part *part, uint64_t gpa, uint64_t size)
{
	return flush(part, ptab_unmap(&part->space, gpa, size));
}

int backend_map_doorbell(struct part *part, uint64_t gpa)
{
	return flush(part, backend->map_doorbell(part, gpa));
}

static int check_leaf(void *ctx, uint64_t gpa, uint64_t entry, unsigned level)
{
	const struct part *part = ctx;
	uint64_t base = backend->format->addr(entry, level), size = ptab_level_size(level);

	if (!part_is_control(part)) {
		return !frame_range_owned(hpa(base), size, part->id);
	}
	/* The control partition may see its own frames, no frame at all, and RAM that was granted. */
	for (uint64_t at = base; at < base + size && at < frames_top(); at += PAGE_SIZE) {
		unsigned owner = frame_owner(hpa(at));

		if (owner == FRAME_HV || owner == FRAME_POOL) {
			return 1;
		}
		if (owner > FRAME_PART0 &&
		    !(parts[owner - FRAME_PART0].policy->flags & BH_POLICY_MAPPED)) {
			return 1;
		}
	}
	return 0;
}

bool backend_check_isolation(const struct part *part)
{
	return ptab_walk(&part->space, check_leaf, (void *)part) == 0;
}
