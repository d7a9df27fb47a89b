/* SPDX-License-Identifier: Apache-2.0 */
/** A control partition that gives root mode no rest: CPU 0 serves the guests; each other CPU has partitions
 *  that it creates, runs, pauses and resumes, interrupts, resets and ends, while the others meddle with them.
 *  A guest that makes no progress, or says that it lost something, ends the test; so does a call that must
 *  not fail. Options: `timeout=S`, `parts=N`, `vcpus=N` of each, `cpus=N` of this partition. */
#include "abi/err.h"
#include "abi/event.h"
#include "abi/hypercall.h"
#include "abi/ioreq.h"
#include "abi/part.h"
#include "bare.h"
#include "image.h"
#include "stress.h"

#define VECTOR_EVENT 0x40u
#define VECTOR_NAP   0x41u
#define PARTS_MAX    8u
#define ROUNDS_MAX   6u /* of one life */
#define STILL_S	     120u
#define PATIENT_S    60u
#define LINE_MAX     100u

struct pvh_start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modlist, cmdline, rsdp;
};

struct pvh_module {
	uint64_t addr, size, cmdline, reserved;
};

void bare_main(const struct pvh_start_info *info);

static struct bh_event_page events __attribute__((aligned(4096)));
static struct bh_ioreq slots[PARTS_MAX + 1][BH_PAGE_SIZE / sizeof(struct bh_ioreq)]
	__attribute__((aligned(4096)));
static uint8_t pages[SMP_MAX][BH_PAGE_SIZE] __attribute__((aligned(4096))); /* arguments, one a CPU */

static struct life {
	bool runs;
	uint32_t goal;	  /* rounds of this life */
	uint64_t changed; /* TSC when `rounds` last changed */
	uint32_t seen;
	volatile uint32_t rounds; /* of this life; CPU 0 writes it */
	uint32_t lives, pauses, resets, total;
	char line[LINE_MAX + 1];
	uint32_t line_used;
} lives[PARTS_MAX + 1];

static volatile uint64_t beats[SMP_MAX]; /* TSC, when this CPU was last seen at work */
static const void *image;
static uint64_t image_size, tsc_khz;
static char guest_options[] = "stress vcpus=N", own_options[] = "vcpus=N";
static uint32_t parts, cpus, rings;
static volatile bool over;
static const char *volatile failed;
static volatile uint32_t failed_part, done;
static volatile int64_t failed_code;
static uint16_t power_port;

/* What partitions/guestlib/smp.c asks of a test kernel. */
const char *guest_cmdline(void)
{
	return own_options;
}

uint64_t guest_tsc_hz(void)
{
	return tsc_khz * 1000;
}

static uint64_t seconds(uint64_t count)
{
	return count * tsc_khz * 1000;
}

static void report(const char *what, uint32_t part, int64_t code)
{
	if (failed == NULL) {
		failed_part = part;
		failed_code = code;
		failed = what;
	}
}

static void handle(struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

static void nap(uint64_t us)
{
	cpu_wrmsr(MSR_TSC_DEADLINE, cpu_rdtsc() + us * tsc_khz / 1000);
	cpu_sti_hlt_cli();
}

static uint32_t random(void)
{
	static uint64_t state[SMP_MAX];
	uint64_t *mine = &state[smp_id()];

	*mine = *mine * 6364136223846793005ull + 1442695040888963407ull + smp_id();
	return (uint32_t)(*mine >> 33);
}

/* A call about a partition that is ours: another CPU may be at it, but not for long. */
static void insist(uint64_t number, uint64_t part, uint64_t b, uint64_t c)
{
	uint64_t end = cpu_rdtsc() + seconds(PATIENT_S);
	int64_t err;

	do {
		err = guest_hypercall(number, part, b, c);
	} while (err == -BH_STATE && cpu_rdtsc() < end && failed == NULL);
	if (err < 0) {
		report("a hypercall failed", (uint32_t)(number << 8 | part), err);
	}
}

/* A call that may come at a bad moment, which is no reason for any other error. */
static int64_t attempt(uint64_t number, uint64_t part, uint64_t b, uint64_t c)
{
	int64_t err = guest_hypercall(number, part, b, c);

	if (err < 0 && err != -BH_STATE && err != -BH_NOENT) {
		report("a hypercall gave a strange error", (uint32_t)(number << 8 | part), err);
	}
	return err;
}

static void begin(uint32_t part)
{
	struct life *life = &lives[part];
	struct bh_part_info *info = (void *)pages[smp_id()];
	struct bh_vcpu_start *start = (void *)(pages[smp_id()] + 2048);

	insist(BH_HC_PART_INFO, part, (uint64_t)info, 0);
	if (image_load(image, image_size, NULL, 0, guest_options, (void *)info->ram_hpa,
		       info->ram_size, 0, (uint32_t)tsc_khz, start) != 0) {
		report("the image does not fit", part, 0);
		return;
	}
	life->rounds = life->seen = 0;
	life->changed = cpu_rdtsc();
	life->goal = 1 + random() % ROUNDS_MAX;
	insist(BH_HC_VCPU_SET, part, 0, (uint64_t)start);
	insist(BH_HC_DOORBELL_SETUP, part, STRESS_DOORBELLS, 1);
	insist(BH_HC_PART_START, part, 0, 0);
	life->lives++;
	life->runs = true;
}

static void end(uint32_t part)
{
	struct life *life = &lives[part];

	if (random() % 2 && !over) {
		insist(BH_HC_PART_RESET, part, 0, 0);
		life->resets++;
		begin(part);
		return;
	}
	insist(BH_HC_PART_DESTROY, part, 0, 0);
	life->runs = false;
}

/* Something happens to a partition, ours or not. */
static void disturb(uint32_t part)
{
	switch (random() % 4) {
	case 0:
		if (attempt(BH_HC_PART_PAUSE, part, 0, 0) == 0) {
			lives[part].pauses++;
			nap(random() % 300);
			while (attempt(BH_HC_PART_RESUME, part, 0, 0) == -BH_STATE && !failed) {
				struct bh_part_info *info = (void *)pages[smp_id()];

				/* Busy, or its owner has ended this life. */
				(void)guest_hypercall(BH_HC_PART_INFO, part, (uint64_t)info, 0);
				if (info->state != BH_PART_PAUSED) {
					break;
				}
			}
		}
		break;
	case 1:
		(void)attempt(BH_HC_MSI_POST, part, 0xfee00000 | (random() % 4) << 12, STRESS_VECTOR);
		break;
	case 2:
		(void)attempt(BH_HC_STATS, part, 0, (uint64_t)pages[smp_id()]);
		break;
	default:
		(void)attempt(BH_HC_PART_INFO, part, (uint64_t)pages[smp_id()], 0);
		break;
	}
}

static void live(uint32_t part)
{
	struct life *life = &lives[part];

	if (!life->runs) {
		memset(slots[part], 0, sizeof(slots[part]));
		insist(BH_HC_PART_CREATE, part, (uint64_t)slots[part], 0);
		begin(part);
		return;
	}
	if (life->rounds != life->seen) {
		life->seen = life->rounds;
		life->changed = cpu_rdtsc();
	} else if (cpu_rdtsc() - life->changed > seconds(STILL_S)) {
		report("a partition stands still", part, life->seen);
	}
	if (life->seen >= life->goal) {
		end(part);
	} else {
		disturb(part);
	}
}

/* What every CPU but the first does. */
static void manage(uint32_t id)
{
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR_NAP);
	while (!over && failed == NULL) {
		beats[id] = cpu_rdtsc();
		for (uint32_t part = id; part <= parts; part += cpus - 1) {
			live(part);
		}
		if (random() % 16 == 0) {
			disturb(1 + random() % parts);
		}
		nap(100 + random() % 2000);
	}
	for (uint32_t part = id; part <= parts && failed == NULL; part += cpus - 1) {
		if (lives[part].runs) {
			insist(BH_HC_PART_DESTROY, part, 0, 0);
		}
	}
	__atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

static void say(uint32_t part, char c)
{
	struct life *life = &lives[part];

	if (c != '\n' && life->line_used < LINE_MAX) {
		life->line[life->line_used++] = c;
		return;
	}
	life->line[life->line_used] = 0;
	guest_printf("# partition %u: %s\n", part, life->line);
	life->line_used = 0;
}

static uint64_t serve(uint32_t part, const struct bh_ioreq *rq)
{
	if (rq->dir == BH_IOREQ_READ) {
		return rq->addr == 0x3fd ? 0x60 : UINT64_MAX;
	}
	if (rq->addr == STRESS_PORT) {
		lives[part].rounds++;
		lives[part].total++;
	} else if (rq->addr == 0xf4) {
		report("a guest gave up", part, (int64_t)rq->data);
	} else if (rq->addr == 0x3f8) {
		say(part, (char)rq->data);
	}
	return 0;
}

static void serve_part(uint32_t part)
{
	for (uint32_t v = 0; v < BH_VCPU_MAX; v++) {
		struct bh_ioreq *slot = &slots[part][v];

		/* Again after BH_IOREQ_WAIT: the request that ended it has no event. */
		while (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == BH_IOREQ_PENDING) {
			slot->data = serve(part, slot);
			__atomic_store_n(&slot->state, BH_IOREQ_DONE, __ATOMIC_RELEASE);
			(void)attempt(BH_HC_IOREQ_DONE, part, v, random() % 4 == 0 ? BH_IOREQ_WAIT : 0);
		}
	}
}

static void take_events(void)
{
	uint64_t pending = __atomic_exchange_n(&events.pending, 0, __ATOMIC_SEQ_CST);

	for (uint32_t part = 1; part <= parts; part++) {
		if ((pending >> part & 1) == 0) {
			continue;
		}
		if (__atomic_exchange_n(&events.doorbell_page[part], 0, __ATOMIC_SEQ_CST) != 0 &&
		    __atomic_exchange_n(&events.doorbell[part][0], 0, __ATOMIC_SEQ_CST) != 0) {
			rings++;
		}
		if (__atomic_exchange_n(&events.ioreq[part], 0, __ATOMIC_SEQ_CST) != 0) {
			serve_part(part);
		}
		if (__atomic_fetch_and(&events.state, ~(1ull << part), __ATOMIC_SEQ_CST) >> part & 1) {
			report("a guest was stopped", part, 0);
		}
	}
}

static _Noreturn void power_off(void)
{
	while ((cpu_in8(0x3fd) & 0x40) == 0) {
	}
	if (power_port != 0) {
		cpu_out16(power_port, 0x2000);
	}
	for (;;) {
		__asm__ volatile("cli\n\thlt");
	}
}

void guest_exit(int value)
{
	guest_printf("bulkhead-guest-stopped: control-trap detail=0x%x rip=0x0\n", (unsigned int)value);
	power_off();
}

static uint32_t number(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; strlen(text) > n; text++) {
		if (memcmp(text, name, n) == 0) {
			uint32_t value = 0;

			for (text += n; *text >= '0' && *text <= '9'; text++) {
				value = value * 10 + (uint32_t)(*text - '0');
			}
			return value;
		}
	}
	return 0;
}

static void find_image(const struct pvh_start_info *info)
{
	const struct pvh_module *list = (const struct pvh_module *)info->modlist;

	for (uint32_t i = 0; i < info->module_count; i++) {
		if (list[i].cmdline && memcmp((const char *)list[i].cmdline, "guest", 5) == 0) {
			image = (const void *)list[i].addr;
			image_size = list[i].size;
		}
	}
}

static void check_beats(void)
{
	for (uint32_t i = 1; i < cpus; i++) {
		if (beats[i] != 0 && cpu_rdtsc() > beats[i] + seconds(STILL_S)) {
			report("a CPU stands still", i, 0);
		}
	}
}

static void print_result(void)
{
	for (uint32_t part = 1; part <= parts; part++) {
		const struct life *life = &lives[part];

		guest_printf("# partition %u: %u rounds in %u lives, %u resets, %u pauses\n", part,
			     life->total, life->lives, life->resets, life->pauses);
	}
	guest_printf("# doorbells taken %u times\n", rings);
	if (failed != NULL) {
		guest_printf("not ok 1 - %s: 0x%x, %ld\n", failed, failed_part, (long)failed_code);
	} else {
		guest_printf("ok 1 - all partitions lived and died\n");
	}
	guest_printf("bulkhead-guest-exit: %u\n", failed != NULL ? 3 : 1);
}

static void wait_for_managers(void)
{
	uint64_t limit = cpu_rdtsc() + seconds(PATIENT_S);

	while (done < cpus - 1 && cpu_rdtsc() < limit) {
		take_events();
		nap(1000);
	}
	if (done < cpus - 1) {
		report("a CPU does not come to its end", done, 0);
	}
}

void bare_main(const struct pvh_start_info *info)
{
	const char *options = (const char *)info->cmdline;
	uint64_t stop;

	guest_pic_off();
	trap_init();
	apic_init();
	uart_init();
	guest_hypercall_init();
	trap_set_handler(VECTOR_EVENT, handle);
	trap_set_handler(VECTOR_NAP, handle);
	find_image(info);
	power_port = fadt_power_port(info->rsdp);
	parts = number(options, "parts=");
	cpus = number(options, "cpus=");
	guest_options[sizeof(guest_options) - 2] = (char)('0' + number(options, "vcpus="));
	own_options[sizeof(own_options) - 2] = (char)('0' + cpus);
	(void)guest_hypercall(BH_HC_PART_INFO, 1, (uint64_t)pages[0], 0);
	tsc_khz = ((struct bh_part_info *)pages[0])->tsc_khz;
	stop = cpu_rdtsc() + seconds(number(options, "timeout="));
	guest_printf("bulkhead-guest-start\n");
	if (smp_start_all() != cpus || cpus < 2 || parts == 0 || parts > PARTS_MAX) {
		report("not all CPUs are there", cpus, 0);
	}
	apic_write(APIC_LVT_TIMER, APIC_LVT_DEADLINE | VECTOR_NAP);
	insist(BH_HC_EVENT_SETUP, (uint64_t)&events, 0xfee00000, VECTOR_EVENT);
	for (uint32_t i = 1; i < cpus && failed == NULL; i++) {
		smp_run(i, manage);
	}
	while (cpu_rdtsc() < stop && failed == NULL) {
		if (*(volatile uint64_t *)&events.pending == 0) {
			nap(10000);
		}
		take_events();
		check_beats();
	}
	over = true;
	wait_for_managers();
	print_result();
	power_off();
}
