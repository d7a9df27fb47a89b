/* SPDX-License-Identifier: Apache-2.0 */
/** VMX operation of each CPU, VT-x state of partitions and vcpus, and the table of this back end. */
#include "vtx/vmx.h"

#include "cpu/insn.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "lib/boot_info.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "part/msr.h"

#define TAG "vtx"

struct vmx_features vmx_features;

static struct vmx_part vmx_parts[BH_PART_MAX];
static struct vmx_vcpu vmx_vcpus[BH_PART_MAX][BH_VCPU_MAX];

static struct vmx_cpu {
	hpa_t loaded; /* current VMCS, or 0 */
} vmx_cpus[CPU_MAX];

static struct vmx_cpu *vmx_cpu(void)
{
	return cpu_this()->backend;
}

hpa_t vmcs_enter(const struct vcpu *vcpu)
{
	struct vmx_cpu *vc = vmx_cpu();
	hpa_t previous = vc->loaded, vmcs = vmx_vcpu(vcpu)->vmcs;

	if (vmcs.v != previous.v) {
		BH_CHECK(vmx_load(vmcs));
		vc->loaded = vmcs;
	}
	return previous;
}

void vmcs_leave(hpa_t previous)
{
	struct vmx_cpu *vc = vmx_cpu();

	if (previous.v && previous.v != vc->loaded.v) {
		BH_CHECK(vmx_load(previous));
		vc->loaded = previous;
	}
}

/* The MSR bitmap starts as "everything exits", then the pass-through list is cleared. All ports of a
 * guest exit; the control partition owns every port, so none of its do. SDM 3C, "MSR-Bitmap Address",
 * "I/O-Bitmap Addresses". */
static int create_bitmaps(void)
{
	uint8_t *msr;
	int err = frame_alloc(&vmx_features.msr_bitmap);

	err = err ? err : frame_alloc_contig(2, &vmx_features.io_all);
	err = err ? err : frame_alloc_contig(2, &vmx_features.io_none);
	if (err) {
		return err;
	}
	msr = hpa_ptr(vmx_features.msr_bitmap);
	memset(msr, 0xff, PAGE_SIZE);
	memset(hpa_ptr(vmx_features.io_all), 0xff, 2 * PAGE_SIZE);
	for (const uint32_t *at = msr_passthrough; *at; at++) {
		uint32_t low = *at & 0x1fff, half = *at >= 0xc0000000 ? 0x400 : 0;

		msr[half + low / 8] &= (uint8_t)~BIT(low % 8); /* reads */
		if (!msr_write_exits(*at)) {
			msr[0x800 + half + low / 8] &= (uint8_t)~BIT(low % 8);
		}
	}
	return 0;
}

static int check(void)
{
	return vmx_features_check(&vmx_features);
}

static int init(void)
{
	int err = create_bitmaps();

	if (err) {
		boot_error = "no frames left for the VT-x bitmaps";
		return err;
	}
	ept_format.max_leaf_level = vmx_features.ept_leaf_max;
	log_info(TAG, "VMX revision 0x%x, EPT pages up to %s, preemption timer TSC >> %u",
		 vmx_features.revision, vmx_features.ept_leaf_max == 3 ? "1 GiB" : "2 MiB",
		 vmx_features.timer_shift);
	return 0;
}

static int cpu_init_vmx(void)
{
	struct cpu *cpu = cpu_this();
	hpa_t region;
	uint64_t control = insn_rdmsr(MSR_IA32_FEATURE_CONTROL);
	int err = frame_alloc(&region);

	if (err) {
		boot_error = "no frame left for the VMXON region";
		return err;
	}
	if ((control & FEATURE_CONTROL_LOCK) && !(control & FEATURE_CONTROL_VMX_OUTSIDE_SMX)) {
		return boot_fail(BH_NOSUPP, "the firmware has locked VT-x off");
	}
	if (!(control & FEATURE_CONTROL_LOCK)) {
		insn_wrmsr(MSR_IA32_FEATURE_CONTROL, control | FEATURE_CONTROL_LOCK |
							     FEATURE_CONTROL_VMX_OUTSIDE_SMX);
	}
	insn_write_cr0((insn_read_cr0() | vmx_features.cr0_fixed0) & vmx_features.cr0_fixed1);
	insn_write_cr4(insn_read_cr4() | CR4_VMXE | CR4_OSXSAVE | CR4_OSFXSR);
	*(uint32_t *)hpa_ptr(region) = vmx_features.revision;
	cpu->backend = &vmx_cpus[cpu->id];
	vmx_cpu()->loaded.v = 0; /* VMXON leaves none current */
	if (!vmx_on(region)) {
		return boot_fail(BH_NOSUPP, "VMXON failed");
	}
	return 0;
}

static int part_create_vmx(struct part *part)
{
	struct vmx_part *vp = &vmx_parts[part->id];

	vp->eptp = ept_pointer(&part->space);
	vp->io_bitmap = part_is_control(part) ? vmx_features.io_none : vmx_features.io_all;
	part->backend = vp;
	return 0;
}

/* Nothing is kept but the pointer: whoever takes the tables' frames next flushes before it enters. */
static void part_destroy_vmx(struct part *part)
{
	vmx_invept(INVEPT_SINGLE, ((struct vmx_part *)part->backend)->eptp);
}

static int map_doorbell(struct part *part, uint64_t gpa)
{
	return ptab_set_raw(&part->space, gpa, EPT_ENTRY_DOORBELL);
}

static int vcpu_create(struct vcpu *vcpu)
{
	struct vmx_vcpu *vv = &vmx_vcpus[vcpu->part->id][vcpu->id];
	int err = frame_alloc(&vv->vmcs);

	if (err) {
		return err;
	}
	*(uint32_t *)hpa_ptr(vv->vmcs) = vmx_features.revision;
	vv->launched = false;
	vv->host = NULL;
	vv->vpid = (uint16_t)(1 + vcpu->part->id * BH_VCPU_MAX + vcpu->id);
	vcpu->backend = vv;
	BH_CHECK(vmx_clear(vv->vmcs));
	vmx_invvpid(INVVPID_SINGLE, vv->vpid);
	return 0;
}

static void load(struct vcpu *vcpu)
{
	struct vmx_vcpu *vv = vmx_vcpu(vcpu);

	(void)vmcs_enter(vcpu);
	if (vv->host != cpu_this()) {
		vv->host = cpu_this();
		vmcs_init_host();
	}
}

/* SDM 3C, "Software Use of Virtual-Machine Control Structures": a VMCS is active on one CPU at most. */
static void unload(struct vcpu *vcpu)
{
	struct vmx_vcpu *vv = vmx_vcpu(vcpu);

	BH_CHECK(vmx_clear(vv->vmcs));
	vv->launched = false;
	if (vmx_cpu()->loaded.v == vv->vmcs.v) {
		vmx_cpu()->loaded.v = 0;
	}
}

static void vcpu_destroy(struct vcpu *vcpu)
{
	unload(vcpu);
	frame_free(vmx_vcpu(vcpu)->vmcs);
	vcpu->backend = NULL;
}

static void flush(struct vcpu *vcpu)
{
	vmx_invept(INVEPT_SINGLE, ((struct vmx_part *)vcpu->part->backend)->eptp);
}

static bool enter(struct vcpu *vcpu, uint64_t now, uint64_t deadline)
{
	struct vmx_vcpu *vv = vmx_vcpu(vcpu);
	uint64_t ticks = deadline > now ? (deadline - now) >> vmx_features.timer_shift : 0;

	vmx_write(VMCS_PREEMPTION_TIMER, MIN(ticks, UINT32_MAX));
	if (!vmx_enter(vcpu->regs, vv->launched)) {
		dump_vmcs(vcpu);
		part_stop(vcpu, BH_STOP_ENTRY_FAILED, vmx_read(VMCS_INSN_ERROR));
		return false;
	}
	vv->launched = true;
	return true;
}

/* SWAPGS writes the first one without an exit. */
static const uint32_t switched_msrs[] = {MSR_IA32_KERNEL_GS_BASE, MSR_IA32_STAR,  MSR_IA32_LSTAR,
					 MSR_IA32_CSTAR,	  MSR_IA32_FMASK, MSR_IA32_TSC_AUX,
					 0};

const struct backend vtx_backend = {
	.name = "VT-x",
	.switched_msrs = switched_msrs,
	.free_msrs = 1,
	.format = &ept_format,
	.check = check,
	.init = init,
	.cpu_init = cpu_init_vmx,
	.part_create = part_create_vmx,
	.part_destroy = part_destroy_vmx,
	.map_doorbell = map_doorbell,
	.vcpu_create = vcpu_create,
	.vcpu_destroy = vcpu_destroy,
	.vcpu_reset = vmcs_reset,
	.vcpu_start = vmcs_start,
	.load = load,
	.unload = unload,
	.flush = flush,
	.inject = inject_prepare,
	.enter = enter,
	.exit = exit_handle,
	.read = vmcs_read,
	.write = vmcs_write,
	.advance = vmcs_advance,
	.mode = vmcs_mode,
};
