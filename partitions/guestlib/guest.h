/* SPDX-License-Identifier: Apache-2.0 */
/** What a test kernel gets: a flat 64-bit world, a serial line, traps that can be caught, TAP, an exit.
 *
 *  A test kernel is one C file with guest_main(). It runs at CPL 0 with interrupts off, the first 4 GiB
 *  mapped one to one (2 MiB pages, user bit set), SSE and XSAVE switched on. The same ELF runs in a
 *  partition and on `qemu-system-x86_64 -kernel`; what needs the hypervisor asks guest_in_partition().
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cpu.h"

/** Devices of the bare control partition for tests (partitions/bare). */
#define GUEST_MMIO_TEST     0xd0000000ull /* 4 KiB: reads what was written last to the same 8 bytes */
#define GUEST_DOORBELL_PAGE 0xd0100000ull /* doorbell 0 */
#define GUEST_PORT_COUNT    0x5f0u        /* read: number of doorbell rings seen, modulo 2^32 */
#define GUEST_PORT_QUEUES   0x5ecu        /* read: queues 0..31 rung since the last read, one bit each */
#define GUEST_PORT_DIRTY    0x5e8u        /* write: control overwrites its FPU and XMM registers */
#define GUEST_PORT_ECHO     0x5f8u        /* 4 ports: read what was written last */
#define GUEST_PORT_LAST     0x5fcu        /* read: size of the last write to the echo ports */
#define GUEST_PORT_CANARY   0x5e4u        /* read: a page of the control partition, 0 if it changed */
#define GUEST_PORT_FAULTS   0x5e0u        /* read: faults of the IOMMU << 8, partition of the last one */
#define GUEST_PORT_DMA      0x5dcu        /* write: control's device writes to this gpa; read: see below */
#define GUEST_DMA_OWN       0xffffffffu   /* instead: to memory of the control partition; read 1: arrived */
#define GUEST_DMA_ROOT      0xfffffffeu   /* instead: to memory of root mode */
#define GUEST_EDU_BAR       0xd0200000ull /* 1 MiB: QEMU's edu device, if the policy gives it to the guest */
#define GUEST_PORT_MSI      0x5f4u        /* write 32 bits: posts an MSI with this vector */
/** write 32 bits: loads the policy of this boot, changed so; read: loads << 8, error of the last one */
#define GUEST_PORT_POLICY    0x5d8u
#define GUEST_POLICY_NO_RING 0x01u /* the guest's doorbells reach nobody */
#define GUEST_POLICY_NO_IRQ  0x02u /* nobody may interrupt the guest */
#define GUEST_POLICY_CAP     0x04u /* ten percent of a CPU */
#define GUEST_POLICY_MORE    0x08u /* one more doorbell: not within the policy of this boot */
#define GUEST_POLICY_RIGHTS  0x10u /* one more partition that may map the guest: neither */
#define GUEST_POLICY_DAMAGED 0x20u /* another weight, and the old checksum */

/** The test itself. The value goes to the debug exit port: exit status (value << 1) | 1. */
int guest_main(void);

/** Ends the partition with a value of 0..127. */
_Noreturn void guest_exit(int value);

/** True if CPUID says that Bulkhead is below. */
bool guest_in_partition(void);

/** Rate of the time-stamp counter: CPUID leaf 0x15, else a guess. */
uint64_t guest_tsc_hz(void);

/** True on a CPU that lets illegal values pass which the manuals say are #GP: QEMU's own emulation. It is not
 *  asked for what root mode checks. */
bool guest_cpu_is_lax(void);

/** Bytes of RAM from address 0, as the multiboot memory map says. */
uint64_t guest_ram_size(void);

const char *guest_cmdline(void);

/* console.c: %c %s %d %u %x %lx %ld %lu %p, width and 0 flag. */
void guest_console_init(void);
void guest_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void guest_vprintf(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

/* tap.c: one result line each; tap_done prints the plan and gives the value for guest_exit. */
void tap_ok(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));
void tap_equal(uint64_t got, uint64_t want, const char *what);
void tap_skip(const char *what, const char *why);
int tap_done(void);
/** Prints `1..0 # SKIP why`; for tests that make no sense where they run. */
int tap_skip_all(const char *why);

/* trap.c */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

#define TRAP_DE   0
#define TRAP_DB   1
#define TRAP_BP   3
#define TRAP_UD   6
#define TRAP_NM   7
#define TRAP_DF   8
#define TRAP_SS   12
#define TRAP_GP   13
#define TRAP_PF   14
#define TRAP_NONE 0xffffffffu

typedef void (*trap_handler)(struct trap_frame *frame);

/** What the last caught trap was; vector TRAP_NONE when the code went through. */
struct trap_record {
	uint32_t vector;
	uint32_t count; /* all traps and interrupts so far, also handled ones */
	uint64_t error, rip, cr2;
};

extern volatile struct trap_record trap_last;
extern volatile uint64_t trap_resume;

void trap_init(void);
/** The same table on another CPU. */
void trap_load(void);
/** Handler for one vector; NULL takes it away. Vectors 32.. return by IRET after the handler. */
void trap_set_handler(unsigned int vector, trap_handler handler);
/** The IDT entry itself, for tests that break it. */
void trap_set_present(unsigned int vector, bool present);

/** Runs `code` (assembly text); a trap in it is recorded and ends it. Value: the vector or TRAP_NONE.
 *  Output operands are undefined after a trap. */
#define TRAP_TRY(code, outputs, inputs, ...)                                          \
	({                                                                            \
		trap_last.vector = TRAP_NONE;                                         \
		__asm__ volatile("movq $991f, trap_resume\n\t" code                   \
				 "\n991:\n\tmovq $0, trap_resume"                     \
				 : outputs                                            \
				 : inputs                                             \
				 : "memory", "cc" __VA_OPT__(, ) __VA_ARGS__);        \
		trap_last.vector;                                                     \
	})
#define TRAP_ARGS(...) __VA_ARGS__

uint32_t trap_try_rdmsr(uint32_t msr, uint64_t *ret_value);
uint32_t trap_try_wrmsr(uint32_t msr, uint64_t value);

/** Runs fn at CPL 3, with TRAP_TRY allowed inside, and comes back. */
void user_run(void (*fn)(void));

/** Runs 32-bit code (fn32 is the address of code below 4 GiB, ended by RET) in compatibility mode. */
void compat_run(uint32_t fn32);

/** Leaves long mode for flat 32-bit mode without paging, calls fn32 there, and returns to long mode. */
void flat32_run(uint32_t fn32);

/* apic.c: x2APIC where CPUID offers it, else the xAPIC page. Registers by x2APIC number (0x0b = EOI). */
#define APIC_ID        0x02u
#define APIC_VERSION   0x03u
#define APIC_TPR       0x08u
#define APIC_PPR       0x0au
#define APIC_EOI       0x0bu
#define APIC_LDR       0x0du
#define APIC_SVR       0x0fu
#define APIC_ISR       0x10u
#define APIC_TMR       0x18u
#define APIC_IRR       0x20u
#define APIC_ESR       0x28u
#define APIC_ICR       0x30u
#define APIC_LVT_TIMER 0x32u
#define APIC_LVT_LINT0 0x35u
#define APIC_LVT_ERROR 0x37u
#define APIC_TIMER_INITIAL 0x38u
#define APIC_TIMER_CURRENT 0x39u
#define APIC_TIMER_DIVIDE  0x3eu
#define APIC_SELF_IPI      0x3fu

#define APIC_ICR_NMI     (4u << 8)
#define APIC_ICR_INIT    (5u << 8)
#define APIC_ICR_STARTUP (6u << 8)
#define APIC_ICR_LOGICAL (1u << 11)
#define APIC_ICR_ASSERT  (1u << 14)
#define APIC_ICR_SELF    (1u << 18)
#define APIC_ICR_ALL     (2u << 18)
#define APIC_ICR_OTHERS  (3u << 18)

#define APIC_LVT_MASKED   (1u << 16)
#define APIC_LVT_PERIODIC (1u << 17)
#define APIC_LVT_DEADLINE (2u << 17)

void apic_init(void);
bool apic_is_x2(void);
uint32_t apic_read(uint32_t reg);
void apic_write(uint32_t reg, uint32_t value);
void apic_eoi(void);
/** Writes the interrupt command register: what the bits of APIC_ICR_* say, to that APIC ID (or logical
 *  destination). */
void apic_ipi(uint32_t dest, uint32_t what);
/** Interrupt to this CPU by the self-IPI register or the ICR. */
void apic_self_ipi(uint8_t vector);
/** Bit of the 256-bit IRR, ISR or TMR. */
bool apic_vector_bit(uint32_t first_reg, uint8_t vector);

/* smp.c: the other CPUs. A handler runs on any of them; TRAP_TRY belongs to one at a time. */
#define SMP_MAX  8u
#define SMP_WAKE 0xe0u /* vector that ends the HLT of a CPU that waits for an order */

typedef void (*smp_job)(uint32_t id);

/** How many CPUs there should be: `vcpus=N` on the command line. */
uint32_t smp_wanted(void);
/** After apic_init: starts all but this one by INIT and one start-up IPI to all others. Returns how many
 *  CPUs run now. */
uint32_t smp_start_all(void);
/** INIT and one start-up IPI to one. */
void smp_start(uint32_t id);
void smp_init(void);
/** How often this CPU came through its start. */
uint32_t smp_starts(uint32_t id);
/** The CPU that asks. */
uint32_t smp_id(void);
/** Has another CPU do something, with interrupts off; smp_wait is false when it does not end. */
void smp_run(uint32_t id, smp_job job);
bool smp_wait(uint32_t id);
/** TSC value at which waiting has no sense any more. */
uint64_t smp_patience(void);
/** Spins for so many microseconds. */
void smp_pause(uint64_t us);

/** Silences the legacy interrupt controllers, where there are any. */
void guest_pic_off(void);

/* hypercall.c: the instruction that this CPU's vendor has, as hv/abi/hypercall.h says. */
extern bool guest_has_vmmcall;
/** Before the first hypercall; a test kernel has it done for it. */
void guest_hypercall_init(void);

static inline int64_t guest_hypercall(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	int64_t ret;

	if (guest_has_vmmcall) {
		__asm__ volatile("vmmcall" : "=a"(ret) : "a"(number), "D"(a), "S"(b), "d"(c) : "memory");
	} else {
		__asm__ volatile("vmcall" : "=a"(ret) : "a"(number), "D"(a), "S"(b), "d"(c) : "memory");
	}
	return ret;
}

void *memset(void *to, int value, size_t size);
void *memcpy(void *to, const void *from, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);

#endif
