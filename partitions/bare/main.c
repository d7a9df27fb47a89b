/* SPDX-License-Identifier: Apache-2.0 */
/** Set-up of the guest, the loop that serves it, and the end.
 *
 *  Options on the command line: `timeout=N` stops after N seconds of TSC time, `stats` prints the exit
 *  counters of the guest at the end. The last line on COM1 is `bulkhead-guest-exit: STATUS` or
 *  `bulkhead-guest-stopped: REASON detail=0x… rip=0x…`.
 */
#include <stdarg.h>
#include "abi/err.h"
#include "acpi.h"
#include "bare.h"
#include "image.h"
#include "layout.h"

#define VECTOR_EVENT   0x40u
#define VECTOR_CLOCK   0x41u
#define MSI_ADDRESS    0xfee00000u
#define PVH_MAGIC      0x336ec578u
#define ACPI_POWER_OFF 0x2000u /* sleep enable, type 0: \_S5 of both emulators */

struct pvh_start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modlist, cmdline, rsdp;
};

struct pvh_module {
	uint64_t addr, size, cmdline, reserved;
};

struct module {
	const void *data;
	uint64_t size;
	const char *text; /* what follows the role; NULL when there is no such module */
};

void bare_main(const struct pvh_start_info *info);

static struct bh_event_page event_page __attribute__((aligned(4096)));
static struct bh_ioreq ioreq_page[BH_PAGE_SIZE / sizeof(struct bh_ioreq)]
	__attribute__((aligned(4096)));
static struct bh_part_info part_info __attribute__((aligned(128)));
static struct bh_vcpu_start vcpu_start __attribute__((aligned(128)));
static struct bh_vcpu_stats vcpu_stats __attribute__((aligned(256)));
uint64_t bare_ram_hpa;
static volatile bool clock_ran_out;
static bool want_stats;
static uint16_t power_port; /* 0: not known */

static const char *const stop_names[] = {
	[BH_STOP_NONE] = "none",
	[BH_STOP_TRIPLE_FAULT] = "triple-fault",
	[BH_STOP_EXIT_UNKNOWN] = "exit-unknown",
	[BH_STOP_ENTRY_FAILED] = "entry-failed",
	[BH_STOP_DECODE] = "decode",
	[BH_STOP_IOREQ] = "ioreq",
	[BH_STOP_NMI] = "nmi",
	[BH_STOP_FETCH] = "fetch",
};

static const char *const exit_names[BH_EXIT_KINDS] = {
	[BH_EXIT_IRQ] = "irq",	       [BH_EXIT_TIMER] = "timer",
	[BH_EXIT_WINDOW] = "window",   [BH_EXIT_CPUID] = "cpuid",
	[BH_EXIT_HLT] = "hlt",	       [BH_EXIT_HYPERCALL] = "hypercall",
	[BH_EXIT_CR] = "cr",	       [BH_EXIT_PIO] = "pio",
	[BH_EXIT_RDMSR] = "rdmsr",     [BH_EXIT_WRMSR] = "wrmsr",
	[BH_EXIT_MMIO] = "mmio",       [BH_EXIT_DOORBELL] = "doorbell",
	[BH_EXIT_XSETBV] = "xsetbv",   [BH_EXIT_EXCEPTION] = "exception",
	[BH_EXIT_OTHER] = "other",
};

static _Noreturn void power_off(void)
{
	/* Until the line has sent everything. */
	while ((cpu_in8(0x3fd) & 0x40) == 0) {
	}
	if (power_port != 0) {
		cpu_out16(power_port, ACPI_POWER_OFF);
	}
	for (;;) {
		__asm__ volatile("cli\n\thlt");
	}
}

static void stats_print(void)
{
	if (!want_stats || guest_hypercall(BH_HC_STATS, BARE_PART, 0, (uint64_t)&vcpu_stats) != 0) {
		return;
	}
	guest_printf("# run %lu root %lu switches %lu injected %lu", vcpu_stats.run_tsc,
		     vcpu_stats.root_tsc, vcpu_stats.switches, vcpu_stats.injected);
	for (unsigned int i = 0; i < BH_EXIT_KINDS; i++) {
		if (vcpu_stats.exits[i] != 0) {
			guest_printf(" %s %lu", exit_names[i], vcpu_stats.exits[i]);
		}
	}
	guest_printf("\n");
}

void bare_finish(const char *format, ...)
{
	va_list ap;

	cpu_cli();
	stats_print();
	va_start(ap, format);
	guest_vprintf(format, ap);
	va_end(ap);
	power_off();
}

/* A trap in the bare control partition itself ends here (partitions/guestlib/trap.c). */
void guest_exit(int value)
{
	bare_finish("bulkhead-guest-stopped: control-trap detail=0x%x rip=0x0\n",
		    (unsigned int)value);
}

static void must(int64_t err, const char *what)
{
	if (err < 0) {
		bare_finish("bulkhead-guest-stopped: %s detail=0x%lx rip=0x0\n", what,
			    (uint64_t)-err);
	}
}

/* If text starts with the word, what follows it and its blanks; else NULL. */
static const char *word_skip(const char *text, const char *word)
{
	size_t n = strlen(word);

	if (memcmp(text, word, n) != 0 || (text[n] != 0 && text[n] != ' ')) {
		return NULL;
	}
	text += n;
	while (*text == ' ') {
		text++;
	}
	return text;
}

/* Value of `name=NUMBER` in a command line; 0 when it is not there. */
static uint64_t option_number(const char *text, const char *name)
{
	size_t n = strlen(name);

	while (*text != 0) {
		if (memcmp(text, name, n) == 0 && text[n] == '=') {
			uint64_t v = 0;

			for (text += n + 1; *text >= '0' && *text <= '9'; text++) {
				v = v * 10 + (uint64_t)(*text - '0');
			}
			return v;
		}
		while (*text != 0 && *text != ' ') {
			text++;
		}
		while (*text == ' ') {
			text++;
		}
	}
	return 0;
}

static bool option_there(const char *text, const char *name)
{
	for (; *text != 0; text++) {
		if (word_skip(text, name) != NULL) {
			return true;
		}
		while (text[1] != 0 && *text != ' ') {
			text++;
		}
	}
	return false;
}

static struct module module_find(const struct pvh_start_info *info, const char *role)
{
	const struct pvh_module *list = (const struct pvh_module *)info->modlist;

	for (uint32_t i = 0; i < info->module_count; i++) {
		const char *text = list[i].cmdline == 0 ? "" : (const char *)list[i].cmdline;
		const char *rest = word_skip(text, role);

		if (rest != NULL) {
			return (struct module){ (const void *)list[i].addr, list[i].size, rest };
		}
	}
	return (struct module){ 0 };
}

static void handle_event(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

static void handle_clock(struct trap_frame *frame)
{
	(void)frame;
	clock_ran_out = true;
	apic_eoi();
}

static void handle_spurious(struct trap_frame *frame)
{
	(void)frame;
}

static void clock_start(uint64_t seconds)
{
	if (seconds == 0) {
		return;
	}
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR_CLOCK);
	cpu_wrmsr(MSR_TSC_DEADLINE, cpu_rdtsc() + seconds * part_info.tsc_khz * 1000);
}

static void guest_start_up(const struct pvh_start_info *info)
{
	const struct module guest = module_find(info, "guest");
	const struct module initrd = module_find(info, "guest-initrd");

	const struct module table = module_find(info, "table");

	policy_init(table.data, table.size);
	if (guest.text == NULL) {
		must(-BH_NOENT, "no-guest-module");
	}
	must(guest_hypercall(BH_HC_VERSION, 0, 0, 0), "hypercall-version");
	must(guest_hypercall(BH_HC_EVENT_SETUP, (uint64_t)&event_page, MSI_ADDRESS, VECTOR_EVENT),
	     "event-setup");
	must(guest_hypercall(BH_HC_PART_CREATE, BARE_PART, (uint64_t)ioreq_page, 0), "create");
	must(guest_hypercall(BH_HC_PART_INFO, BARE_PART, (uint64_t)&part_info, 0), "info");
	uint8_t *ram = (uint8_t *)part_info.ram_hpa;

	bare_ram_hpa = part_info.ram_hpa;
	must(dma_init(), "device-map");

	if (acpi_build(ram + LAYOUT_ACPI_GPA, LAYOUT_ACPI_SIZE, LAYOUT_ACPI_GPA,
		       part_info.vcpu_count) == 0) {
		must(-BH_RANGE, "acpi");
	}
	must(image_load(guest.data, guest.size, initrd.data, initrd.size, guest.text, ram,
			part_info.ram_size, LAYOUT_ACPI_GPA, (uint32_t)part_info.tsc_khz,
			&vcpu_start),
	     "load");
	must(guest_hypercall(BH_HC_VCPU_SET, BARE_PART, 0, (uint64_t)&vcpu_start), "vcpu-set");
	must(guest_hypercall(BH_HC_DOORBELL_SETUP, BARE_PART, GUEST_DOORBELL_PAGE, 1), "doorbell");
	guest_printf("bulkhead-guest-start\n");
	must(guest_hypercall(BH_HC_PART_START, BARE_PART, 0, 0), "start");
}

static void state_check(void)
{
	must(guest_hypercall(BH_HC_PART_INFO, BARE_PART, (uint64_t)&part_info, 0), "info");
	if (part_info.state == BH_PART_STOPPED) {
		const char *name = part_info.stop_reason < sizeof(stop_names) / sizeof(*stop_names) ?
					   stop_names[part_info.stop_reason] :
					   "unknown";

		bare_finish("bulkhead-guest-stopped: %s detail=0x%lx rip=0x%lx\n", name,
			    part_info.stop_detail, part_info.stop_rip);
	}
}

static void ioreqs_serve(uint64_t vcpus)
{
	for (; vcpus != 0; vcpus &= vcpus - 1) {
		unsigned int v = (unsigned int)__builtin_ctzll(vcpus);
		volatile uint32_t *state = &ioreq_page[v].state;

		if (v >= BH_VCPU_MAX || *state != BH_IOREQ_PENDING) {
			continue;
		}
		const struct bh_ioreq rq = ioreq_page[v];

		ioreq_page[v].data = serve_access(&rq);
		if (bare_end.ended) {
			bare_finish("bulkhead-guest-exit: %u\n", bare_end.status);
		}
		__asm__ volatile("" : : : "memory");
		*state = BH_IOREQ_DONE;
		must(guest_hypercall(BH_HC_IOREQ_DONE, BARE_PART, v, 0), "ioreq-done");
	}
}

static void doorbells_take(void)
{
	uint64_t pages = __atomic_exchange_n(&event_page.doorbell_page[BARE_PART], 0, __ATOMIC_SEQ_CST);

	if ((pages & 1) != 0) {
		uint64_t queues =
			__atomic_exchange_n(&event_page.doorbell[BARE_PART][0], 0, __ATOMIC_SEQ_CST);

		bare_doorbells.queues |= (uint32_t)queues;
		for (; queues != 0; queues &= queues - 1) {
			bare_doorbells.count++;
		}
	}
}

/* Takes the event bits in the order that hv/abi/event.h asks for. */
static void events_take(void)
{
	__atomic_exchange_n(&event_page.pending, 0, __ATOMIC_SEQ_CST);
	if (event_page.state != 0 &&
	    (__atomic_exchange_n(&event_page.state, 0, __ATOMIC_SEQ_CST) & 1u << BARE_PART) != 0) {
		state_check();
	}
	/* Rings first: a guest that rings and then asks by a port sees its ring. */
	if (event_page.doorbell_page[BARE_PART] != 0) {
		doorbells_take();
	}
	if (event_page.ioreq[BARE_PART] != 0) {
		ioreqs_serve(__atomic_exchange_n(&event_page.ioreq[BARE_PART], 0, __ATOMIC_SEQ_CST));
	}
}

void bare_main(const struct pvh_start_info *info)
{
	const char *options = info->cmdline == 0 ? "" : (const char *)info->cmdline;
	uint64_t seconds = option_number(options, "timeout");

	guest_pic_off();
	trap_init();
	apic_init();
	uart_init();
	guest_hypercall_init();
	trap_set_handler(VECTOR_EVENT, handle_event);
	trap_set_handler(VECTOR_CLOCK, handle_clock);
	trap_set_handler(0xff, handle_spurious);
	want_stats = option_there(options, "stats");
	if (info->magic != PVH_MAGIC) {
		must(-BH_INVAL, "start-info");
	}
	power_port = fadt_power_port(info->rsdp);
	guest_start_up(info);
	clock_start(seconds);
	for (;;) {
		if (clock_ran_out) {
			bare_finish("bulkhead-guest-stopped: timeout detail=0x%lx rip=0x0\n", seconds);
		}
		if (*(volatile uint64_t *)&event_page.pending != 0) {
			events_take();
		} else {
			cpu_sti_hlt_cli();
		}
	}
}
