/* SPDX-License-Identifier: Apache-2.0 */
/** The order in which root mode starts. Each step either works or says what a person can do about
 * it; nothing is undone, because nothing runs yet that would care. Built for the target alone. */
#include "acpi/acpi.h"
#include "boot/ap.h"
#include "boot/boot.h"
#include "boot/pvh.h"
#include "cpu/cpuid.h"
#include "cpu/percpu.h"
#include "cpu/tsc.h"
#include "dbg/console.h"
#include "dbg/crash.h"
#include "dbg/log.h"
#include "dbg/screen.h"
#include "iommu/iommu.h"
#include "irq/lapic.h"
#include "irq/pic.h"
#include "lib/string.h"
#include "mem/frames.h"
#include "mem/hspace.h"
#include "part/backend.h"
#include "part/control.h"
#include "part/device.h"
#include "part/policy.h"
#include "part/sched.h"
#include "part/xcr0.h"

#define TAG	  "boot"
#define MB2_MAGIC 0x36d76289u
#define MBI_MAX	  0x10000u

extern uint64_t boot_pdpt[512]; /* entry.S */

static void must(int rc, const char *remedy)
{
	if (rc) {
		boot_refuse(boot_error, remedy);
	}
}

/** Copies the information structure before it is looked at: it lies in memory that gets owners
 * later. */
static void take_boot_info(uint64_t mbi, uint64_t tsc)
{
	static uint8_t copy[MBI_MAX] BH_ALIGNED(8);
	uint32_t size;

	memcpy(&size, hpa_ptr(hpa(mbi)), sizeof(size));
	if (size > sizeof(copy)) {
		boot_refuse("the boot loader's information is larger than 64 KiB",
			    "load fewer modules");
	}
	memcpy(copy, hpa_ptr(hpa(mbi)), size);
	must(mbi_parse(copy, size, boot_record()), "check the menu entry of the boot loader");
	boot_record()->tsc_entry = tsc;
}

/** From here on a person sees what we say. The tables of the start end at 4 GiB; a screen above
 * gets pages of 1 GiB in them. */
static void take_screen(struct boot_info *info)
{
	uint64_t first = info->screen.base / PAGE_1G;
	uint64_t last = (info->screen.base + boot_screen_size(info)) / PAGE_1G;
	uint64_t start, written;
	char said[512];

	if (last >= 4 && !cpuid_has(0x80000001u, CPUID_EDX, CPUID_X1_EDX_1G)) {
		info->screen.depth = 0;
	}
	for (uint64_t i = MAX(first, 4); info->screen.depth && i <= last && i < 512; i++) {
		boot_pdpt[i] = i * PAGE_1G | 0x83; /* present, writable, a page */
	}
	screen_init(&info->screen);
	screen_write(said, log_read(0, said, sizeof(said), &start, &written));
}

static void take_options(void)
{
	char value[16];

	if (boot_option("console", value, sizeof(value)) && strcmp(value, "always") == 0) {
		console_keep();
	}
	if (boot_option("log", value, sizeof(value)) && strcmp(value, "debug") == 0) {
		log_set_level(LOG_DEBUG);
	}
}

static void require_module(const struct boot_info *info, const char *role, const char *missing)
{
	if (!boot_module(info, role)) {
		boot_refuse(missing, "add the module2 line to the boot loader's menu entry");
	}
}

static void log_memory(const struct boot_info *info)
{
	uint64_t ram = 0;

	for (uint32_t i = 0; i < info->map_count; i++) {
		const struct boot_mem *m = &info->map[i];

		ram += m->type == BOOT_MEM_RAM ? m->size : 0;
		log_debug(TAG, "memory %lx-%lx type %u", m->base, m->base + m->size, m->type);
	}
	for (uint32_t i = 0; i < info->module_count; i++) {
		const struct boot_module *m = &info->modules[i];

		log_info(TAG, "module %s at %lx, %lu KiB", m->role, m->base, (m->size >> 10));
	}
	log_info(TAG, "%lu MiB of RAM", (ram >> 20));
}

/** Both gates speak before one of them stops us, so that a person sees all that is missing. */
static void check_features(void)
{
	int lapic = lapic_check(), backend_rc = backend_choose();

	must(backend_rc ? backend_rc : lapic,
	     "switch virtualization (VT-x, SVM) on in the firmware, or use a CPU that has it");
}

static void init_memory(const struct boot_info *info)
{
	must(frames_init(info), "use a machine with 256 MiB or more");
	must(hspace_init(), "this is a defect of the hypervisor");
}

static void init_partitions(const struct boot_info *info)
{
	uint64_t sizes[BH_PART_MAX];
	unsigned count = 0;
	gpa_t start_info, entry;

	must(policy_init(info), "compile the policy again for these modules");
	for (uint32_t i = 1; i < policy_part_count(); i++) {
		sizes[count++] = policy_part(i)->ram_size;
	}
	must(frames_reserve_pool(info, sizes, count), "give the partitions less in the policy");
	must(iommu_init(), "update the firmware, or switch VT-d off in it");
	must(device_init(), "switch VT-d on in the firmware, or let the policy run with a warning");
	must(backend->init(), "give the partitions less in the policy");
	must(backend->cpu_init(), "switch the machine off and on again");
	must(xcr0_init(), "this CPU needs a newer hypervisor");
	sched_init(cpu_this());
	ap_start_all(info);
	must(pvh_write(info, &start_info, &entry), "load fewer or smaller modules");
	must(control_init(info, start_info, entry), "give the partitions less in the policy");
	must(iommu_start(), "switch network boot and legacy USB off in the firmware, or update it");
}

void boot_main(uint32_t magic, uint64_t mbi, uint64_t tsc)
{
	const struct boot_info *info = boot_get();

	console_init();
	log_notice(TAG, "Bulkhead, root mode");
	cpu_init(0);
	if (magic != MB2_MAGIC) {
		boot_refuse("not started by a multiboot2 loader", "use GRUB's multiboot2 command");
	}
	take_boot_info(mbi, tsc);
	take_screen(boot_record());
	take_options();
	check_features();
	log_memory(info);
	require_module(info, "policy", "boot module 'policy' is missing");
	require_module(info, "kernel", "boot module 'kernel' is missing");
	crash_init(hpa(CRASH_PLACE));
	must(acpi_init(info), "update the firmware");
	init_memory(info);
	pic_close();
	must(lapic_setup(), "use a machine with 256 MiB or more");
	lapic_init();
	cpu_this()->apic_id = lapic_id();
	must(tsc_init(acpi_get()->pm_timer_port, acpi_get()->pm_timer_32bit),
	     "add the option tsc_khz=N");
	lapic_timer_measure();
	init_partitions(info);
	log_notice(TAG, "root mode is up after %lu ticks", (insn_rdtsc() - info->tsc_entry));
	console_release();
	must(hspace_unmap_screen(), "this is a defect of the hypervisor");
	sched_run();
}
