/* SPDX-License-Identifier: Apache-2.0 */
/** Privileged instructions for host tests: all state is in insn_fake. */
#include <stdlib.h>
#include <string.h>

#include "cpu/percpu.h"
#include "insn_fake.h"

#define COM1 0x3f8

struct insn_fake insn_fake = {.tsc_step = 1};

void insn_fake_reset(void)
{
	memset(&insn_fake, 0, sizeof(insn_fake));
	insn_fake.tsc_step = 1;
}

void insn_fake_set_cpuid(uint32_t leaf, uint32_t sub, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	unsigned i = 0;

	while (i < insn_fake.cpuid_count &&
	       (insn_fake.cpuid[i].leaf != leaf || insn_fake.cpuid[i].sub != sub)) {
		i++;
	}
	if (i == INSN_FAKE_MAX) {
		abort();
	}
	insn_fake.cpuid[i].leaf = leaf;
	insn_fake.cpuid[i].sub = sub;
	insn_fake.cpuid[i].regs = (struct cpuid_regs){a, b, c, d};
	insn_fake.cpuid_count = i == insn_fake.cpuid_count ? i + 1 : insn_fake.cpuid_count;
}

static uint64_t *find_msr(uint32_t msr)
{
	for (unsigned i = 0; i < insn_fake.msr_count; i++) {
		if (insn_fake.msr[i].number == msr) {
			return &insn_fake.msr[i].value;
		}
	}
	return NULL;
}

void insn_fake_set_msr(uint32_t msr, uint64_t value)
{
	uint64_t *at = find_msr(msr);

	if (!at) {
		if (insn_fake.msr_count == INSN_FAKE_MAX) {
			abort();
		}
		insn_fake.msr[insn_fake.msr_count].number = msr;
		at = &insn_fake.msr[insn_fake.msr_count++].value;
	}
	*at = value;
}

uint64_t insn_rdmsr(uint32_t msr)
{
	uint64_t *at = find_msr(msr);

	return at ? *at : 0;
}

void insn_wrmsr(uint32_t msr, uint64_t value)
{
	insn_fake_set_msr(msr, value);
}

int insn_rdmsr_safe(uint32_t msr, uint64_t *ret_value)
{
	if (!find_msr(msr)) {
		return -BH_NOSUPP;
	}
	*ret_value = insn_rdmsr(msr);
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

#define FAKE_CR(n)                                                                                 \
	uint64_t insn_read_cr##n(void)                                                             \
	{                                                                                          \
		return insn_fake.cr[n];                                                            \
	}                                                                                          \
                                                                                                   \
	void insn_write_cr##n(uint64_t value)                                                      \
	{                                                                                          \
		insn_fake.cr[n] = value;                                                           \
	}
FAKE_CR(0)
FAKE_CR(2)
FAKE_CR(3)
FAKE_CR(4)

uint64_t insn_read_dr(unsigned n)
{
	return insn_fake.dr[n];
}

void insn_write_dr(unsigned n, uint64_t value)
{
	insn_fake.dr[n] = value;
}

uint64_t insn_rdtsc(void)
{
	uint64_t now = insn_fake.tsc;

	insn_fake.tsc += insn_fake.tsc_step;
	return now;
}

void insn_cpuid(uint32_t leaf, uint32_t sub, struct cpuid_regs *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned i = 0; i < insn_fake.cpuid_count; i++) {
		if (insn_fake.cpuid[i].leaf == leaf && insn_fake.cpuid[i].sub == sub) {
			*ret = insn_fake.cpuid[i].regs;
		}
	}
}

static uint32_t port_in(uint16_t port, unsigned size)
{
	if (port >= COM1 && port < COM1 + 8) {
		return port == COM1 + 5 ? 0x20 : insn_fake.com1[port - COM1];
	}
	return insn_fake.in ? insn_fake.in(port, size) : 0xffffffffu;
}

static void port_out(uint16_t port, unsigned size, uint32_t value)
{
	if (port >= COM1 && port < COM1 + 8) {
		insn_fake.com1[port - COM1] = (uint8_t)value;
		if (port == COM1 && !(insn_fake.com1[3] & 0x80) &&
		    insn_fake.console_used < sizeof(insn_fake.console) - 1) {
			insn_fake.console[insn_fake.console_used++] = (char)value;
		}
	} else if (insn_fake.out) {
		insn_fake.out(port, size, value);
	}
}

uint8_t insn_in8(uint16_t port)
{
	return (uint8_t)port_in(port, 1);
}

uint32_t insn_in32(uint16_t port)
{
	return port_in(port, 4);
}

void insn_out8(uint16_t port, uint8_t value)
{
	port_out(port, 1, value);
}

void insn_out32(uint16_t port, uint32_t value)
{
	port_out(port, 4, value);
}

/* A machine in which no device answers there reads all ones. */
static uint64_t mmio_in(hpa_t at, unsigned size)
{
	return insn_fake.mmio_in ? insn_fake.mmio_in(at.v, size) : ~0ull;
}

uint32_t insn_mmio_read32(hpa_t at)
{
	return (uint32_t)mmio_in(at, 4);
}

uint64_t insn_mmio_read64(hpa_t at)
{
	return mmio_in(at, 8);
}

void insn_mmio_write32(hpa_t at, uint32_t value)
{
	if (insn_fake.mmio_out) {
		insn_fake.mmio_out(at.v, 4, value);
	}
}

void insn_mmio_write64(hpa_t at, uint64_t value)
{
	if (insn_fake.mmio_out) {
		insn_fake.mmio_out(at.v, 8, value);
	}
}

void insn_stop(void)
{
	if (!insn_fake.stop_armed) {
		abort();
	}
	longjmp(insn_fake.on_stop, 1);
}

void insn_xsetbv(uint32_t index, uint64_t value)
{
	(void)index;
	insn_fake.xcr0 = value;
}

uint64_t insn_xgetbv(uint32_t index)
{
	(void)index;
	return insn_fake.xcr0;
}

struct cpu *insn_this_cpu(void)
{
	return &cpus[0];
}

/* Instructions whose effect no test looks at. */
void insn_cli(void)
{
}

void insn_wait(void)
{
}

void insn_irq_window(void)
{
	if (insn_fake.window) {
		insn_fake.window();
	}
}

void insn_pause(void)
{
}

void insn_fence(void)
{
}

void insn_xsave(void *area, uint64_t mask)
{
	(void)area;
	(void)mask;
}

void insn_xrstor(const void *area, uint64_t mask)
{
	(void)area;
	(void)mask;
}

void insn_lgdt(const struct desc_ptr *ptr)
{
	(void)ptr;
}

void insn_lidt(const struct desc_ptr *ptr)
{
	(void)ptr;
}

void insn_ltr(uint16_t selector)
{
	(void)selector;
}

void insn_load_segments(uint16_t code, uint16_t data)
{
	(void)code;
	(void)data;
}

void insn_wbinvd(void)
{
}

void insn_clflush(const void *at)
{
	(void)at;
}
