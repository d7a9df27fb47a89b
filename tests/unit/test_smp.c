/* SPDX-License-Identifier: Apache-2.0 */
/** Root mode on four CPUs that are threads, under ThreadSanitizer, with real races. The guests are
 *  small programs of this file; interrupts, the timer and HLT are those of insn_threads.c. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/event.h"
#include "abi/hypercall.h"
#include "cpu/tsc.h"
#include "insn_threads.h"
#include "irq/lapic.h"
#include "lib/crc32c.h"
#include "machine.h"
#include "mem/frames.h"
#include "part/backend.h"
#include "part/control.h"
#include "part/event.h"
#include "part/exit.h"
#include "part/hypercall.h"
#include "part/ioreq.h"
#include "part/policy.h"
#include "part/sched.h"

#define MIB	   0x100000ull
#define RAM_TOP	   (64 * MIB)
#define POLICY_AT  0x1800000ull
#define POLICY_SIZE (sizeof(struct bh_policy) + (1 + GUESTS) * sizeof(struct bh_policy_part))
#define EVENT_PAGE 0x2000000ull
#define START_PAGE 0x2001000ull
#define IOREQ_PAGE 0x2002000ull /* one for each partition */
#define STATS_PAGE 0x2010000ull /* one for each CPU */
#define CPUS	   4u
#define VCPUS	   3u /* of each guest */
#define GUESTS	   2u
#define SECONDS	   3u
#define STUCK_S	   120u /* a busy host gets nowhere for a while, a lost wake-up for ever */
#define MOVES	   5u
#define SKEW	   100000000000ll /* longer than a host keeps a thread from running */
#define PATIENCE   600000000000ull

#define VECTOR_RING 0x41u
#define VECTOR_EVENT 0x51u
#define MSR_SVR	     0x80fu
#define MSR_EOI	     0x80bu
#define MSR_ICR	     0x830u

/* What a guest does next is an exit of it. */
enum action { NOTHING, HALT, WRITE_MSR, DOORBELL, PORT, HYPERCALL, TAKE_IRQ, TIME_UP };

struct guest {
	struct vcpu *vcpu;
	enum action action;
	uint64_t a, b; /* of the action */
	int vector;    /* to be delivered, or -1 */
	bool enabled, answering, acted;
	uint64_t tokens, step, seen, touched;
	uint64_t args[4];
};

static struct guest guests[BH_PART_MAX][BH_VCPU_MAX];
static uint64_t rounds[BH_PART_MAX]; /* the ring of this partition went round; atomic */
static uint64_t deaths[BH_PART_MAX], answers, events_taken, doorbells_rung;
static unsigned ring_size;
static bool quiet; /* nothing but interrupts */
static enum action (*control_program[CPUS])(struct guest *guest);

/* Counters are read while they count; slots of ioreqs are shared. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:part_copy_out\nrace:issue\n";
}

static uint64_t get(const uint64_t *what)
{
	return __atomic_load_n(what, __ATOMIC_RELAXED);
}

static void count(uint64_t *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static enum action write_msr(struct guest *guest, uint64_t msr, uint64_t value)
{
	guest->a = msr;
	guest->b = value;
	return WRITE_MSR;
}

static enum action call(struct guest *guest, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t *regs = guest->vcpu->regs;

	regs[REG_RAX] = number;
	regs[REG_RDI] = a;
	regs[REG_RSI] = b;
	regs[REG_RDX] = c;
	return HYPERCALL;
}

/* A token goes from vcpu to vcpu by interrupts; who has none halts. Vcpu 0 sees each round, and
 * sometimes rings a doorbell or asks its runner. */
static enum action ring_program(struct guest *guest)
{
	uint32_t id = guest->vcpu->id, part = guest->vcpu->part->id;

	if (!guest->enabled) {
		guest->enabled = true;
		return write_msr(guest, MSR_SVR, 0x1ff);
	}
	if (!guest->tokens) {
		return HALT;
	}
	if (guest->step++ % 4 == 0 && id == 0) {
		count(&rounds[part]);
		if (!quiet) {
			return get(&rounds[part]) % 2 ? DOORBELL : PORT;
		}
	}
	guest->tokens--;
	return write_msr(guest, MSR_ICR, (uint64_t)((id + 1) % ring_size) << 32 | VECTOR_RING);
}

static enum action idle_program(struct guest *guest)
{
	if (!guest->enabled) {
		guest->enabled = true;
		return write_msr(guest, MSR_SVR, 0x1ff);
	}
	return HALT;
}

static enum action program(struct guest *guest)
{
	if (part_is_control(guest->vcpu->part)) {
		return control_program[guest->vcpu->id](guest);
	}
	return ring_program(guest);
}

/* The table of the back end. */

static int no_error(void)
{
	return 0;
}

static int part_made(struct part *part)
{
	part->backend = part;
	return 0;
}

static void part_gone(struct part *part)
{
	(void)part;
}

static int doorbell(struct part *part, uint64_t gpa)
{
	(void)part;
	(void)gpa;
	return 0;
}

static void reset(struct vcpu *vcpu)
{
	guests[vcpu->part->id][vcpu->id] = (struct guest){.vcpu = vcpu, .vector = -1};
}

static int made(struct vcpu *vcpu)
{
	vcpu->backend = &guests[vcpu->part->id][vcpu->id];
	reset(vcpu);
	return 0;
}

static void nothing(struct vcpu *vcpu)
{
	((struct guest *)vcpu->backend)->touched++; /* a race here would be two CPUs with one vcpu */
}

static void start(struct vcpu *vcpu, bool flat, uint64_t base, uint64_t rip, uint64_t rsp)
{
	(void)flat;
	(void)base;
	(void)rip;
	(void)rsp;
	reset(vcpu);
}

static void inject(struct vcpu *vcpu)
{
	struct guest *guest = vcpu->backend;

	vcpu->event.valid = false;
	vcpu->nmi = false;
	guest->vector = vlapic_pending(&vcpu->lapic);
	if (guest->vector >= 0) {
		vlapic_accept(&vcpu->lapic, (unsigned)guest->vector);
	}
	vcpu->irq_check = vlapic_pending(&vcpu->lapic) >= 0;
}

/* Until something ends the run. A vector is delivered first, and its handler ends it. Each turn gets as
 * far as one action: a host that is busy elsewhere for a whole slice would stop the machine. */
static bool enter(struct vcpu *vcpu, uint64_t now, uint64_t deadline)
{
	struct guest *guest = vcpu->backend;

	(void)now;
	threads_end();
	if (guest->vector >= 0) {
		guest->tokens += guest->vector == VECTOR_RING ? 1 : 0;
		guest->vector = -1;
		guest->action = write_msr(guest, MSR_EOI, 0);
		return true;
	}
	do {
		guest->action = threads_irq_pending()			    ? TAKE_IRQ
				: insn_rdtsc() >= deadline && guest->acted ? TIME_UP
									    : program(guest);
		guest->acted = guest->action != TIME_UP;
		threads_yield();
	} while (guest->action == NOTHING);
	return true;
}

static void take_exit(struct vcpu *vcpu)
{
	static const struct ioreq_pio pio = {.port = 0x3f8, .size = 1, .insn_length = 1};
	struct guest *guest = vcpu->backend;

	switch (guest->action) {
	case HALT:
		(void)exit_hlt(vcpu);
		break;
	case WRITE_MSR:
		BH_CHECK_TEST(vlapic_write_msr(vcpu, (uint32_t)guest->a, guest->b) == 0);
		break;
	case DOORBELL:
		event_doorbell(vcpu->part->id, vcpu->id, 1);
		count(&doorbells_rung);
		break;
	case PORT:
		ioreq_pio(vcpu, &pio);
		break;
	case HYPERCALL:
		hypercall_handle(vcpu);
		break;
	case TAKE_IRQ:
		threads_take_irqs();
		break;
	case TIME_UP:
		sched_expire(insn_rdtsc());
		sched_slice_over(vcpu, true, insn_rdtsc());
		break;
	default:
		break;
	}
}

static uint64_t zero(const struct vcpu *vcpu, enum backend_reg reg)
{
	return 0;
}

static void advance(struct vcpu *vcpu, unsigned length)
{
	(void)vcpu;
	(void)length;
}

static void mode(struct vcpu *vcpu, struct backend_mode *ret_mode)
{
	(void)vcpu;
	memset(ret_mode, 0, sizeof(*ret_mode));
}

/* Second-level tables: present, address, large. */
static uint64_t attributes(unsigned prot, unsigned memtype)
{
	return prot | (uint64_t)memtype << 3;
}

static struct ptab_format format = {4, 3, 7, 7, attributes, NULL};
static const uint32_t no_msrs[] = {0};

const struct backend vtx_backend = {
	.name = "threads",
	.switched_msrs = no_msrs,
	.format = &format,
	.check = no_error,
	.init = no_error,
	.cpu_init = no_error,
	.part_create = part_made,
	.part_destroy = part_gone,
	.map_doorbell = doorbell,
	.vcpu_create = made,
	.vcpu_destroy = nothing,
	.vcpu_reset = reset,
	.vcpu_start = start,
	.load = nothing,
	.unload = nothing,
	.flush = nothing,
	.inject = inject,
	.enter = enter,
	.exit = take_exit,
	.read = zero,
	.advance = advance,
	.mode = mode,
};
const struct backend svm_backend = {.name = "not here"};

/* The machine. */

static struct bh_policy_part part_of(const char *name, uint64_t size, uint32_t vcpus, uint32_t flags)
{
	struct bh_policy_part part = {.ram_size = size, .vcpu_count = vcpus, .weight = 100,
				      .flags = flags, .doorbell_count = 4, .map_by = !flags,
				      .ring_to = !flags, .irq_from = !flags};

	strncpy(part.name, name, sizeof(part.name) - 1);
	return part;
}

static void make_policy(struct boot_info *info)
{
	struct {
		struct bh_policy head;
		struct bh_policy_part part[1 + GUESTS];
	} *table = (void *)POLICY_AT;

	memset(table, 0, sizeof(*table));
	table->head = (struct bh_policy){.magic = BH_POLICY_MAGIC,
					 .version = BH_POLICY_VERSION,
					 .size = sizeof(*table),
					 .file_size = sizeof(*table),
					 .part_count = 1 + GUESTS};
	table->part[0] = part_of("control", 16 * MIB, BH_VCPU_MAX, BH_POLICY_CONTROL);
	table->part[1] = part_of("one", 2 * MIB, VCPUS, 0);
	table->part[2] = part_of("two", 4 * MIB, VCPUS, 0);
	table->part[2].cap = 200;
	table->head.crc32c = crc32c(0, table, sizeof(*table));
	machine_add_module(info, "policy", "", POLICY_AT, sizeof(*table));
}

static void *run_cpu(void *arg)
{
	struct cpu *cpu = arg;

	threads_become(cpu);
	sched_run();
	return NULL;
}

static int setup(void **state)
{
	static struct boot_info info;
	const uint64_t sizes[] = {2 * MIB, 4 * MIB};

	(void)state;
	threads_reset();
	memset(parts, 0, sizeof(parts));
	memset(rounds, 0, sizeof(rounds));
	memset(deaths, 0, sizeof(deaths));
	answers = events_taken = doorbells_rung = 0;
	quiet = false;
	ring_size = VCPUS;
	machine_map_ram(MIB, RAM_TOP - MIB);
	machine_boot_info(&info, RAM_TOP);
	make_policy(&info);
	strcpy(boot_record()->cmdline, "tsc_khz=1000000");
	threads_become(&cpus[0]);
	if (lapic_setup() || tsc_init(0, false) || backend_choose() || frames_init(&info) ||
	    policy_init(&info) || frames_reserve_pool(&info, sizes, GUESTS)) {
		return -1;
	}
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i] = (struct cpu){.self = &cpus[i], .id = i, .apic_id = i};
		sched_init(&cpus[i]);
		control_program[i] = idle_program;
		if (cpu_count() <= i) {
			cpu_count_add();
		}
	}
	if (control_init(&info, gpa(0x8000), gpa(0x10000))) {
		return -1;
	}
	for (unsigned i = 1; i < CPUS; i++) {
		parts[0].vcpu[i]->state = VCPU_RUNNABLE;
		sched_wake(parts[0].vcpu[i]);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_unmap_ram(MIB, RAM_TOP - MIB);
	return 0;
}

static void dump(void)
{
	for (unsigned p = 0; p <= GUESTS; p++) {
		print_error("part %u: state %u, rounds %lu, lives %lu\n", p, parts[p].state, rounds[p],
			    deaths[p]);
		for (unsigned v = 0; v < parts[p].vcpu_count; v++) {
			const struct vcpu *vcpu = parts[p].vcpu[v];

			print_error("  vcpu %u: state %u, place %u, requests %x, ioreq %u, tokens %lu, "
				    "step %lu, CPU %u, switches %lu\n",
				    v, vcpu->state, vcpu->place, vcpu->requests, vcpu->ioreq.phase,
				    guests[p][v].tokens, guests[p][v].step, vcpu->home->cpu->id,
				    vcpu->stats.switches);
		}
	}
}

/* Runs all CPUs for so long and until each of the counters was seen to move some times. */
static void run_machine(unsigned seconds, uint64_t *const progress[], unsigned progress_count)
{
	pthread_t thread[CPUS];
	uint64_t last[8] = {0};
	unsigned stuck[8] = {0}, moved[8] = {0}, worst = 0, fewest = 0;

	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(pthread_create(&thread[i], NULL, run_cpu, &cpus[i]), 0);
	}
	for (unsigned s = 0; (s < seconds * 10 || fewest < MOVES) && worst < STUCK_S * 10; s++) {
		usleep(100000);
		fewest = UINT32_MAX;
		for (unsigned p = 0; p < progress_count; p++) {
			uint64_t now = get(progress[p]);

			stuck[p] = now == last[p] ? stuck[p] + 1 : 0;
			moved[p] += now != last[p];
			last[p] = now;
			worst = MAX(worst, stuck[p]);
			fewest = MIN(fewest, moved[p]);
		}
	}
	threads_stop();
	for (unsigned i = 0; i < CPUS; i++) {
		pthread_join(thread[i], NULL);
	}
	for (unsigned p = 0; p < progress_count; p++) {
		if (stuck[p] >= STUCK_S * 10) {
			print_error("counter %u stands still at %lu\n", p, last[p]);
			dump();
		}
	}
	assert_true(worst < STUCK_S * 10);
}

/* Programs of the control partition. */

static int64_t result(const struct guest *guest)
{
	return (int64_t)guest->vcpu->regs[REG_RAX];
}

/* The life of partition `part`: made, run, paused and resumed, reset, ended, again and again. Each life ends
 * only when its ring has gone round a few times, so a lost wake-up stops it for good. */
static enum action live(struct guest *guest, uint64_t part)
{
	enum { ENABLE, CREATE, SET, BELL = SET + VCPUS, START, TOKEN,
	       PAUSE, RESUME, AGAIN, RESET, DESTROY, DONE };
	uint64_t step = guest->step++;

	if (step > CREATE && step <= DONE && step != AGAIN && step != PAUSE && step != RESET) {
		BH_CHECK_TEST(result(guest) == 0);
	}
	switch (step) {
	case ENABLE:
		return write_msr(guest, MSR_SVR, 0x1ff);
	case CREATE:
		return call(guest, BH_HC_PART_CREATE, part, IOREQ_PAGE + part * PAGE_SIZE, 0);
	case SET ... SET + VCPUS - 1:
		return call(guest, BH_HC_VCPU_SET, part, step - SET, START_PAGE);
	case BELL:
		return call(guest, BH_HC_DOORBELL_SETUP, part, 0xd0000000, 2);
	case START:
		return call(guest, BH_HC_PART_START, part, 0, 0);
	case TOKEN:
		guest->seen = get(&rounds[part]);
		return call(guest, BH_HC_MSI_POST, part, 0xfee00000, VECTOR_RING);
	case PAUSE:
		return call(guest, BH_HC_PART_PAUSE, part, 0, 0);
	case RESUME:
		return call(guest, BH_HC_PART_RESUME, part, 0, 0);
	case AGAIN:
		if (get(&rounds[part]) < guest->seen + 5) {
			guest->step = guest->args[0]++ % 8 ? AGAIN : PAUSE;
		}
		return NOTHING;
	case RESET:
		if (get(&deaths[part]) % 2) {
			return call(guest, BH_HC_PART_RESET, part, 0, 0);
		}
		guest->vcpu->regs[REG_RAX] = 0;
		return NOTHING;
	case DESTROY:
		return call(guest, BH_HC_PART_DESTROY, part, 0, 0);
	default:
		count(&deaths[part]);
		guest->step = CREATE;
		return NOTHING;
	}
}

#define LIFE(name, what, part) static enum action name(struct guest *guest) { return what(guest, part); }
LIFE(live_one, live, 1)
LIFE(live_two, live, 2)

/* The same without an end: the partition runs, and this vcpu has nothing more to do. */
static enum action begin(struct guest *guest, uint64_t part)
{
	return guest->step > 1 + 1 + VCPUS + 2 ? HALT : live(guest, part);
}

LIFE(begin_one, begin, 1)
LIFE(begin_two, begin, 2)

/* Answers every ioreq of both partitions, with and without waiting for the next one, and takes the events. */
static enum action answer(struct guest *guest)
{
	struct bh_event_page *events = (void *)EVENT_PAGE;
	uint64_t turn = guest->args[0]++;

	if (turn == 0) {
		return write_msr(guest, MSR_SVR, 0x1ff);
	}
	if (turn == 1) {
		return call(guest, BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee02000, VECTOR_EVENT);
	}
	if (__atomic_exchange_n(&events->pending, 0, __ATOMIC_ACQ_REL)) {
		count(&events_taken);
	}
	for (uint64_t part = 1; part <= GUESTS; part++) {
		struct bh_ioreq *slot = (struct bh_ioreq *)(IOREQ_PAGE + part * PAGE_SIZE);

		for (unsigned v = 0; v < VCPUS; v++) {
			if (__atomic_load_n(&slot[v].state, __ATOMIC_ACQUIRE) == BH_IOREQ_PENDING) {
				__atomic_store_n(&slot[v].state, BH_IOREQ_DONE, __ATOMIC_RELEASE);
				count(&answers);
				return call(guest, BH_HC_IOREQ_DONE, part, v, turn % 3 == 0);
			}
		}
	}
	return NOTHING;
}

/* The page of events comes and goes. */
static enum action move_events(struct guest *guest)
{
	return guest->args[0]++ % 2
		       ? call(guest, BH_HC_EVENT_SETUP, 0, 0, 0)
		       : call(guest, BH_HC_EVENT_SETUP, EVENT_PAGE, 0xfee02000, VECTOR_EVENT);
}

/* Any verb, on either partition, whatever others do to it meanwhile. */
static enum action meddle(struct guest *guest)
{
	uint64_t r = guest->args[1] = guest->args[1] * 6364136223846793005ull + guest->vcpu->id * 2 + 1;
	uint64_t part = 1 + (r >> 33) % GUESTS;
	int64_t last = guest->args[2]++ ? result(guest) : 0;

	BH_CHECK_TEST(last == 0 || last == -BH_STATE || last == -BH_NOENT);
	count(&answers);
	switch ((r >> 40) % 10) {
	case 0:
	case 1:
		return call(guest, BH_HC_PART_CREATE, part, IOREQ_PAGE + part * PAGE_SIZE, 0);
	case 2:
	case 3:
		return call(guest, BH_HC_VCPU_SET, part, (r >> 50) % VCPUS, START_PAGE);
	case 4:
		return call(guest, BH_HC_MSI_POST, part, 0xfee00000, VECTOR_RING);
	case 5:
		return call(guest, BH_HC_STATS, part, 0, STATS_PAGE + guest->vcpu->id * PAGE_SIZE);
	case 6:
		return call(guest, BH_HC_DOORBELL_SETUP, part, 0xd0000000, (r >> 50) % 4);
	case 7:
		return call(guest, BH_HC_POLICY_LOAD, POLICY_AT, POLICY_SIZE, 0);
	default:
		return call(guest, BH_HC_PART_START + (r >> 50) % 5, part, 0, 0);
	}
}

/* Two lives at once on four CPUs: no wake-up is lost, nothing is torn down under anybody's feet. */
static void smp_lives_go_on(void **state)
{
	uint64_t *const progress[] = {&rounds[1], &rounds[2], &deaths[1], &deaths[2]};

	(void)state;
	control_program[0] = live_one;
	control_program[1] = live_two;
	control_program[2] = answer;
	run_machine(SECONDS, progress, 4);
	for (unsigned i = 0; i <= GUESTS; i++) {
		assert_true(backend_check_isolation(&parts[i]));
	}
	print_message("# lives %lu %lu, rounds %lu %lu, answers %lu, events %lu, doorbells %lu\n",
		      deaths[1], deaths[2], rounds[1], rounds[2], answers, events_taken,
		      doorbells_rung);
}

/* A vcpu goes to sleep at the moment in which the other one wakes it: two rings of two on idle CPUs. */
static void smp_no_wake_up_is_lost(void **state)
{
	uint64_t *const progress[] = {&rounds[1], &rounds[2]};

	(void)state;
	quiet = true;
	ring_size = 2;
	control_program[0] = begin_one;
	control_program[1] = begin_two;
	run_machine(SECONDS, progress, 2);
	print_message("# rounds %lu %lu\n", rounds[1], rounds[2]);
}

/* The event page is set up and taken away while guests ring. */
static void smp_event_page_comes_and_goes(void **state)
{
	uint64_t *const progress[] = {&rounds[1], &deaths[1]};

	(void)state;
	control_program[0] = live_one;
	control_program[2] = answer;
	control_program[3] = move_events;
	run_machine(SECONDS, progress, 2);
}

/* All four vcpus of the control partition meddle with the same partitions: errors, and never harm. */
static void smp_meddling_does_no_harm(void **state)
{
	uint64_t *const progress[] = {&answers};

	(void)state;
	for (unsigned i = 0; i < CPUS; i++) {
		control_program[i] = meddle;
	}
	run_machine(SECONDS, progress, 1);
	for (unsigned i = 0; i <= GUESTS; i++) {
		assert_true(backend_check_isolation(&parts[i]));
	}
}

/* Counters in step are found to be, and one that is behind is found out. */
static void *compare(void *arg)
{
	threads_become(&cpus[1]);
	return (void *)(uintptr_t)(tsc_compare(arg, PATIENCE) != 0);
}

static void smp_counters_are_compared(void **state)
{
	for (int64_t skew = -SKEW; skew <= SKEW; skew += SKEW) {
		struct tsc_pair pair = {0};
		pthread_t thread;
		void *other;

		(void)state;
		threads_skew(1, skew);
		assert_int_equal(pthread_create(&thread, NULL, compare, &pair), 0);
		assert_int_equal(tsc_compare(&pair, PATIENCE) != 0, skew != 0);
		pthread_join(thread, &other);
		assert_int_equal((uintptr_t)other, skew != 0);
		threads_skew(1, 0);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(smp_counters_are_compared),
		TEST(smp_no_wake_up_is_lost),
		TEST(smp_lives_go_on),
		TEST(smp_event_page_comes_and_goes),
		TEST(smp_meddling_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
