/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the state of the machine that insn_threads.h describes; one mutex a CPU. */
#include "insn_threads.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cpu/cpuid.h"
#include "cpu/msr.h"
#include "cpu/trap.h"
#include "irq/lapic.h"

static struct line {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool kick;
	uint64_t deadline; /* of the timer, 0: not armed; its own CPU's */
	int64_t skew;
} lines[CPU_MAX];
static _Thread_local struct cpu *self;
static bool stopping;

void threads_reset(void)
{
	__atomic_store_n(&stopping, false, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < CPU_MAX; i++) {
		pthread_mutex_init(&lines[i].mutex, NULL);
		pthread_cond_init(&lines[i].cond, NULL);
		lines[i].kick = false;
		lines[i].deadline = 0;
		lines[i].skew = 0;
	}
}

void threads_become(struct cpu *cpu)
{
	self = cpu;
}

void threads_skew(unsigned cpu, int64_t ticks)
{
	lines[cpu].skew = ticks;
}

static void raise(unsigned cpu)
{
	pthread_mutex_lock(&lines[cpu].mutex);
	lines[cpu].kick = true;
	pthread_cond_signal(&lines[cpu].cond);
	pthread_mutex_unlock(&lines[cpu].mutex);
}

void threads_stop(void)
{
	__atomic_store_n(&stopping, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < CPU_MAX; i++) {
		raise(i);
	}
}

bool threads_stopping(void)
{
	return __atomic_load_n(&stopping, __ATOMIC_SEQ_CST);
}

static struct line *mine(void)
{
	return &lines[self->id];
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	/* Far enough from 0 for a CPU that is behind, on a PC that has just started. */
	return ((uint64_t)now.tv_sec + 1000) * 1000000000 + (uint64_t)now.tv_nsec;
}

void threads_end(void)
{
	if (threads_stopping()) {
		pthread_exit(NULL);
	}
}

uint64_t insn_rdtsc(void)
{
	return clock_ns() + (uint64_t)mine()->skew;
}

void threads_yield(void)
{
	static _Thread_local unsigned skip;
	uint64_t begin;

	if (skip > 0) {
		skip--;
		return;
	}
	begin = clock_ns();
	sched_yield();
	skip = clock_ns() - begin > 1000000 ? 200 : 0;
}

static bool timer_due(void)
{
	return mine()->deadline && insn_rdtsc() >= mine()->deadline;
}

bool threads_irq_pending(void)
{
	bool kick;

	pthread_mutex_lock(&mine()->mutex);
	kick = mine()->kick;
	pthread_mutex_unlock(&mine()->mutex);
	return kick || timer_due();
}

void threads_take_irqs(void)
{
	bool kick;

	pthread_mutex_lock(&mine()->mutex);
	kick = mine()->kick;
	mine()->kick = false;
	pthread_mutex_unlock(&mine()->mutex);
	if (kick) {
		irq_handle(IRQ_VECTOR_KICK);
	}
	if (timer_due()) {
		mine()->deadline = 0;
		irq_handle(IRQ_VECTOR_TIMER);
	}
}

void insn_wait(void)
{
	struct line *line = mine();
	uint64_t until = line->deadline ? line->deadline : clock_ns() + 100000000;
	struct timespec at;

	for (unsigned i = 0; i < 200 && !threads_irq_pending(); i++) {
		threads_yield(); /* a CPU wakes faster than a thread does */
	}
	clock_gettime(CLOCK_REALTIME, &at);
	until = until > clock_ns() ? until - clock_ns() : 0;
	until += (uint64_t)at.tv_nsec;
	at.tv_sec += (time_t)(until / 1000000000);
	at.tv_nsec = (long)(until % 1000000000);
	pthread_mutex_lock(&line->mutex);
	/* Without a deadline it sleeps until somebody kicks it, however long. */
	while (!line->kick && !threads_stopping() &&
	       (line->deadline ? pthread_cond_timedwait(&line->cond, &line->mutex, &at) != ETIMEDOUT
			       : pthread_cond_wait(&line->cond, &line->mutex) == 0)) {
	}
	pthread_mutex_unlock(&line->mutex);
	if (threads_stopping()) {
		pthread_exit(NULL);
	}
	threads_take_irqs();
}

uint64_t insn_rdmsr(uint32_t msr)
{
	(void)msr;
	return 0;
}

void insn_wrmsr(uint32_t msr, uint64_t value)
{
	if (msr == MSR_IA32_X2APIC_FIRST + 0x30) {
		raise((unsigned)(value >> 32));
	} else if (msr == MSR_IA32_TSC_DEADLINE) {
		mine()->deadline = value;
	}
}

void insn_cpuid(uint32_t leaf, uint32_t sub, struct cpuid_regs *ret)
{
	(void)sub;
	memset(ret, 0, sizeof(*ret));
	if (leaf == 0) {
		ret->eax = 1;
	} else if (leaf == 1) {
		ret->ecx = CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE;
		ret->edx = CPUID_1_EDX_APIC;
	}
}

struct cpu *insn_this_cpu(void)
{
	return self;
}

void insn_pause(void)
{
	if (threads_stopping()) {
		pthread_exit(NULL);
	}
	sched_yield();
}

void insn_stop(void)
{
	fprintf(stderr, "CPU %u stops\n", self->id);
	abort();
}

int insn_rdmsr_safe(uint32_t msr, uint64_t *ret_value)
{
	(void)msr;
	*ret_value = 0;
	return 0;
}

int insn_wrmsr_safe(uint32_t msr, uint64_t value)
{
	insn_wrmsr(msr, value);
	return 0;
}

/* There is no port, and what goes to the console is lost. */
uint8_t insn_in8(uint16_t port)
{
	(void)port;
	return 0xff;
}

uint32_t insn_in32(uint16_t port)
{
	(void)port;
	return UINT32_MAX;
}

#define IGNORE(name, ...)                                                                          \
	void name(__VA_ARGS__)                                                                     \
	{                                                                                          \
	}
#define READ_0(type, name, ...)                                                                    \
	type name(__VA_ARGS__)                                                                     \
	{                                                                                          \
		return 0;                                                                          \
	}
IGNORE(insn_out8, uint16_t port, uint8_t value)
IGNORE(insn_out32, uint16_t port, uint32_t value)
IGNORE(insn_write_cr0, uint64_t value)
IGNORE(insn_write_cr2, uint64_t value)
IGNORE(insn_write_cr3, uint64_t value)
IGNORE(insn_write_cr4, uint64_t value)
IGNORE(insn_write_dr, unsigned n, uint64_t value)
IGNORE(insn_mmio_write32, hpa_t at, uint32_t value)
IGNORE(insn_mmio_write64, hpa_t at, uint64_t value)
IGNORE(insn_clflush, const void *at)
IGNORE(insn_cli, void)
IGNORE(insn_fence, void)
IGNORE(insn_irq_window, void)
IGNORE(insn_xsave, void *area, uint64_t mask)
IGNORE(insn_xrstor, const void *area, uint64_t mask)
IGNORE(insn_xsetbv, uint32_t index, uint64_t value)
IGNORE(insn_lgdt, const struct desc_ptr *ptr)
IGNORE(insn_lidt, const struct desc_ptr *ptr)
IGNORE(insn_ltr, uint16_t selector)
IGNORE(insn_load_segments, uint16_t code, uint16_t data)
IGNORE(insn_wbinvd, void)
READ_0(uint64_t, insn_xgetbv, uint32_t index)
READ_0(uint64_t, insn_read_cr0, void)
READ_0(uint64_t, insn_read_cr2, void)
READ_0(uint64_t, insn_read_cr3, void)
READ_0(uint64_t, insn_read_cr4, void)
READ_0(uint64_t, insn_read_dr, unsigned n)
READ_0(uint32_t, insn_mmio_read32, hpa_t at)
READ_0(uint64_t, insn_mmio_read64, hpa_t at)
