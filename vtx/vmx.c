/* SPDX-License-Identifier: Apache-2.0 */
/** VMX operation of this CPU, VT-x state of partitions and vcpus, and the run loop. */
#include "vtx/vmx.h"

#include "lib/boot_info.h"
#include "cpu/insn.h"
#include "cpu/msr.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "part/ioreq.h"
#include "part/msr.h"
#include "part/sched.h"
#include "part/xcr0.h"

#define TAG "vtx"

struct vmx_features vmx_features;

static struct vmx_part vmx_parts[BH_PART_MAX];
static struct vmx_vcpu vmx_vcpus[BH_PART_MAX][BH_VCPU_MAX];
static hpa_t loaded_vmcs; /* current VMCS of this CPU; one CPU runs vcpus */

hpa_t vmcs_enter(const struct vcpu *vcpu)
{
	hpa_t previous = loaded_vmcs, vmcs = vmx_vcpu(vcpu)->vmcs;

	if (vmcs.v != previous.v) {
		BH_CHECK(vmx_load(vmcs));
		loaded_vmcs = vmcs;
	}
	return previous;
}

void vmcs_leave(hpa_t previous)
{
	if (previous.v && previous.v != loaded_vmcs.v) {
		BH_CHECK(vmx_load(previous));
		loaded_vmcs = previous;
	}
}

/* The MSR bitmap starts as "everything exits", then the pass-through list is cleared. All ports of a
 * guest exit; the control partition owns every port, so none of its do. SDM 3C, "MSR-Bitmap Address",
 * "I/O-Bitmap Addresses". */
static int create_bitmaps(void)
{
	uint8_t *msr;
	int err = frame_alloc(&vmx_features.msr_bitmap);

	if (!err) {
		err = frame_alloc_contig(2, &vmx_features.io_all);
	}
	if (!err) {
		err = frame_alloc_contig(2, &vmx_features.io_none);
	}
	if (err) {
		return err;
	}
	msr = hpa_ptr(vmx_features.msr_bitmap);
	memset(msr, 0xff, PAGE_SIZE);
	memset(hpa_ptr(vmx_features.io_all), 0xff, 2 * PAGE_SIZE);
	for (const uint32_t *at = msr_passthrough; *at; at++) {
		uint32_t low = *at & 0x1fff, half = *at >= 0xc0000000 ? 0x400 : 0;

		msr[half + low / 8] &= (uint8_t)~BIT(low % 8);	       /* reads */
		msr[0x800 + half + low / 8] &= (uint8_t)~BIT(low % 8); /* writes */
	}
	return 0;
}

static int vmx_start(void)
{
	hpa_t region;
	uint64_t control = insn_rdmsr(MSR_IA32_FEATURE_CONTROL);
	int err = frame_alloc(&region);

	if (err) {
		return err;
	}
	if (!(control & FEATURE_CONTROL_LOCK)) {
		insn_wrmsr(MSR_IA32_FEATURE_CONTROL, control | FEATURE_CONTROL_LOCK |
							     FEATURE_CONTROL_VMX_OUTSIDE_SMX);
	}
	insn_write_cr0((insn_read_cr0() | vmx_features.cr0_fixed0) & vmx_features.cr0_fixed1);
	insn_write_cr4(insn_read_cr4() | CR4_VMXE | CR4_OSXSAVE | CR4_OSFXSR);
	*(uint32_t *)hpa_ptr(region) = vmx_features.revision;
	loaded_vmcs.v = 0; /* VMXON leaves none current */
	return vmx_on(region) ? 0 : -BH_NOSUPP;
}

int backend_check(void)
{
	int err = vmx_features_check(&vmx_features);

	if (err) {
		boot_error = "this CPU lacks what is named as missing above";
	}
	return err;
}

int backend_init(void)
{
	int err = create_bitmaps();

	if (!err) {
		err = vmx_start();
	}
	if (!err) {
		err = xcr0_init();
	}
	if (err) {
		boot_error = "VMXON failed";
		return err;
	}
	ept_format.max_leaf_level = vmx_features.ept_leaf_max;
	log_info(TAG, "VMX on, revision 0x%x, EPT pages up to %s, preemption timer TSC >> %u",
		 vmx_features.revision, vmx_features.ept_leaf_max == 3 ? "1 GiB" : "2 MiB",
		 vmx_features.timer_shift);
	return 0;
}

int backend_part_create(struct part *part)
{
	struct vmx_part *vp = &vmx_parts[part->id];
	int err = ptab_init(&vp->ept, &ept_format);

	if (err) {
		return err;
	}
	vp->eptp = ept_pointer(&vp->ept);
	vp->io_bitmap = part_is_control(part) ? vmx_features.io_none : vmx_features.io_all;
	part->backend = vp;
	return 0;
}

void backend_part_destroy(struct part *part)
{
	struct vmx_part *vp = part->backend;

	ptab_fini(&vp->ept);
	vmx_invept(INVEPT_SINGLE, vp->eptp);
	part->backend = NULL;
}

static int flush(const struct part *part, int err)
{
	vmx_invept(INVEPT_SINGLE, ((struct vmx_part *)part->backend)->eptp);
	return err;
}

int backend_map(struct part *part, uint64_t gpa, hpa_t hpa, uint64_t size, unsigned prot,
		unsigned memtype)
{
	struct vmx_part *vp = part->backend;

	return flush(part, ptab_map(&vp->ept, gpa, hpa.v, size, prot, memtype));
}

int backend_unmap(struct part *part, uint64_t gpa, uint64_t size)
{
	struct vmx_part *vp = part->backend;

	return flush(part, ptab_unmap(&vp->ept, gpa, size));
}

int backend_map_doorbell(struct part *part, uint64_t gpa)
{
	struct vmx_part *vp = part->backend;

	return flush(part, ptab_set_raw(&vp->ept, gpa, EPT_ENTRY_DOORBELL));
}

static int check_leaf(void *ctx, uint64_t gpa, uint64_t entry, unsigned level)
{
	const struct part *part = ctx;
	uint64_t base = ept_format.addr(entry, level), size = ptab_level_size(level);

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
	const struct vmx_part *vp = part->backend;

	return ptab_walk(&vp->ept, check_leaf, (void *)part) == 0;
}

int backend_vcpu_create(struct vcpu *vcpu)
{
	struct vmx_vcpu *vv = &vmx_vcpus[vcpu->part->id][vcpu->id];
	int err = frame_alloc(&vv->vmcs);

	if (err) {
		return err;
	}
	*(uint32_t *)hpa_ptr(vv->vmcs) = vmx_features.revision;
	vv->launched = false;
	vv->vpid = (uint16_t)(1 + vcpu->part->id * BH_VCPU_MAX + vcpu->id);
	vcpu->backend = vv;
	BH_CHECK(vmx_clear(vv->vmcs));
	vmx_invvpid(INVVPID_SINGLE, vv->vpid);
	return 0;
}

void backend_vcpu_destroy(struct vcpu *vcpu)
{
	struct vmx_vcpu *vv = vcpu->backend;

	BH_CHECK(vmx_clear(vv->vmcs));
	if (loaded_vmcs.v == vv->vmcs.v) {
		loaded_vmcs.v = 0;
	}
	frame_free(vv->vmcs);
	vcpu->backend = NULL;
}

static void set_timer(const struct sched *sched, uint64_t now)
{
	uint64_t horizon = sched_horizon(sched);
	uint64_t ticks = horizon > now ? (horizon - now) >> vmx_features.timer_shift : 0;

	vmx_write(VMCS_PREEMPTION_TIMER, MIN(ticks, UINT32_MAX));
}

static bool may_run(const struct vcpu *vcpu, const struct sched *sched)
{
	return !sched->resched && vcpu->state == VCPU_RUNNABLE && !vcpu->paused;
}

void backend_vcpu_run(struct vcpu *vcpu)
{
	const struct sched *sched = cpu_this()->sched;
	struct vmx_vcpu *vv = vcpu->backend;
	uint64_t exited = insn_rdtsc(), now;

	(void)vmcs_enter(vcpu);
	if (vcpu->ioreq.answered) {
		ioreq_finish(vcpu);
	}
	while (may_run(vcpu, sched)) {
		if (vcpu->irq_check || vcpu->event.valid) {
			inject_prepare(vcpu);
		}
		now = insn_rdtsc();
		vcpu->stats.root_tsc += now - exited;
		set_timer(sched, now);
		if (!vmx_enter(vcpu->regs, vv->launched)) {
			dump_vmcs(vcpu);
			part_stop(vcpu, BH_STOP_ENTRY_FAILED, vmx_read(VMCS_INSN_ERROR));
			return;
		}
		vv->launched = true;
		exited = insn_rdtsc();
		exit_handle(vcpu);
	}
}
