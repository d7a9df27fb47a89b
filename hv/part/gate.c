/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the count of refusals; every decision about a partition's rights is made here. */
#include "part/gate.h"

#include "dbg/log.h"

#define TAG "gate"

/* A guest can be refused in a loop; the log must not drown in it. */
#define AUDIT_LINES_MAX 16u

static uint32_t refused[BH_PART_MAX];

static int refuse(const struct part *part, const char *what)
{
	if (__atomic_fetch_add(&refused[part->id], 1, __ATOMIC_RELAXED) < AUDIT_LINES_MAX) {
		log_notice(TAG, "%s: refused: %s", part->policy->name, what);
	}
	return -BH_DENIED;
}

int gate_check_manage(const struct part *caller)
{
	return caller->policy->flags & BH_POLICY_CONTROL ? 0 : refuse(caller, "manage partitions");
}

int gate_check_map(const struct part *part)
{
	return part->policy->flags & BH_POLICY_MAPPED
		       ? 0
		       : refuse(part, "memory mapped by the control partition");
}

int gate_check_doorbells(const struct part *part, uint64_t count)
{
	return count <= part->policy->doorbell_count ? 0 : refuse(part, "more doorbells than allowed");
}

int gate_check_irq(const struct part *part)
{
	return part->policy->flags & BH_POLICY_MAPPED ? 0 : refuse(part, "interrupts from back ends");
}
