/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the VT-x capabilities and the VMCS fields that a host test sees. */
#include "vmx_fake.h"

#include <string.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "insn_fake.h"
#include "lib/crc32c.h"
#include "machine.h"
#include "mem/frames.h"
#include "part/backend.h"
#include "part/control.h"
#include "part/policy.h"
#include "part/sched.h"
#include "part/xcr0.h"

#define MIB	  0x100000ull
#define RAM_TOP	  (64 * MIB)
#define POLICY_AT 0x1800000ull

void vmx_fake_forget(void);

void vmx_fake_reset(void)
{
	insn_fake_reset();
	vmx_fake_forget();
	vmx_fake_enter = NULL;
	insn_fake_set_cpuid(1, 0, 0x306d4, 0,
			    CPUID_1_ECX_VMX | CPUID_1_ECX_XSAVE | CPUID_1_ECX_X2APIC, 0);
	insn_fake_set_cpuid(0xd, 0, 7, 832, 832, 0);
	insn_fake_set_msr(MSR_IA32_FEATURE_CONTROL, 5);
	insn_fake_set_msr(MSR_IA32_VMX_BASIC, BIT(55) | 6ull << 50 | 0x2b);
	/* Measured on the emulated CPU: allowed-1 in the high half, allowed-0 in the low. */
	insn_fake_set_msr(MSR_IA32_VMX_TRUE_PINBASED_CTLS, 0x0000007f00000016ull);
	insn_fake_set_msr(MSR_IA32_VMX_TRUE_PROCBASED_CTLS, 0xf7f9fffe04006172ull);
	insn_fake_set_msr(MSR_IA32_VMX_PROCBASED_CTLS2, 0x00057fff00000000ull);
	insn_fake_set_msr(MSR_IA32_VMX_TRUE_EXIT_CTLS, 0x007fffff00036dfbull);
	insn_fake_set_msr(MSR_IA32_VMX_TRUE_ENTRY_CTLS, 0x0000ffff000011fbull);
	insn_fake_set_msr(MSR_IA32_VMX_EPT_VPID_CAP, 0x00000f0106334141ull);
	insn_fake_set_msr(MSR_IA32_VMX_CR0_FIXED0, 0x80000021);
	insn_fake_set_msr(MSR_IA32_VMX_CR0_FIXED1, 0xffffffff);
	insn_fake_set_msr(MSR_IA32_VMX_CR4_FIXED0, 0x2000);
	insn_fake_set_msr(MSR_IA32_VMX_CR4_FIXED1, 0x3727ff);
}

/* rights: bits of the partitions that may map, be rung by and interrupt this one. */
static struct bh_policy_part part_of(const char *name, uint64_t size, uint32_t weight,
				     uint16_t rights)
{
	struct bh_policy_part part = {.ram_size = size,
				      .vcpu_count = 1,
				      .weight = weight,
				      .doorbell_count = 4,
				      .map_by = rights,
				      .ring_to = rights,
				      .irq_from = rights};

	strncpy(part.name, name, sizeof(part.name) - 1);
	return part;
}

void vmx_fake_seal(struct vmx_fake_policy *table)
{
	table->head.crc32c = 0;
	table->head.crc32c = crc32c(0, table, sizeof(*table));
}

void vmx_fake_policy(struct vmx_fake_policy *ret_table)
{
	memset(ret_table, 0, sizeof(*ret_table));
	ret_table->head = (struct bh_policy){.magic = BH_POLICY_MAGIC,
					     .version = BH_POLICY_VERSION,
					     .size = sizeof(*ret_table),
					     .file_size = sizeof(*ret_table),
					     .hash = {0xb0},
					     .part_count = 4};
	ret_table->part[0] = part_of("control", 16 * MIB, 400, 0);
	ret_table->part[0].flags = BH_POLICY_CONTROL;
	ret_table->part[1] = part_of("desktop", 8 * MIB, 100, 1);
	ret_table->part[2] = part_of("browser", 4 * MIB, 100, 1);
	ret_table->part[3] = part_of("sealed", 2 * MIB, 100, 0);
	vmx_fake_seal(ret_table);
}

static void make_policy(struct boot_info *info)
{
	vmx_fake_policy((void *)POLICY_AT);
	machine_add_module(info, "policy", "", POLICY_AT, sizeof(struct vmx_fake_policy));
}

/* A step that fails here is a fault of the fixture; the test then fails at its first assertion. */
void vmx_fake_start_root_mode(void)
{
	vmx_fake_reset();
	vmx_fake_start_on_this_cpu();
}

void vmx_fake_start_on_this_cpu(void)
{
	static struct boot_info info;
	const uint64_t sizes[] = {8 * MIB, 4 * MIB, 2 * MIB};

	machine_map_ram(MIB, RAM_TOP - MIB);
	machine_boot_info(&info, RAM_TOP);
	make_policy(&info);
	cpu_init(0);
	sched_init(cpu_this());
	memset(parts, 0, sizeof(parts));
	strcpy(boot_record()->cmdline, "tsc_khz=50000");
	if (tsc_init(0, false) || backend_choose() || frames_init(&info) || policy_init(&info) ||
	    frames_reserve_pool(&info, sizes, 3) || backend->init() || backend->cpu_init() || xcr0_init() ||
	    control_init(&info, gpa(0x8000), gpa(0x10000))) {
		parts[0].policy = NULL;
	}
}

void vmx_fake_stop_root_mode(void)
{
	machine_unmap_ram(MIB, RAM_TOP - MIB);
}
