/* SPDX-License-Identifier: Apache-2.0 */
/** Partitions: memory, vcpus and life cycle.
 *
 *  Life cycle: EMPTY -create-> CREATED -start-> RUNNING <-pause/resume-> PAUSED; any -destroy->
 *  EMPTY; any -reset-> CREATED. A guest that cannot go on is STOPPED with the reason, and nobody
 *  else notices. The control partition is created at boot and is never destroyed.
 *
 *  Locks, in this order; none is held while anything is waited for but the next one:
 *    part->lock        state and stop_*
 *    part->space_lock  `space`
 *    sched->lock       of one CPU at a time (part/sched.h)
 *    frames, log       inside those files
 *  The life cycle and whatever else changes a partition is one hypercall at a time (part_claim),
 *  and those may wait, for two things: that CPUs leave guest mode, and that vcpus of a guest come
 *  off their CPUs. Neither the exits of a guest nor the scheduler wait for anything but locks, so
 *  both happen soon. */
#ifndef BH_PART_PART_H
#define BH_PART_PART_H

#include "abi/part.h"
#include "abi/policy.h"
#include "lib/lock.h"
#include "mem/ptab.h"
#include "part/vcpu.h"

struct part {
	uint32_t id;
	enum bh_part_state state; /* its vcpus run while it is RUNNING; read by anybody */
	const struct bh_policy_part *policy; /* of this boot: name, flags; the gate knows the rest */
	struct spinlock lock, space_lock;
	bool claimed; /* a hypercall that changes it is at work */
	bool open;    /* vcpu[] is there and stays while somebody uses it (part/use.h) */
	hpa_t ram;         /* contiguous; the control partition: 0, identity mapped */
	uint64_t ram_size; /* control: 0 */
	hpa_t ioreq_page;  /* owned by the control partition */
	uint64_t doorbell_gpa;
	uint32_t doorbell_count;
	uint32_t vcpu_count;
	struct vcpu *vcpu[BH_VCPU_MAX];
	struct vcpu *waiter[BH_VCPU_MAX]; /* control vcpu that halts until vcpu n asks again, or NULL */
	enum bh_stop_reason stop_reason;
	uint64_t stop_detail, stop_rip;
	uint32_t stop_vcpu;
	struct ptab space;    /* second-level translation */
	uint64_t held_until;  /* TSC at which its cap allows it to run again; atomic, part/sched.c */
	uint64_t tlb_gen;     /* raised by each change of `space`, never reset */
	void *backend;        /* vtx: struct vmx_part; NULL: no second-level tables */
};

extern struct part parts[BH_PART_MAX];

static inline bool part_is_control(const struct part *part)
{
	return part->id == BH_PART_CONTROL;
}

/** As it is at this moment: a vcpu may stop the partition at any time. */
static inline enum bh_part_state part_state(const struct part *part)
{
	return __atomic_load_n(&part->state, __ATOMIC_SEQ_CST);
}

/** Its vcpus may execute. */
static inline bool part_runs(const struct part *part)
{
	return part_state(part) == BH_PART_RUNNING;
}

/** Between these the caller alone changes the partition. -BH_STATE: somebody else does. */
int part_claim(struct part *part) BH_MUST_CHECK;
void part_release(struct part *part);

/** Between these its vcpus stay; any number of callers. -BH_STATE: it has none, or is about to lose them.
 *  The caller waits for nothing but locks meanwhile. */
int part_use(struct part *part) BH_MUST_CHECK;
void part_unuse(struct part *part);

/** The partition with this number, or NULL when the policy does not name it. */
struct part *part_get(uint64_t id);

/** See the hypercalls of the same names (abi/hypercall.h) for states and errors. Context: claimed; a vcpu of
 *  the control partition, no lock held. */
int part_create(struct part *part, hpa_t ioreq_page) BH_MUST_CHECK;
int part_start(struct part *part) BH_MUST_CHECK;
int part_pause(struct part *part) BH_MUST_CHECK;
int part_resume(struct part *part) BH_MUST_CHECK;
int part_reset(struct part *part) BH_MUST_CHECK;
int part_destroy(struct part *part) BH_MUST_CHECK;
void part_get_info(const struct part *part, struct bh_part_info *ret_info);

/** Allocates the vcpus the policy grants, for the control partition at most one per CPU, and resets them. */
int part_create_vcpus(struct part *part) BH_MUST_CHECK;

/** Ends the partition because one of its vcpus cannot go on; the control partition learns of it. When it
 *  is the control partition itself, the machine halts. Does not return to that guest. */
void part_stop(struct vcpu *vcpu, enum bh_stop_reason reason, uint64_t detail);

/** Name of a stop reason in words. */
const char *part_stop_name(enum bh_stop_reason reason);

/** Copies between root mode and memory of the partition, inside one page. -BH_RANGE: not its memory. */
int part_copy_in(struct part *part, uint64_t gpa, void *dst, size_t size) BH_MUST_CHECK;
int part_copy_out(struct part *part, uint64_t gpa, const void *src, size_t size) BH_MUST_CHECK;

/** The guest has neither memory nor its local APIC there: [gpa, gpa + size) may be a doorbell or a BAR. */
bool part_range_free(const struct part *part, uint64_t gpa, uint64_t size);

/** Host pointer to a range of the partition's own memory inside one page, or NULL. */
void *part_memory(const struct part *part, uint64_t gpa, size_t size);

#endif
