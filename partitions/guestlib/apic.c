/* SPDX-License-Identifier: Apache-2.0 */
/** Local APIC of a test kernel. Source: SDM 3A, "Advanced Programmable Interrupt Controller (APIC)". */
#include "guest.h"

#define APIC_BASE_ENABLE (1ull << 11)
#define APIC_BASE_X2     (1ull << 10)
#define APIC_MSR         0x800u
#define APIC_PAGE        0xfee00000ull
#define SVR_ENABLE       0x100u
#define ICR_BUSY         (1u << 12)

static bool x2;

void apic_init(void)
{
	uint64_t base = cpu_rdmsr(MSR_APIC_BASE);

	x2 = (cpu_cpuid(1, 0).ecx & 1u << 21) != 0;
	if (x2 && (base & APIC_BASE_X2) == 0) {
		cpu_wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE | APIC_BASE_X2);
	}
	apic_write(APIC_SVR, SVR_ENABLE | 0xff);
	apic_write(APIC_TPR, 0);
}

bool apic_is_x2(void)
{
	return x2;
}

uint32_t apic_read(uint32_t reg)
{
	if (x2) {
		return (uint32_t)cpu_rdmsr(APIC_MSR + reg);
	}
	return *(volatile uint32_t *)(APIC_PAGE + reg * 16u);
}

void apic_write(uint32_t reg, uint32_t value)
{
	if (x2) {
		cpu_wrmsr(APIC_MSR + reg, value);
	} else {
		*(volatile uint32_t *)(APIC_PAGE + reg * 16u) = value;
	}
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_ipi(uint32_t dest, uint32_t what)
{
	if (x2) {
		cpu_wrmsr(APIC_MSR + APIC_ICR, (uint64_t)dest << 32 | what);
		return;
	}
	while ((apic_read(APIC_ICR) & ICR_BUSY) != 0) {
	}
	apic_write(APIC_ICR + 1, dest << 24);
	apic_write(APIC_ICR, what);
}

void apic_self_ipi(uint8_t vector)
{
	if (x2) {
		apic_write(APIC_SELF_IPI, vector);
	} else {
		apic_ipi(0, APIC_ICR_SELF | APIC_ICR_ASSERT | vector);
	}
}

bool apic_vector_bit(uint32_t first_reg, uint8_t vector)
{
	return (apic_read(first_reg + vector / 32u) >> (vector % 32u) & 1u) != 0;
}
