/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the table of hypercalls: each is decoded and checked whole before anything changes. */
#include "part/hypercall.h"

#include "abi/hypercall.h"
#include "dbg/log.h"
#include "lib/string.h"
#include "iommu/iommu.h"
#include "part/backend.h"
#include "part/device.h"
#include "part/event.h"
#include "part/gate.h"
#include "part/ioreq.h"
#include "part/part.h"
#include "part/policy.h"

struct args {
	struct vcpu *vcpu;	    /* the caller's */
	struct part *caller, *part; /* part: the one that `a` names, for calls about a partition */
	uint64_t a, b, c;
};

static int hc_part_create(const struct args *args)
{
	struct part *part = args->part;
	int err;

	if (!IS_ALIGNED(args->b, PAGE_SIZE) || !part_memory(args->caller, args->b, PAGE_SIZE)) {
		return -BH_RANGE;
	}
	err = gate_check_map(args->caller, part);
	return err ? err : part_create(part, hpa(args->b));
}

static int hc_part_info(const struct args *args)
{
	struct part *part = args->part;
	struct bh_part_info info;

	part_get_info(part, &info);
	return part_copy_out(args->caller, args->b, &info, sizeof(info));
}

static int hc_vcpu_set(const struct args *args)
{
	struct part *part = args->part;
	struct bh_vcpu_start start;
	int err;

	if (args->b >= part->vcpu_count) {
		return -BH_NOENT;
	}
	if (part_state(part) != BH_PART_CREATED) {
		return -BH_STATE;
	}
	err = part_copy_in(args->caller, args->c, &start, sizeof(start));
	if (err) {
		return err;
	}
	err = vcpu_start(part->vcpu[args->b], &start);
	if (!err) {
		part->vcpu[args->b]->state = VCPU_RUNNABLE;
	}
	backend->unload(part->vcpu[args->b]); /* it may run on any CPU */
	return err;
}

static int hc_msi_post(const struct args *args)
{
	struct part *part = args->part;
	int err;

	if (part_state(part) != BH_PART_RUNNING && part_state(part) != BH_PART_PAUSED) {
		return -BH_STATE;
	}
	if (args->c > UINT32_MAX) {
		return -BH_INVAL;
	}
	err = gate_check_irq(args->caller, part);
	return err ? err : vlapic_msi(part->vcpu[0], args->b, (uint32_t)args->c);
}

static int hc_doorbell_setup(const struct args *args)
{
	struct part *part = args->part;
	uint64_t base = args->b, count = base ? args->c : 0;
	int err;

	if (part_state(part) == BH_PART_EMPTY) {
		return -BH_STATE;
	}
	err = gate_check_doorbells(part, count);
	if (err) {
		return err;
	}
	if (count && !part_range_free(part, base, count * PAGE_SIZE)) {
		return -BH_RANGE;
	}
	if (part->doorbell_count) {
		err = backend_unmap(part, part->doorbell_gpa,
				    (uint64_t)part->doorbell_count * PAGE_SIZE);
		if (err) {
			return err;
		}
		part->doorbell_count = 0;
	}
	for (uint64_t i = 0; i < count; i++) {
		err = backend_map_doorbell(part, base + i * PAGE_SIZE);
		if (err) {
			(void)!backend_unmap(part, base, count * PAGE_SIZE);
			return err;
		}
	}
	part->doorbell_gpa = base;
	part->doorbell_count = (uint32_t)count;
	return 0;
}

static int hc_stats(const struct args *args)
{
	struct part *part = args->part;
	uint64_t stats[sizeof(struct bh_vcpu_stats) / sizeof(uint64_t)];

	if (args->b >= part->vcpu_count) {
		return -BH_NOENT;
	}
	count_read((const uint64_t *)&part->vcpu[args->b]->stats, ARRAY_SIZE(stats), stats);
	return part_copy_out(args->caller, args->c, stats, sizeof(stats));
}

/* Straight into the caller's page: nothing in it is read again. */
static int hc_log_read(const struct args *args)
{
	struct bh_log_read *log = part_memory(args->caller, args->a, sizeof(*log));
	uint64_t cursor, start, written;
	int err = part_copy_in(args->caller, args->a, &cursor, sizeof(cursor));

	if (err || !log) {
		return -BH_RANGE;
	}
	log->size = (uint32_t)log_read(cursor, log->text, sizeof(log->text), &start, &written);
	log->cursor = start;
	log->written = written;
	log->reserved = 0;
	return 0;
}

/* The IOMMU and the devices that it holds: a record in, a record out, or neither. */
static int dispatch_device(uint64_t number, const struct args *args)
{
	union {
		struct bh_iommu_info info;
		struct bh_iommu_fault fault;
		struct bh_device_info device;
		struct bh_device_irq irq;
	} arg;
	uint64_t gpa = number <= BH_HC_IOMMU_FAULT ? args->a : args->b;
	size_t size = number == BH_HC_DEVICE_INFO ? sizeof(arg.device) : sizeof(arg.irq);
	int err;

	if (number == BH_HC_DEVICE_MAP) {
		return device_map(args->a, args->b, args->c);
	}
	err = part_copy_in(args->caller, gpa, &arg, size);
	if (err) {
		return err;
	}
	switch (number) {
	case BH_HC_IOMMU_INFO:
		event_fault(iommu_fault_take());
		iommu_get_info(&arg.info);
		arg.info.device_count = device_get_count();
		break;
	case BH_HC_IOMMU_FAULT:
		err = iommu_fault_read(arg.fault.number, &arg.fault);
		break;
	case BH_HC_DEVICE_INFO:
		err = device_get_info(args->a, &arg.device);
		break;
	default:
		err = device_set_irq(args->a, &arg.irq);
		break;
	}
	return err ? err : part_copy_out(args->caller, gpa, &arg, size);
}
_Static_assert(sizeof(struct bh_iommu_info) == sizeof(struct bh_device_irq) &&
		       sizeof(struct bh_iommu_fault) == sizeof(struct bh_device_irq),
	       "one size for three");

static int dispatch_policy(uint64_t number, const struct args *args)
{
	struct bh_policy_info info;
	const void *table;

	if (number == BH_HC_POLICY_LOAD) {
		table = part_memory(args->caller, args->a, args->b);
		return table ? policy_load(table, args->b) : -BH_RANGE;
	}
	if (number != BH_HC_POLICY_INFO) {
		return -BH_NOSYS;
	}
	policy_get_info(&info);
	info.refused = gate_get_refused();
	return part_copy_out(args->caller, args->a, &info, sizeof(info));
}

/* Life cycle, in the order of the numbers. */
static int (*const verbs[])(struct part *) = {part_start, part_pause, part_resume, part_reset,
					      part_destroy};

/* One at a time for each partition. */
static int dispatch_change(uint64_t number, const struct args *args)
{
	switch (number) {
	case BH_HC_PART_CREATE:
		return hc_part_create(args);
	case BH_HC_PART_START ... BH_HC_PART_DESTROY:
		return verbs[number - BH_HC_PART_START](args->part);
	case BH_HC_VCPU_SET:
		return hc_vcpu_set(args);
	case BH_HC_DOORBELL_SETUP:
		return hc_doorbell_setup(args);
	default:
		return -BH_NOSYS;
	}
}

/* Any number at a time. */
static int dispatch_use(uint64_t number, const struct args *args)
{
	switch (number) {
	case BH_HC_IOREQ_DONE:
		return ioreq_done(args->vcpu, args->part, args->b, args->c);
	case BH_HC_MSI_POST:
		return hc_msi_post(args);
	default:
		return hc_stats(args);
	}
}

static bool is_use(uint64_t number)
{
	return number == BH_HC_IOREQ_DONE || number == BH_HC_MSI_POST || number == BH_HC_STATS;
}

static int dispatch_part(uint64_t number, const struct args *args)
{
	struct part *part = args->part;
	int err;

	if (is_use(number)) {
		err = part_use(part);
		if (!err) {
			err = dispatch_use(number, args);
			part_unuse(part);
		}
		return err;
	}
	err = part_claim(part);
	if (!err) {
		err = dispatch_change(number, args);
		part_release(part);
	}
	return err;
}

/* The control partition cannot be managed through hypercalls, only be looked at. */
static int dispatch(uint64_t number, struct args *args)
{
	int err = gate_check_manage(args->caller);

	if (err) {
		return err;
	}
	if (number == BH_HC_EVENT_SETUP) {
		return event_setup(args->a, args->b, args->c);
	}
	if (number == BH_HC_LOG_READ) {
		return hc_log_read(args);
	}
	if (number > BH_HC_LOG_READ) {
		return number > BH_HC_DEVICE_IRQ ? dispatch_policy(number, args)
						 : dispatch_device(number, args);
	}
	args->part = part_get(args->a);
	if (!args->part) {
		return -BH_NOENT;
	}
	if (number == BH_HC_PART_INFO) {
		return hc_part_info(args);
	}
	if (part_is_control(args->part) && number != BH_HC_STATS) {
		return -BH_NOENT;
	}
	return dispatch_part(number, args);
}

void hypercall_handle(struct vcpu *vcpu)
{
	uint64_t number = vcpu->regs[REG_RAX];
	struct args args = {vcpu,
			    vcpu->part,
			    NULL,
			    vcpu->regs[REG_RDI],
			    vcpu->regs[REG_RSI],
			    vcpu->regs[REG_RDX]};

	if (number == BH_HC_VERSION) {
		vcpu->regs[REG_RAX] = BH_ABI_VERSION;
		return;
	}
	vcpu->regs[REG_RAX] = (uint64_t)(int64_t)dispatch(number, &args);
}
