/* SPDX-License-Identifier: Apache-2.0 */
/** The only header with privileged instructions (and those that only make sense in root mode).
 *  Host tests compile it to plain prototypes and link tests/fakes/insn.c. */
#ifndef BH_CPU_INSN_H
#define BH_CPU_INSN_H

#include "lib/types.h"

struct cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

/** Operand of LGDT, SGDT, LIDT, SIDT. */
struct desc_ptr {
	uint16_t limit;
	uint64_t base;
} BH_PACKED;

struct cpu;

/** MSR access that survives #GP: 0, or -BH_NOSUPP when the CPU refuses. */
BH_MUST_CHECK int insn_rdmsr_safe(uint32_t msr, uint64_t *ret_value);
BH_MUST_CHECK int insn_wrmsr_safe(uint32_t msr, uint64_t value);

#if __STDC_HOSTED__
#include "insn_host.h" /* tests/fakes: the same names as functions */
#else

static inline uint64_t insn_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (uint64_t)hi << 32 | lo;
}

static inline void insn_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

#define INSN_CR(n)                                                                                 \
	static inline uint64_t insn_read_cr##n(void)                                               \
	{                                                                                          \
		uint64_t value;                                                                    \
                                                                                                   \
		__asm__ volatile("mov %%cr" #n ", %0" : "=r"(value) : : "memory");                 \
		return value;                                                                      \
	}                                                                                          \
                                                                                                   \
	static inline void insn_write_cr##n(uint64_t value)                                        \
	{                                                                                          \
		__asm__ volatile("mov %0, %%cr" #n : : "r"(value) : "memory");                     \
	}
INSN_CR(0)
INSN_CR(2)
INSN_CR(3)
INSN_CR(4)
#undef INSN_CR

/* n is a constant: 0..3 or 6. */
#define insn_read_dr(n)                                                                            \
	({                                                                                         \
		uint64_t value_;                                                                   \
		__asm__ volatile("mov %%dr" #n ", %0" : "=r"(value_));                             \
		value_;                                                                            \
	})
#define insn_write_dr(n, value) __asm__ volatile("mov %0, %%dr" #n : : "r"((uint64_t)(value)))

static inline uint64_t insn_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static inline void insn_cpuid(uint32_t leaf, uint32_t sub, struct cpuid_regs *ret)
{
	__asm__ volatile("cpuid"
			 : "=a"(ret->eax), "=b"(ret->ebx), "=c"(ret->ecx), "=d"(ret->edx)
			 : "a"(leaf), "c"(sub));
}

#define INSN_IO(bits, type)                                                                        \
	static inline type insn_in##bits(uint16_t port)                                            \
	{                                                                                          \
		type value;                                                                        \
                                                                                                   \
		__asm__ volatile("in %1, %0" : "=a"(value) : "Nd"(port) : "memory");               \
		return value;                                                                      \
	}                                                                                          \
                                                                                                   \
	static inline void insn_out##bits(uint16_t port, type value)                               \
	{                                                                                          \
		__asm__ volatile("out %0, %1" : : "a"(value), "Nd"(port) : "memory");              \
	}
INSN_IO(8, uint8_t)
INSN_IO(32, uint32_t)
#undef INSN_IO

/** Registers of a device, mapped by hspace_map_device: one access of exactly that size. */
#define INSN_MMIO(bits, suffix)                                                                    \
	static inline uint##bits##_t insn_mmio_read##bits(hpa_t at)                                \
	{                                                                                          \
		uint##bits##_t value;                                                              \
                                                                                                   \
		__asm__ volatile("mov" suffix " %1, %0"                                            \
				 : "=r"(value)                                                     \
				 : "m"(*(const volatile uint##bits##_t *)hpa_ptr(at))              \
				 : "memory");                                                      \
		return value;                                                                      \
	}                                                                                          \
                                                                                                   \
	static inline void insn_mmio_write##bits(hpa_t at, uint##bits##_t value)                   \
	{                                                                                          \
		__asm__ volatile("mov" suffix " %1, %0"                                            \
				 : "=m"(*(volatile uint##bits##_t *)hpa_ptr(at))                   \
				 : "r"(value)                                                      \
				 : "memory");                                                      \
	}
INSN_MMIO(32, "l")
INSN_MMIO(64, "q")
#undef INSN_MMIO

/** Writes the cache line back to memory, for a reader that does not look into caches. */
static inline void insn_clflush(const void *at)
{
	__asm__ volatile("clflush %0" : : "m"(*(const char *)at) : "memory");
}

#define INSN_PLAIN(name, text)                                                                     \
	static inline void insn_##name(void)                                                       \
	{                                                                                          \
		__asm__ volatile(text : : : "memory");                                             \
	}
INSN_PLAIN(cli, "cli")

/** Sleeps until an interrupt was taken; no interrupt is lost between STI and HLT. Returns with
 * interrupts off. */
INSN_PLAIN(wait, "sti; hlt; cli")

/** Takes the interrupts that are pending. Returns with interrupts off. */
INSN_PLAIN(irq_window, "sti; nop; cli")

static inline void insn_pause(void)
{
	__asm__ volatile("pause");
}

/** Orders all that was written before against a later WRMSR that sends a message. */
INSN_PLAIN(fence, "mfence; lfence")

/** Stops this CPU for ever. */
BH_NORETURN static inline void insn_stop(void)
{
	for (;;) {
		__asm__ volatile("cli; hlt" : : : "memory");
	}
}

static inline void insn_xsave(void *area, uint64_t mask)
{
	__asm__ volatile("xsave64 (%0)"
			 :
			 : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
			 : "memory");
}

static inline void insn_xrstor(const void *area, uint64_t mask)
{
	__asm__ volatile("xrstor64 (%0)"
			 :
			 : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
			 : "memory");
}

static inline void insn_xsetbv(uint32_t index, uint64_t value)
{
	__asm__ volatile("xsetbv"
			 :
			 : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t insn_xgetbv(uint32_t index)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
	return (uint64_t)hi << 32 | lo;
}

static inline void insn_lgdt(const struct desc_ptr *ptr)
{
	__asm__ volatile("lgdt %0" : : "m"(*ptr) : "memory");
}

static inline void insn_lidt(const struct desc_ptr *ptr)
{
	__asm__ volatile("lidt %0" : : "m"(*ptr) : "memory");
}

static inline void insn_ltr(uint16_t selector)
{
	__asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

/** Reloads all segment registers from a new GDT; FS and GS get the null selector. */
static inline void insn_load_segments(uint16_t code, uint16_t data)
{
	uint64_t scratch = code;

	__asm__ volatile("mov %1, %%ds\n\t"
			 "mov %1, %%es\n\t"
			 "mov %1, %%ss\n\t"
			 "mov %2, %%fs\n\t"
			 "mov %2, %%gs\n\t"
			 "push %0\n\t"
			 "lea 1f(%%rip), %0\n\t"
			 "push %0\n\t"
			 "lretq\n"
			 "1:"
			 : "+&r"(scratch)
			 : "r"(data), "r"(0)
			 : "memory");
}

INSN_PLAIN(wbinvd, "wbinvd")

/** struct cpu begins with a pointer to itself, and GS points at it. */
static inline struct cpu *insn_this_cpu(void)
{
	struct cpu *cpu;

	__asm__("mov %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

#endif
#endif
