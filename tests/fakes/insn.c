/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the state of the CPU under a host test; the other half of hv/cpu/insn.h. */
#include "fake_cpu.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/err.h"

struct fake_cpu fake_cpu;

static jmp_buf stopped;
static bool catching;

void fake_cpu_init(void)
{
	memset(&fake_cpu, 0, sizeof(fake_cpu));
	memset(cpus, 0, sizeof(cpus));
	fake_cpu.tsc = 1000;
	fake_cpu.tsc_step = 1;
	fake_cpu.cr0 = 0x80000011;
	fake_cpu.xcr0 = 1;
	cpus[0].self = &cpus[0];
}

static struct fake_msr *find_msr(uint32_t index)
{
	for (unsigned i = 0; i < fake_cpu.msr_count; i++) {
		if (fake_cpu.msr[i].index == index) {
			return &fake_cpu.msr[i];
		}
	}
	return NULL;
}

static struct fake_msr *make_msr(uint32_t index)
{
	struct fake_msr *msr = find_msr(index);

	if (!msr) {
		if (fake_cpu.msr_count == FAKE_MSR_MAX) {
			abort();
		}
		msr = &fake_cpu.msr[fake_cpu.msr_count++];
		*msr = (struct fake_msr){.index = index};
	}
	return msr;
}

void fake_msr_set(uint32_t index, uint64_t value)
{
	make_msr(index)->value = value;
}

uint64_t fake_msr_get(uint32_t index)
{
	struct fake_msr *msr = find_msr(index);

	return msr ? msr->value : 0;
}

void fake_cpuid_set(uint32_t leaf, uint32_t sub, uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	if (fake_cpu.cpuid_count == FAKE_CPUID_MAX) {
		abort();
	}
	fake_cpu.cpuid[fake_cpu.cpuid_count++] = (struct fake_cpuid){leaf, sub, {eax, ebx, ecx, edx}};
}

bool fake_stops(void (*code)(void))
{
	bool stops = setjmp(stopped) != 0;

	if (!stops) {
		catching = true;
		code();
	}
	catching = false;
	return stops;
}

uint64_t insn_rdmsr(uint32_t msr)
{
	return fake_msr_get(msr);
}

void insn_wrmsr(uint32_t msr, uint64_t value)
{
	struct fake_msr *m = make_msr(msr);

	m->value = value;
	m->writes++;
}

int insn_rdmsr_safe(uint32_t msr, uint64_t *ret_value)
{
	struct fake_msr *m = find_msr(msr);

	if (!m) {
		return -BH_NOSUPP;
	}
	*ret_value = m->value;
	return 0;
}

int insn_wrmsr_safe(uint32_t msr, uint64_t value)
{
	if (!find_msr(msr)) {
		return -BH_NOSUPP;
	}
	insn_wrmsr(msr, value);
	return 0;
}

uint64_t insn_read_cr0(void)
{
	return fake_cpu.cr0;
}

uint64_t insn_read_cr2(void)
{
	return fake_cpu.cr2;
}

uint64_t insn_read_cr3(void)
{
	return fake_cpu.cr3;
}

uint64_t insn_read_cr4(void)
{
	return fake_cpu.cr4;
}

void insn_write_cr0(uint64_t value)
{
	fake_cpu.cr0 = value;
}

void insn_write_cr2(uint64_t value)
{
	fake_cpu.cr2 = value;
}

void insn_write_cr3(uint64_t value)
{
	fake_cpu.cr3 = value;
}

void insn_write_cr4(uint64_t value)
{
	fake_cpu.cr4 = value;
}

uint64_t insn_read_dr(unsigned n)
{
	return fake_cpu.dr[n & 7];
}

void insn_write_dr(unsigned n, uint64_t value)
{
	fake_cpu.dr[n & 7] = value;
}

uint64_t insn_rdtsc(void)
{
	uint64_t now = fake_cpu.tsc;

	fake_cpu.tsc += fake_cpu.tsc_step;
	return now;
}

void insn_cpuid(uint32_t leaf, uint32_t sub, struct cpuid_regs *ret)
{
	*ret = (struct cpuid_regs){0};
	for (unsigned i = 0; i < fake_cpu.cpuid_count; i++) {
		if (fake_cpu.cpuid[i].leaf == leaf && fake_cpu.cpuid[i].sub == sub) {
			*ret = fake_cpu.cpuid[i].regs;
		}
	}
}

static uint32_t in(uint16_t port)
{
	return fake_cpu.in ? fake_cpu.in(port) : UINT32_MAX;
}

static void out(uint16_t port, uint32_t value)
{
	if (fake_cpu.out_count < FAKE_OUT_MAX) {
		fake_cpu.out[fake_cpu.out_count].port = port;
		fake_cpu.out[fake_cpu.out_count++].value = value;
	}
}

uint8_t insn_in8(uint16_t port)
{
	return (uint8_t)in(port);
}

uint16_t insn_in16(uint16_t port)
{
	return (uint16_t)in(port);
}

uint32_t insn_in32(uint16_t port)
{
	return in(port);
}

void insn_out8(uint16_t port, uint8_t value)
{
	out(port, value);
}

void insn_out16(uint16_t port, uint16_t value)
{
	out(port, value);
}

void insn_out32(uint16_t port, uint32_t value)
{
	out(port, value);
}

const char *fake_console_text(void)
{
	static char text[FAKE_OUT_MAX + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < fake_cpu.out_count; i++) {
		if (fake_cpu.out[i].port == 0x3f8) {
			text[n++] = (char)fake_cpu.out[i].value;
		}
	}
	text[n] = 0;
	return text;
}

void insn_cli(void)
{
}

void insn_sti(void)
{
}

void insn_wait(void)
{
	fake_cpu.waits++;
	if (fake_cpu.on_wait) {
		fake_cpu.on_wait();
	}
}

void insn_pause(void)
{
}

BH_NORETURN void insn_stop(void)
{
	if (!catching) {
		fputs("root mode stopped outside fake_stops\n", stderr);
		abort();
	}
	longjmp(stopped, 1);
}

void insn_xsave(void *area, uint64_t mask)
{
	memcpy(area, &mask, sizeof(mask));
}

void insn_xrstor(const void *area, uint64_t mask)
{
}

uint64_t insn_xgetbv(uint32_t index)
{
	return fake_cpu.xcr0;
}

void insn_xsetbv(uint32_t index, uint64_t value)
{
	fake_cpu.xcr0 = value;
}

void insn_lgdt(const struct desc_ptr *ptr)
{
}

void insn_lidt(const struct desc_ptr *ptr)
{
}

void insn_ltr(uint16_t selector)
{
}

void insn_load_segments(uint16_t code, uint16_t data)
{
}

void insn_wbinvd(void)
{
	fake_cpu.wbinvds++;
}

struct cpu *insn_this_cpu(void)
{
	return &cpus[0];
}
