/* SPDX-License-Identifier: Apache-2.0 */
/** The run queue of each CPU, its deadlines and its idle loop. */
#include "part/sched.h"

#include "cpu/insn.h"
#include "cpu/tsc.h"
#include "dbg/check.h"
#include "dbg/log.h"
#include "irq/lapic.h"
#include "lib/string.h"
#include "part/backend.h"
#include "part/gate.h"
#include "part/kick.h"
#include "part/part.h"

static struct sched scheds[CPU_MAX];

/* Virtual time counts TSC ticks of a vcpu with this weight. */
#define WEIGHT_UNIT 1024u

static uint64_t slice, warp, second; /* TSC ticks; set when the first vcpu comes */

static void set_rate(uint64_t khz)
{
	slice = SCHED_SLICE_US * khz / 1000;
	warp = SCHED_WARP_US * khz / 1000;
	second = khz * 1000;
}

void sched_init(struct cpu *cpu)
{
	struct sched *sched = &scheds[cpu->id];

	memset(sched, 0, sizeof(*sched));
	sched->cpu = cpu;
	sched->next_deadline = UINT64_MAX;
	cpu->sched = sched;
}

/* A vcpu may move while one waits for the lock of its home. */
static struct sched *lock_home(const struct vcpu *vcpu)
{
	for (;;) {
		struct sched *home = __atomic_load_n(&vcpu->home, __ATOMIC_ACQUIRE);

		lock_acquire(&home->lock);
		if (home == __atomic_load_n(&vcpu->home, __ATOMIC_RELAXED)) {
			return home;
		}
		lock_release(&home->lock);
	}
}

static void add_at_home(struct sched *sched, struct vcpu *vcpu)
{
	BH_CHECK(sched->timer_count < ARRAY_SIZE(sched->timers));
	sched->timers[sched->timer_count++] = vcpu;
}

static void remove_at_home(struct sched *sched, const struct vcpu *vcpu)
{
	for (uint32_t i = 0; i < sched->timer_count; i++) {
		if (sched->timers[i] == vcpu) {
			sched->timers[i] = sched->timers[--sched->timer_count];
			return;
		}
	}
}

static struct sched *choose_home(const struct vcpu *vcpu)
{
	struct sched *best = &scheds[0];
	uint32_t least = UINT32_MAX;

	if (vcpu->pinned) {
		return &scheds[vcpu->id];
	}
	for (unsigned i = 0; i < cpu_count(); i++) {
		uint32_t count;

		lock_acquire(&scheds[i].lock);
		count = scheds[i].timer_count;
		lock_release(&scheds[i].lock);
		if (count < least) {
			least = count;
			best = &scheds[i];
		}
	}
	return best;
}

void sched_attach(struct vcpu *vcpu)
{
	struct sched *sched = choose_home(vcpu);

	if (!slice) {
		set_rate(tsc_khz());
	}
	lock_acquire(&sched->lock);
	vcpu->home = sched;
	vcpu->vtime = sched->vtime_floor;
	add_at_home(sched, vcpu);
	lock_release(&sched->lock);
}

void sched_detach(struct vcpu *vcpu)
{
	struct sched *sched = lock_home(vcpu);

	BH_CHECK(vcpu->place == SCHED_OFF);
	remove_at_home(sched, vcpu);
	lock_release(&sched->lock);
}

/* 0, or the partition has used up its cap and this is when to look again. A new policy may end that early. */
static uint64_t held(const struct part *part, uint64_t now)
{
	uint64_t until = __atomic_load_n(&part->held_until, __ATOMIC_RELAXED);

	return until > now && gate_get(part, cap) ? MIN(until, now + slice) : 0;
}

static void charge_cap(struct part *part, uint64_t start, uint64_t ran)
{
	uint64_t until = __atomic_load_n(&part->held_until, __ATOMIC_RELAXED);
	uint32_t cap = gate_get(part, cap);

	while (cap && !__atomic_compare_exchange_n(&part->held_until, &until,
						   MAX(until, start) + ran * 100 / cap, false,
						   __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
	}
}

/* A small cap is spent in small pieces. */
static uint64_t slice_of(const struct vcpu *vcpu)
{
	uint32_t cap = gate_get(vcpu->part, cap);

	return cap && cap < 100 ? MAX(slice * cap / 100, slice / 10) : slice;
}

static void set_movable(struct sched *sched, uint32_t count)
{
	__atomic_store_n(&sched->movable, count, __ATOMIC_SEQ_CST);
}

/* Others may take somebody who waits there. A hint, but not for who has the lock. */
static bool is_movable(const struct sched *sched)
{
	return __atomic_load_n(&sched->movable, __ATOMIC_SEQ_CST);
}

static bool is_resched(const struct sched *sched)
{
	return __atomic_load_n(&sched->resched, __ATOMIC_SEQ_CST);
}

static void set_resched(struct sched *sched)
{
	__atomic_store_n(&sched->resched, true, __ATOMIC_SEQ_CST);
}

/* Queues the vcpu at its home, which is locked. */
static void insert(struct sched *sched, struct vcpu *vcpu)
{
	const struct vcpu *current = sched->cpu->current;
	struct vcpu **at = &sched->queue;

	if (vcpu->vtime + warp < sched->vtime_floor) {
		vcpu->vtime = sched->vtime_floor - warp;
	}
	while (*at && (*at)->vtime <= vcpu->vtime) {
		at = &(*at)->next;
	}
	vcpu->next = *at;
	*at = vcpu;
	vcpu->place = SCHED_QUEUED;
	if (!vcpu->pinned) {
		set_movable(sched, sched->movable + 1);
	}
	if (current && vcpu->vtime < current->vtime) {
		set_resched(sched);
	}
}

/* Takes *at off the queue, which is locked. */
static struct vcpu *take(struct sched *sched, struct vcpu **at, enum sched_place place)
{
	struct vcpu *vcpu = *at;

	*at = vcpu->next;
	vcpu->place = place;
	if (!vcpu->pinned) {
		set_movable(sched, sched->movable - 1);
	}
	return vcpu;
}

/* Somebody waits here: one CPU that sleeps shall come and take it. */
static void offer(const struct sched *busy)
{
	for (unsigned i = 0; i < cpu_count(); i++) {
		if (&scheds[i] != busy && __atomic_load_n(&scheds[i].idle, __ATOMIC_SEQ_CST)) {
			kick(&cpus[i]);
			return;
		}
	}
}

static bool is_idle(const struct sched *sched)
{
	return __atomic_load_n(&sched->idle, __ATOMIC_SEQ_CST);
}

void sched_wake(struct vcpu *vcpu)
{
	struct sched *sched = lock_home(vcpu);
	bool look = false, waits = false;

	if (vcpu->place == SCHED_OFF && part_runs(vcpu->part)) {
		insert(sched, vcpu);
		look = is_idle(sched) || (is_resched(sched) && kick_in_guest(sched->cpu));
		waits = !look && sched->movable && sched->cpu->current && cpu_count() > 1;
	} else if (vcpu->place == SCHED_RUNNING) {
		look = kick_in_guest(sched->cpu);
	}
	lock_release(&sched->lock);
	if (look) {
		kick(sched->cpu);
	}
	if (waits) {
		offer(sched);
	}
}

/* The registers of the loaded vcpu leave the CPU. One that cannot move leaves its hardware state there. */
static void put_away(struct sched *sched)
{
	struct vcpu *vcpu = sched->loaded;

	sched->loaded = NULL;
	vcpu_save(vcpu);
	if (!vcpu->pinned && cpu_count() > 1) {
		backend->unload(vcpu);
	}
	__atomic_store_n(&vcpu->loaded, false, __ATOMIC_RELEASE);
}

bool sched_expel(struct vcpu *vcpu)
{
	struct sched *sched = lock_home(vcpu);
	bool off, look;

	for (struct vcpu **at = &sched->queue; *at; at = &(*at)->next) {
		if (*at == vcpu) {
			(void)take(sched, at, SCHED_OFF);
			break;
		}
	}
	vcpu->place = vcpu->place == SCHED_HELD ? SCHED_OFF : vcpu->place;
	if (sched->cpu == cpu_this() && sched->loaded == vcpu && vcpu->place == SCHED_OFF) {
		put_away(sched);
	}
	off = vcpu->place == SCHED_OFF && !__atomic_load_n(&vcpu->loaded, __ATOMIC_ACQUIRE);
	look = !off && (is_idle(sched) || kick_in_guest(sched->cpu));
	lock_release(&sched->lock);
	if (look) {
		kick(sched->cpu);
	}
	return off;
}

void sched_deadline(struct vcpu *vcpu, uint64_t tsc)
{
	struct sched *sched = cpu_this()->sched;

	if (tsc < sched->next_deadline) {
		sched->next_deadline = tsc;
	}
}

/* Who may run queues at its home, which is locked. Who was asked something since it last looked goes on. */
static void insert_ready(struct sched *sched, struct vcpu *vcpu)
{
	vcpu->place = SCHED_OFF;
	if (part_runs(vcpu->part) &&
	    (vcpu->state == VCPU_RUNNABLE || __atomic_load_n(&vcpu->requests, __ATOMIC_RELAXED))) {
		insert(sched, vcpu);
	}
}

void sched_expire_due(uint64_t now)
{
	struct sched *sched = cpu_this()->sched;
	uint64_t next = UINT64_MAX;

	lock_acquire(&sched->lock);
	for (uint32_t i = 0; i < sched->timer_count; i++) {
		struct vcpu *vcpu = sched->timers[i];
		uint64_t deadline = vcpu->lapic.deadline;
		uint64_t look = vcpu->place == SCHED_HELD ? held(vcpu->part, now) : 0;

		if (look) {
			next = MIN(next, look);
		} else if (vcpu->place == SCHED_HELD) {
			insert_ready(sched, vcpu);
		}
		if (deadline == 0) {
			continue;
		}
		if (deadline > now) {
			next = MIN(next, deadline);
			continue;
		}
		/* One that is paused finds it when it goes on. */
		__atomic_fetch_or(&vcpu->requests, VCPU_REQ_TIMER, __ATOMIC_SEQ_CST);
		if (vcpu->place == SCHED_OFF && part_runs(vcpu->part)) {
			insert(sched, vcpu);
		}
	}
	sched->next_deadline = next;
	lock_release(&sched->lock);
}

void sched_slice_over(struct vcpu *vcpu, bool interrupts_on, uint64_t now)
{
	set_resched(cpu_this()->sched);
	if (interrupts_on) {
		vcpu->closed_since = 0;
	} else if (vcpu->closed_since == 0) {
		vcpu->closed_since = now;
	} else if (vcpu->closed_since <= now && now - vcpu->closed_since >= second) {
		log_notice("sched",
			   "%s: vcpu %u keeps its interrupts off, slowed to its share, rip 0x%llx",
			   vcpu->part->policy->name, vcpu->id,
			   (unsigned long long)backend->read(vcpu, BACKEND_RIP));
		vcpu->closed_since = UINT64_MAX;
	}
}

/* Charges the time since `start` to the vcpu, and moves the floor that late-comers start from. */
static void charge(struct sched *sched, struct vcpu *vcpu, uint64_t start, uint64_t now)
{
	uint64_t ran = now - start;

	count_add(&vcpu->stats.run_tsc, ran);
	charge_cap(vcpu->part, start, ran);
	vcpu->vtime += ran * WEIGHT_UNIT / gate_get(vcpu->part, weight);
	if (vcpu->vtime > sched->vtime_floor) {
		uint64_t least = vcpu->vtime;

		if (sched->queue && sched->queue->vtime < least) {
			least = sched->queue->vtime;
		}
		if (least > sched->vtime_floor) {
			sched->vtime_floor = least;
		}
	}
}

static void set_current(struct sched *sched, struct vcpu *vcpu)
{
	sched->cpu->current = vcpu;
	__atomic_store_n(&sched->resched, false, __ATOMIC_RELAXED);
}

/* The turn of the vcpu is over. */
static void put_back(struct sched *sched, struct vcpu *vcpu, uint64_t start, uint64_t now)
{
	charge(sched, vcpu, start, now);
	sched->cpu->current = NULL;
	insert_ready(sched, vcpu);
}

/* Who goes first on this CPU, after `last`, if anybody. Who may not run any more leaves the queue here. */
static struct vcpu *choose(struct sched *sched, struct vcpu *last, uint64_t start, uint64_t now)
{
	struct vcpu *vcpu = NULL;

	lock_acquire(&sched->lock);
	if (last) {
		put_back(sched, last, start, now);
	}
	while (sched->queue && !vcpu) {
		bool runs = part_runs(sched->queue->part);
		struct vcpu *first = take(sched, &sched->queue, runs ? SCHED_RUNNING : SCHED_OFF);
		uint64_t look = runs ? held(first->part, now) : 0;

		vcpu = runs && !look ? first : NULL;
		if (look) {
			first->place = SCHED_HELD;
			sched_deadline(first, look);
		}
	}
	if (vcpu) {
		set_current(sched, vcpu);
	}
	lock_release(&sched->lock);
	return vcpu;
}

/* From the queue of another CPU; it belongs to this one from now on. */
static struct vcpu *take_from(struct sched *from, struct sched *self)
{
	struct vcpu **at = &from->queue, *vcpu = NULL;

	lock_acquire(&from->lock);
	while (*at && !vcpu) {
		if (!part_runs((*at)->part)) {
			(void)take(from, at, SCHED_OFF); /* or we would look at it for ever */
		} else if ((*at)->pinned || __atomic_load_n(&(*at)->loaded, __ATOMIC_ACQUIRE)) {
			at = &(*at)->next;
		} else {
			vcpu = take(from, at, SCHED_RUNNING);
		}
	}
	if (vcpu) {
		remove_at_home(from, vcpu);
		/* How far it is behind the others moves with it. */
		vcpu->vtime -= MIN(vcpu->vtime, from->vtime_floor);
		__atomic_store_n(&vcpu->home, self, __ATOMIC_RELEASE);
	}
	lock_release(&from->lock);
	return vcpu;
}

static struct sched *other(const struct sched *self, unsigned i)
{
	return &scheds[(self->cpu->id + i) % cpu_count()];
}

/* Who sleeps there was called, and takes it itself, or offers what it leaves: more hands only fight for the
 * lock. */
static bool has_for_others(const struct sched *from)
{
	return is_movable(from) && !is_idle(from);
}

/* Queues somebody here who waits elsewhere. */
static bool pull(struct sched *self)
{
	struct vcpu *vcpu = NULL;

	for (unsigned i = 1; i < cpu_count() && !vcpu; i++) {
		if (has_for_others(other(self, i))) {
			vcpu = take_from(other(self, i), self);
		}
	}
	if (vcpu) {
		lock_acquire(&self->lock);
		add_at_home(self, vcpu);
		vcpu->vtime += self->vtime_floor;
		insert(self, vcpu);
		lock_release(&self->lock);
	}
	return vcpu;
}

static bool can_pull(const struct sched *self)
{
	for (unsigned i = 1; i < cpu_count(); i++) {
		if (has_for_others(other(self, i))) {
			return true;
		}
	}
	return false;
}

/* Who queues something here or for others after `idle` was set sends an interrupt, which ends the sleep. */
static void idle(struct sched *sched)
{
	uint64_t start = insn_rdtsc();
	bool sleep;

	lock_acquire(&sched->lock);
	sleep = !sched->queue;
	__atomic_store_n(&sched->idle, sleep, __ATOMIC_SEQ_CST);
	lock_release(&sched->lock);
	if (sleep && !can_pull(sched)) {
		if (sched->next_deadline != UINT64_MAX) {
			lapic_timer_arm(sched->next_deadline);
		}
		insn_wait();
		lapic_timer_stop();
	}
	__atomic_store_n(&sched->idle, false, __ATOMIC_SEQ_CST);
	sched->idle_tsc += insn_rdtsc() - start;
}

static void load(struct sched *sched, struct vcpu *vcpu)
{
	if (vcpu == sched->loaded) {
		return;
	}
	if (sched->loaded) {
		put_away(sched);
	}
	if (vcpu->last_cpu != sched->cpu) {
		vcpu->last_cpu = sched->cpu;
		vcpu->tlb_gen = 0; /* what this CPU has cached of it is of another time */
	}
	__atomic_store_n(&vcpu->loaded, true, __ATOMIC_RELAXED);
	vcpu_load(vcpu);
	count_add(&vcpu->stats.switches, 1);
	sched->loaded = vcpu;
}

BH_NORETURN void sched_run(void)
{
	struct sched *sched = cpu_this()->sched;
	struct vcpu *vcpu = NULL;
	uint64_t start = 0;

	for (;;) {
		uint64_t now = insn_rdtsc();

		sched_expire(now);
		if (sched->loaded && !part_runs(sched->loaded->part)) {
			put_away(sched);
		}
		vcpu = choose(sched, vcpu, start, now);
		if (!vcpu && pull(sched)) {
			vcpu = choose(sched, NULL, 0, now);
		}
		if (!vcpu) {
			idle(sched);
			continue;
		}
		if (is_movable(sched) && cpu_count() > 1) {
			offer(sched);
		}
		load(sched, vcpu);
		if (vcpu->lapic.deadline) {
			sched_deadline(vcpu, vcpu->lapic.deadline);
		}
		sched->slice_end = now + slice_of(vcpu);
		start = now;
		vcpu_run(vcpu);
	}
}
