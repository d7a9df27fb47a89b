/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the count of refusals; every decision about a partition's rights is made here. */
#include "part/gate.h"

#include "dbg/log.h"

#define TAG "gate"

/* A guest can be refused in a loop; the log must not drown in it. */
#define AUDIT_LINES_MAX 16u

static uint32_t refused[BH_PART_MAX];
static uint64_t refused_in_all;

static int refuse(const struct part *part, const char *what)
{
	__atomic_fetch_add(&refused_in_all, 1, __ATOMIC_RELAXED);
	if (__atomic_fetch_add(&refused[part->id], 1, __ATOMIC_RELAXED) < AUDIT_LINES_MAX) {
		log_notice(TAG, "%s: refused: %s", part->policy->name, what);
	}
	return -BH_DENIED;
}

uint64_t gate_get_refused(void)
{
	return __atomic_load_n(&refused_in_all, __ATOMIC_RELAXED);
}

int gate_check_manage(const struct part *caller)
{
	return caller->policy->flags & BH_POLICY_CONTROL ? 0 : refuse(caller, "manage partitions");
}

int gate_check_map(const struct part *by, const struct part *part)
{
	return POLICY_NOW(part->id, map_by) >> by->id & 1
		       ? 0
		       : refuse(part, "memory mapped by another partition");
}

int gate_check_doorbells(const struct part *part, uint64_t count)
{
	return count <= POLICY_NOW(part->id, doorbell_count)
		       ? 0
		       : refuse(part, "more doorbells than allowed");
}

int gate_check_ring(const struct part *from, uint32_t to)
{
	return POLICY_NOW(from->id, ring_to) >> to & 1 ? 0 : refuse(from, "ring of a doorbell");
}

int gate_check_irq(const struct part *by, const struct part *part)
{
	return POLICY_NOW(part->id, irq_from) >> by->id & 1
		       ? 0
		       : refuse(part, "interrupts from back ends");
}

bool gate_owns_device(const struct part *part, uint32_t device)
{
	const struct bh_policy_device *entry = policy_device(device);

	return entry && entry->part == part->id;
}
