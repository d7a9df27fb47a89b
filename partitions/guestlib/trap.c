/* SPDX-License-Identifier: Apache-2.0 */
/** IDT, TSS and what happens on a trap: a handler, a recorded and expected trap, or the end. */
#include "guest.h"

#define VECTOR_COUNT 256u
#define VECTOR_USER  0x80u
#define SEL_TSS      0x30u

struct idt_entry {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_mid;
	uint32_t offset_high, reserved;
};

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));

extern uint8_t trap_stubs[];
extern uint64_t gdt_table[];
void user_leave(void);
void trap_dispatch(struct trap_frame *frame);

volatile struct trap_record trap_last = { .vector = TRAP_NONE };
volatile uint64_t trap_resume;

static struct idt_entry idt[VECTOR_COUNT];
static trap_handler handlers[VECTOR_COUNT];
static struct tss tss;
static uint8_t trap_stack[8192] __attribute__((aligned(16)));
static uint8_t fault_stack[8192] __attribute__((aligned(16)));

static void gate_set(unsigned int vector, uint64_t target, uint8_t ist, uint8_t type)
{
	idt[vector] = (struct idt_entry){
		.offset_low = (uint16_t)target,
		.selector = 0x08,
		.ist = ist,
		.type = type,
		.offset_mid = (uint16_t)(target >> 16),
		.offset_high = (uint32_t)(target >> 32),
	};
}

void trap_load(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };

	__asm__ volatile("lidt %0" : : "m"(pointer));
}

void trap_init(void)
{
	uint64_t base = (uint64_t)&tss;

	for (unsigned int i = 0; i < VECTOR_COUNT; i++) {
		gate_set(i, (uint64_t)trap_stubs + i * 16u, i == TRAP_DF ? 1 : 0, 0x8e);
	}
	gate_set(VECTOR_USER, (uint64_t)user_leave, 0, 0xee);
	tss.rsp[0] = (uint64_t)trap_stack + sizeof(trap_stack);
	tss.ist[0] = (uint64_t)fault_stack + sizeof(fault_stack);
	tss.io_map = sizeof(tss);
	gdt_table[SEL_TSS / 8] = (sizeof(tss) - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
				 (base >> 24 & 0xff) << 56;
	gdt_table[SEL_TSS / 8 + 1] = base >> 32;
	trap_load();
	__asm__ volatile("ltr %w0" : : "r"(SEL_TSS));
}

void trap_set_handler(unsigned int vector, trap_handler handler)
{
	handlers[vector] = handler;
}

void trap_set_present(unsigned int vector, bool present)
{
	idt[vector].type = present ? 0x8e : 0x0e;
}

void trap_dispatch(struct trap_frame *frame)
{
	trap_last.count++;
	if (handlers[frame->vector] != NULL) {
		handlers[frame->vector](frame);
		return;
	}
	if (trap_resume != 0 && frame->vector < 32) {
		trap_last.vector = (uint32_t)frame->vector;
		trap_last.error = frame->error;
		trap_last.rip = frame->rip;
		trap_last.cr2 = cpu_read_cr2();
		frame->rip = trap_resume;
		trap_resume = 0;
		return;
	}
	guest_printf("Bail out! trap %lu error 0x%lx at 0x%lx cr2 0x%lx\n", frame->vector,
		     frame->error, frame->rip, cpu_read_cr2());
	guest_exit(0x7f);
}

bool guest_cpu_is_lax(void)
{
	uint64_t before = cpu_rdmsr(MSR_FS_BASE);
	bool lax = trap_try_wrmsr(MSR_FS_BASE, 0x8000000000000000ull) == TRAP_NONE;

	cpu_wrmsr(MSR_FS_BASE, before);
	return lax;
}

uint32_t trap_try_rdmsr(uint32_t msr, uint64_t *ret_value)
{
	uint32_t lo = 0, hi = 0;
	uint32_t vector = TRAP_TRY("rdmsr", TRAP_ARGS("+a"(lo), "+d"(hi)), "c"(msr));

	*ret_value = (uint64_t)hi << 32 | lo;
	return vector;
}

uint32_t trap_try_wrmsr(uint32_t msr, uint64_t value)
{
	return TRAP_TRY("wrmsr", , TRAP_ARGS("c"(msr), "a"((uint32_t)value),
					     "d"((uint32_t)(value >> 32))));
}
