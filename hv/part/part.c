/* SPDX-License-Identifier: Apache-2.0 */
/** Partitions: the only place that changes a partition's state. Prepare may fail and changes
 * nothing. */
#include "part/part.h"

#include "dbg/halt.h"
#include "cpu/insn.h"
#include "cpu/tsc.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "mem/ptab.h"
#include "part/backend.h"
#include "part/control.h"
#include "part/device.h"
#include "part/event.h"
#include "part/gate.h"
#include "part/ioreq.h"
#include "part/kick.h"
#include "part/sched.h"
#include "part/use.h"

#define TAG "part"

#define PCI_HOLE_TOP BIT(32)

struct part parts[BH_PART_MAX];

struct part *part_get(uint64_t id)
{
	return id < BH_PART_MAX && parts[id].policy ? &parts[id] : NULL;
}

int part_claim(struct part *part)
{
	return __atomic_exchange_n(&part->claimed, true, __ATOMIC_ACQUIRE) ? -BH_STATE : 0;
}

void part_release(struct part *part)
{
	__atomic_store_n(&part->claimed, false, __ATOMIC_RELEASE);
}

int part_use(struct part *part)
{
	use_begin(cpu_this(), part);
	if (!__atomic_load_n(&part->open, __ATOMIC_SEQ_CST)) {
		part_unuse(part);
		return -BH_STATE;
	}
	return 0;
}

void part_unuse(struct part *part)
{
	(void)part;
	use_end(cpu_this());
}

static void open_for_use(struct part *part)
{
	__atomic_store_n(&part->open, true, __ATOMIC_SEQ_CST);
}

static void close_for_use(struct part *part)
{
	__atomic_store_n(&part->open, false, __ATOMIC_SEQ_CST);
	use_wait(part);
}

static void set_state(struct part *part, enum bh_part_state state)
{
	__atomic_store_n(&part->state, state, __ATOMIC_SEQ_CST);
}

/* From one state to another and no other: a vcpu may stop the partition meanwhile. */
static int change_state(struct part *part, enum bh_part_state from, enum bh_part_state to)
{
	bool fits;

	lock_acquire(&part->lock);
	fits = part->state == from;
	if (fits) {
		set_state(part, to);
	}
	lock_release(&part->lock);
	return fits ? 0 : -BH_STATE;
}

/* Its vcpus leave every CPU and every queue, and nobody else uses them when this returns. */
static void take_off_cpus(struct part *part)
{
	(void)!change_state(part, BH_PART_RUNNING, BH_PART_PAUSED);
	close_for_use(part);
	kick_out(part->id);
	for (unsigned i = 0; i < BH_VCPU_MAX; i++) {
		while (part->vcpu[i] && !sched_expel(part->vcpu[i])) {
			insn_pause();
		}
	}
}

/* A runner that halts until a vcpu asks again would wait for ever. */
static void wake_waiters(struct part *part)
{
	for (unsigned i = 0; i < BH_VCPU_MAX; i++) {
		ioreq_wake_waiter(part, i);
	}
}

/* Context: the vcpus are off every CPU. */
static void destroy_vcpus(struct part *part)
{
	for (unsigned i = 0; i < BH_VCPU_MAX; i++) {
		struct vcpu *vcpu = part->vcpu[i];

		if (!vcpu) {
			continue;
		}
		if (vcpu->home) {
			sched_detach(vcpu);
		}
		if (vcpu->backend) {
			backend->vcpu_destroy(vcpu);
		}
		if (vcpu->xstate) {
			frame_free(hpa((uintptr_t)vcpu->xstate));
		}
		frame_free(hpa((uintptr_t)vcpu));
		part->vcpu[i] = NULL;
	}
	part->vcpu_count = 0;
}

_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "a vcpu is one frame");

static int create_vcpu(struct part *part, unsigned id)
{
	struct vcpu *vcpu;
	hpa_t frame;
	int err = frame_alloc(&frame);

	if (err) {
		return err;
	}
	vcpu = hpa_ptr(frame);
	vcpu->part = part;
	vcpu->id = id;
	vcpu->pinned = part_is_control(part);
	vcpu->apic_id = vcpu->pinned ? cpus[id].apic_id : id;
	part->vcpu[id] = vcpu;
	err = frame_alloc(&frame);
	if (err) {
		return err;
	}
	vcpu->xstate = hpa_ptr(frame);
	err = backend->vcpu_create(vcpu);
	if (err) {
		return err;
	}
	vcpu_reset(vcpu);
	backend->unload(vcpu);
	sched_attach(vcpu);
	return 0;
}

/* Vcpu i of the control partition is on CPU i, so that it gets the interrupts of that CPU. */
static uint32_t count_vcpus(const struct part *part)
{
	return part_is_control(part) ? control_vcpu_count() : gate_get(part, vcpu_count);
}

int part_create_vcpus(struct part *part)
{
	uint32_t count = count_vcpus(part);

	for (unsigned i = 0; i < count; i++) {
		int err = create_vcpu(part, i);

		if (err) {
			destroy_vcpus(part);
			return err;
		}
	}
	part->vcpu_count = count;
	return 0;
}

int part_create(struct part *part, hpa_t ioreq_page)
{
	struct part *control = &parts[BH_PART_CONTROL];
	uint64_t size = gate_get(part, ram_size);
	int err;

	if (part_state(part) != BH_PART_EMPTY) {
		return -BH_STATE;
	}
	err = frame_range_take(size, part->id, &part->ram);
	if (err) {
		return err;
	}
	err = backend_part_create(part);
	if (err) {
		goto release_ram;
	}
	err = backend_map(part, 0, part->ram, size, PTAB_READ | PTAB_WRITE | PTAB_EXECUTE, 6);
	err = err ? err
		  : backend_map(control, part->ram.v, part->ram, size, PTAB_READ | PTAB_WRITE, 6);
	if (err) {
		goto destroy_backend;
	}
	err = part_create_vcpus(part);
	if (err) {
		goto unmap_control;
	}
	part->ram_size = size;
	part->ioreq_page = ioreq_page;
	part->stop_reason = BH_STOP_NONE;
	part->stop_detail = 0;
	part->stop_rip = 0;
	set_state(part, BH_PART_CREATED);
	open_for_use(part);
	log_notice(TAG, "%s: created, %u MiB at 0x%lx, %u vcpus", part->policy->name,
		   (unsigned)(size >> 20), part->ram.v, part->vcpu_count);
	return 0;

unmap_control:
	(void)!backend_unmap(control, part->ram.v, size);
destroy_backend:
	backend_part_destroy(part);
release_ram:
	frame_range_release(part->ram, size);
	return err;
}

/* Each vcpu looks at what it was asked, and tells its CPU about its deadline. */
static void wake_all(struct part *part)
{
	for (unsigned i = 0; i < part->vcpu_count; i++) {
		sched_wake(part->vcpu[i]);
	}
}

int part_start(struct part *part)
{
	int err = part_state(part) == BH_PART_CREATED ? device_attach(part) : -BH_STATE;

	err = err ? err : change_state(part, BH_PART_CREATED, BH_PART_RUNNING);
	if (err) {
		return err;
	}
	wake_all(part);
	log_notice(TAG, "%s: started", part->policy->name);
	backend_check_all();
	return 0;
}

int part_pause(struct part *part)
{
	int err = change_state(part, BH_PART_RUNNING, BH_PART_PAUSED);

	if (!err) {
		kick_out(part->id);
	}
	return err;
}

int part_resume(struct part *part)
{
	int err = change_state(part, BH_PART_PAUSED, BH_PART_RUNNING);

	if (!err) {
		wake_all(part);
	}
	return err;
}

static void remove_doorbells(struct part *part)
{
	if (part->doorbell_count) {
		(void)!backend_unmap(part, part->doorbell_gpa,
				     (uint64_t)part->doorbell_count * PAGE_SIZE);
	}
	part->doorbell_gpa = 0;
	part->doorbell_count = 0;
}

int part_reset(struct part *part)
{
	if (part_state(part) == BH_PART_EMPTY) {
		return -BH_STATE;
	}
	take_off_cpus(part);
	device_detach(part);
	remove_doorbells(part);
	for (unsigned i = 0; i < part->vcpu_count; i++) {
		sched_detach(part->vcpu[i]); /* or its CPU looks at its deadline meanwhile */
		vcpu_reset(part->vcpu[i]);
		part->vcpu[i]->requests = 0;
		backend->unload(part->vcpu[i]);
		sched_attach(part->vcpu[i]);
	}
	memset(hpa_ptr(part->ram), 0, part->ram_size);
	event_forget(part->id);
	part->stop_reason = BH_STOP_NONE;
	set_state(part, BH_PART_CREATED);
	open_for_use(part);
	wake_waiters(part);
	log_notice(TAG, "%s: reset", part->policy->name);
	return 0;
}

int part_destroy(struct part *part)
{
	int err;

	if (part_state(part) == BH_PART_EMPTY) {
		return -BH_STATE;
	}
	/* May need a frame to split a large page: first, while everything can still stay as it was.
	 */
	err = backend_unmap(&parts[BH_PART_CONTROL], part->ram.v, part->ram_size);
	if (err) {
		return err;
	}
	take_off_cpus(part);
	device_detach(part);
	remove_doorbells(part);
	destroy_vcpus(part);
	backend_part_destroy(part);
	frame_range_release(part->ram, part->ram_size);
	event_forget(part->id);
	part->ram = hpa(0);
	part->ram_size = 0;
	part->ioreq_page = hpa(0);
	set_state(part, BH_PART_EMPTY);
	wake_waiters(part);
	log_notice(TAG, "%s: destroyed", part->policy->name);
	return 0;
}

void part_get_info(const struct part *part, struct bh_part_info *ret_info)
{
	memset(ret_info, 0, sizeof(*ret_info));
	memcpy(ret_info->name, part->policy->name, sizeof(ret_info->name));
	ret_info->state = part_state(part);
	ret_info->stop_reason = part->stop_reason;
	ret_info->stop_detail = part->stop_detail;
	ret_info->stop_rip = part->stop_rip;
	ret_info->stop_vcpu = part->stop_vcpu;
	ret_info->ram_hpa = part->ram.v;
	ret_info->ram_size = part->ram_size ? part->ram_size : gate_get(part, ram_size);
	ret_info->vcpu_count = part->vcpu_count ? part->vcpu_count : count_vcpus(part);
	ret_info->weight = gate_get(part, weight);
	ret_info->flags = part->policy->flags | (part->policy->map_by & 1u ? BH_PART_MAPPED : 0);
	ret_info->tsc_khz = tsc_khz();
}

const char *part_stop_name(enum bh_stop_reason reason)
{
	static const char *const names[] = {
		[BH_STOP_NONE] = "not stopped",
		[BH_STOP_TRIPLE_FAULT] = "triple fault",
		[BH_STOP_EXIT_UNKNOWN] = "exit without a handler",
		[BH_STOP_ENTRY_FAILED] = "VM entry failed",
		[BH_STOP_DECODE] = "access outside memory by an instruction that is not decoded",
		[BH_STOP_IOREQ] = "answer that does not fit its ioreq",
		[BH_STOP_NMI] = "hardware event",
		[BH_STOP_FETCH] = "executes outside its memory",
	};

	return names[reason];
}

/* The first reason counts; a partition that is being paused or reset is stopped as well. */
static bool record_stop(struct vcpu *vcpu, enum bh_stop_reason reason, uint64_t detail)
{
	struct part *part = vcpu->part;
	bool first;

	lock_acquire(&part->lock);
	first = part_state(part) == BH_PART_RUNNING || part_state(part) == BH_PART_PAUSED;
	if (first) {
		part->stop_reason = reason;
		part->stop_detail = detail;
		part->stop_rip = backend->read(vcpu, BACKEND_RIP);
		part->stop_vcpu = vcpu->id;
		set_state(part, BH_PART_STOPPED);
	}
	lock_release(&part->lock);
	return first;
}

void part_stop(struct vcpu *vcpu, enum bh_stop_reason reason, uint64_t detail)
{
	struct part *part = vcpu->part;

	if (!record_stop(vcpu, reason, detail)) {
		return;
	}
	log_error(TAG, "%s: stopped: %s, detail 0x%lx, vcpu %u at rip 0x%lx", part->policy->name,
		  part_stop_name(reason), detail, vcpu->id, part->stop_rip);
	kick_part(part->id);
	if (part_is_control(part)) {
		log_error(TAG, "the control partition cannot go on");
		boot_halt();
	}
	event_state(part->id);
}

bool part_range_free(const struct part *part, uint64_t gpa, uint64_t size)
{
	return IS_ALIGNED(gpa, PAGE_SIZE) && gpa >= part->ram_size && gpa < PCI_HOLE_TOP &&
	       size <= PCI_HOLE_TOP - gpa && !(gpa <= VLAPIC_MMIO && VLAPIC_MMIO < gpa + size);
}

void *part_memory(const struct part *part, uint64_t gpa, size_t size)
{
	if (size == 0 || size > PAGE_SIZE || (gpa & (PAGE_SIZE - 1)) + size > PAGE_SIZE) {
		return NULL;
	}
	if (part_is_control(part)) {
		return frame_owner(hpa(gpa)) == FRAME_PART0 ? hpa_ptr(hpa(gpa)) : NULL;
	}
	if (gpa >= part->ram_size || size > part->ram_size - gpa) {
		return NULL;
	}
	return hpa_ptr(hpa(part->ram.v + gpa));
}

int part_copy_in(struct part *part, uint64_t gpa, void *dst, size_t size)
{
	const void *src = part_memory(part, gpa, size);

	if (!src) {
		return -BH_RANGE;
	}
	memcpy(dst, src, size);
	/* The copy is what counts from here on: the compiler must not read the guest again. */
	__asm__ volatile("" ::: "memory");
	return 0;
}

int part_copy_out(struct part *part, uint64_t gpa, const void *src, size_t size)
{
	void *dst = part_memory(part, gpa, size);

	if (!dst) {
		return -BH_RANGE;
	}
	memcpy(dst, src, size);
	return 0;
}
