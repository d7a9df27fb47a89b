/* SPDX-License-Identifier: Apache-2.0 */
/** SVM on each CPU, AMD-V state of vcpus, and the table of this back end. */
#include "svm/svm.h"

#include "cpu/insn.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "dbg/log.h"
#include "irq/lapic.h"
#include "lib/boot_info.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "part/msr.h"

#define TAG "svm"

#define MSR_MAP_FRAMES 2
#define IO_MAP_FRAMES  3

struct svm_features svm_features;

static struct svm_vcpu svm_vcpus[BH_PART_MAX][BH_VCPU_MAX];
static struct svm_cpu svm_cpus[CPU_MAX];

/* Two bits for each MSR of three ranges: read exits, write exits. All do, but those of the pass-through list.
 * APM 2, "MSR Intercepts". */
static void fill_msr_map(uint8_t *map)
{
	memset(map, 0xff, MSR_MAP_FRAMES * PAGE_SIZE);
	for (const uint32_t *at = msr_passthrough; *at; at++) {
		uint32_t bit = (*at & 0x1fff) * 2 + (*at >= 0xc0000000 ? 0x4000 : 0);

		map[bit / 8] &= (uint8_t) ~((msr_write_exits(*at) ? 1u : 3u) << bit % 8);
	}
}

/* All ports of a guest exit; the control partition owns every port, so none of its do. APM 2, "I/O
 * Permissions Map". */
static int create_maps(void)
{
	int err = frame_alloc_contig(MSR_MAP_FRAMES, &svm_features.msr_map);

	err = err ? err : frame_alloc_contig(IO_MAP_FRAMES, &svm_features.io_all);
	err = err ? err : frame_alloc_contig(IO_MAP_FRAMES, &svm_features.io_none);
	if (err) {
		return err;
	}
	fill_msr_map(hpa_ptr(svm_features.msr_map));
	memset(hpa_ptr(svm_features.io_all), 0xff, IO_MAP_FRAMES * PAGE_SIZE);
	return 0;
}

static int check(void)
{
	return svm_features_check(&svm_features);
}

static int init(void)
{
	int err = create_maps();

	if (err) {
		boot_error = "no frames left for the AMD-V permission maps";
		return err;
	}
	npt_format.max_leaf_level = svm_features.pages_1g ? 3 : 2;
	log_info(TAG, "%u ASIDs, nested pages up to %s, next RIP %s", svm_features.asid_count,
		 svm_features.pages_1g ? "1 GiB" : "2 MiB",
		 svm_features.next_rip ? "saved" : "from the instruction");
	return 0;
}

static int cpu_init_svm(void)
{
	struct cpu *cpu = cpu_this();
	struct svm_cpu *sc = &svm_cpus[cpu->id];
	uint64_t vm_cr;
	hpa_t save, host;
	int err = frame_alloc(&save);

	err = err ? err : frame_alloc(&host);
	if (err) {
		boot_error = "no frame left for the host save area";
		return err;
	}
	insn_wrmsr(MSR_IA32_EFER, insn_rdmsr(MSR_IA32_EFER) | EFER_SVME);
	insn_wrmsr(MSR_VM_HSAVE_PA, save.v);
	/* An INIT then becomes an exception of root mode, and not a CPU that is lost. */
	if (insn_rdmsr_safe(MSR_VM_CR, &vm_cr) == 0) {
		(void)!insn_wrmsr_safe(MSR_VM_CR, vm_cr | VM_CR_R_INIT);
	}
	svm_save(host);
	sc->host = hpa_ptr(host);
	sc->generation = 1;
	sc->next_asid = 1;
	cpu->backend = sc;
	return 0;
}

static int part_create_svm(struct part *part)
{
	part->backend = part; /* nothing of our own */
	return 0;
}

/* Each vcpu that ran with these tables had ASIDs that nobody gets again without a flush. */
static void part_destroy_svm(struct part *part)
{
	(void)part;
}

/* No memory is mapped there: exit_npf knows the window. */
static int map_doorbell(struct part *part, uint64_t gpa)
{
	(void)part;
	(void)gpa;
	return 0;
}

static int vcpu_create(struct vcpu *vcpu)
{
	struct svm_vcpu *sv = &svm_vcpus[vcpu->part->id][vcpu->id];
	hpa_t frame;
	int err = frame_alloc(&frame);

	if (err) {
		return err;
	}
	*sv = (struct svm_vcpu){.vmcb = hpa_ptr(frame)};
	vcpu->backend = sv;
	return 0;
}

static void vcpu_destroy(struct vcpu *vcpu)
{
	frame_free(ptr_hpa(svm_vmcb(vcpu)));
	vcpu->backend = NULL;
}

/* The VMCB is memory, and every CPU reads it anew at VMRUN. */
static void move(struct vcpu *vcpu)
{
	(void)vcpu;
}

static void flush(struct vcpu *vcpu)
{
	svm_vcpu(vcpu)->generation = 0;
}

/* A new ASID has nothing in the TLB. When all were given out, everything is flushed, and a new generation
 * begins: whoever is of an older one takes a new ASID before it enters. APM 2, "TLB Control". */
static void take_asid(struct svm_vcpu *sv, struct svm_cpu *sc)
{
	if (sc->next_asid == svm_features.asid_count) {
		sc->next_asid = 1;
		sc->generation++;
		sv->vmcb->tlb_control = TLB_CONTROL_FLUSH_ALL;
	}
	sv->vmcb->asid = sc->next_asid++;
	sv->generation = sc->generation;
	sv->cpu = sc;
}

/* QEMU 7.2 with several CPUs does so: XRSTOR of the x87 on any CPU writes to a word of the first
 * one, not atomically. When that just leaves a guest it goes on with the guest's nested paging,
 * leaves a second time for that, and saves root mode's state over the guest's. Ours leaves the
 * x87 out (part/vcpu.c); guests may not. */
static bool is_lost(const struct vmcb *vmcb)
{
	return vmcb->cr3 == insn_read_cr3() && vmcb->gdtr.base == (uintptr_t)cpu_this()->gdt;
}

static bool enter(struct vcpu *vcpu, uint64_t now, uint64_t deadline)
{
	struct svm_vcpu *sv = svm_vcpu(vcpu);
	struct cpu *cpu = cpu_this();
	struct svm_cpu *sc = cpu->backend;
	struct vmcb *vmcb = sv->vmcb;
	uint64_t rip = vmcb->rip, shadow = vmcb->int_state & INTERRUPT_SHADOW;

	(void)now;
	lapic_timer_arm(deadline);
	if (sv->cpu != sc || sv->generation != sc->generation) {
		take_asid(sv, sc);
	}
	vmcb->rax = vcpu->regs[REG_RAX];
	svm_enter(vcpu->regs, ptr_hpa(vmcb), ptr_hpa(sc->host));
	vcpu->regs[REG_RAX] = vmcb->rax;
	vmcb->tlb_control = 0;
	vmcb->event_inj = 0;
	/* An NMI that ended the guest's run comes to us here; exit.c hands it on. */
	cpu->guest_nmi = vmcb->exit_code == EXIT_NMI;
	svm_stgi();
	/* An emulator forgets the shadow of STI on the way in. It still holds when nothing was executed, and
	 * what was to be delivered must be looked at again (finish_hlt in inject.c). */
	if (vmcb->exit_code == EXIT_INTR && vmcb->rip == rip) {
		vmcb->int_state |= shadow;
	}
	vcpu->irq_check |= vmcb->int_state & INTERRUPT_SHADOW;
	if ((uint32_t)vmcb->exit_code == EXIT_INVALID || is_lost(vmcb)) {
		dump_vmcb(vcpu);
		log_error(TAG, "%s", is_lost(vmcb) ? "the emulator saved root mode's state as the guest's"
						   : "the CPU refused the guest's state");
		part_stop(vcpu, BH_STOP_ENTRY_FAILED, 0);
		return false;
	}
	return true;
}

static const uint32_t switched_msrs[] = {MSR_IA32_TSC_AUX, 0};

/* What Linux reads or writes on every AMD CPU without asking first: the TSC counts at its own
 * rate, LFENCE waits, extended configuration space is on, memory encryption and the upper memory
 * ranges are not. APM 2, "MSR Cross-Reference"; "Processor Programming Reference", "MSR
 * Registers". */
static const struct backend_msr fixed_msrs[] = {
	{MSR_AMD_SYSCFG, 0},
	{MSR_AMD_HWCR, BIT(24)},
	{MSR_AMD_NB_CFG, BIT(46)},
	{MSR_AMD_DE_CFG, BIT(1)},
	{0, 0},
};

const struct backend svm_backend = {
	.name = "AMD-V",
	.switched_msrs = switched_msrs,
	.free_msrs = 0,
	.fixed_msrs = fixed_msrs,
	.format = &npt_format,
	.check = check,
	.init = init,
	.cpu_init = cpu_init_svm,
	.part_create = part_create_svm,
	.part_destroy = part_destroy_svm,
	.map_doorbell = map_doorbell,
	.vcpu_create = vcpu_create,
	.vcpu_destroy = vcpu_destroy,
	.vcpu_reset = vmcb_reset,
	.vcpu_start = vmcb_start,
	.load = move,
	.unload = move,
	.flush = flush,
	.inject = svm_inject_prepare,
	.enter = enter,
	.exit = svm_exit_handle,
	.read = vmcb_read,
	.write = vmcb_write,
	.advance = vmcb_advance,
	.mode = vmcb_mode,
};
