/* SPDX-License-Identifier: Apache-2.0 */
/** Each form of memory access that drivers use gives the same on the MMIO test device as on RAM.
 *
 *  Every form runs twice from the same state: RDI at a buffer in RAM, then at the device. Registers, flags
 *  and the 32 bytes must come out the same.
 *  expect: exit 1 */
#include "guest.h"

#define SEED  0x8877665544332211ull
#define FLAGS 0x8d5ull /* CF PF AF ZF SF OF */
#define CLEAR_FLAGS "pushq $2\n\tpopfq\n\t"

struct state {
	uint64_t rax, rbx, rcx, rdx, r8, flags;
	uint64_t memory[4];
};

static uint64_t buffer[8];
extern uint64_t form32_in[6], form32_out[6];

static volatile uint64_t *device(void)
{
	/* The same offset in a page as the buffer, so that the low bits of RDI are equal. */
	return (volatile uint64_t *)(GUEST_MMIO_TEST + ((uint64_t)buffer & 0xff8));
}

static void prepare(volatile uint64_t *at)
{
	for (unsigned int i = 0; i < 4; i++) {
		at[i] = SEED * (i + 1) ^ (uint64_t)i << 60;
	}
}

static void collect(volatile uint64_t *at, struct state *s)
{
	for (unsigned int i = 0; i < 4; i++) {
		s->memory[i] = at[i];
	}
}

static void print_state(const char *where, const struct state *s)
{
	guest_printf("# %s: rax %lx rbx %lx rcx %lx rdx %lx r8 %lx", where, s->rax, s->rbx, s->rcx,
		     s->rdx, s->r8);
	guest_printf(" flags %lx mem %lx %lx\n", s->flags, s->memory[0], s->memory[1]);
}

static void compare(const char *name, const struct state *ram, const struct state *mmio)
{
	bool same = memcmp(ram, mmio, sizeof(*ram)) == 0;

	tap_ok(same, "%s", name);
	if (!same) {
		print_state("RAM", ram);
		print_state("MMIO", mmio);
	}
}

#define RUN(code, at, s)                                                                          \
	do {                                                                                      \
		register uint64_t r8 __asm__("r8") = 0xa1a2a3a4a5a6a7a8ull;                       \
		uint64_t to = (uint64_t)(at);                                                     \
		(s).rax = 0x0102030405060708ull;                                                  \
		(s).rbx = 0xf1f2f3f4f5f6f7f8ull;                                                  \
		(s).rcx = 1;                                                                      \
		(s).rdx = 0x1111111122222222ull;                                                  \
		prepare(at);                                                                      \
		__asm__ volatile(CLEAR_FLAGS code "\n\tpushfq\n\tpopq %[f]"                      \
				 : "+a"((s).rax), "+b"((s).rbx), "+c"((s).rcx), "+d"((s).rdx),     \
				   "+r"(r8), [f] "=&r"((s).flags), "+D"(to)                       \
				 :                                                                \
				 : "memory", "cc");                                               \
		(s).r8 = r8;                                                                      \
		(s).flags &= FLAGS;                                                               \
		collect(at, &(s));                                                                \
	} while (0)

/* The text of a form, without the doubled signs and in one line. */
static const char *form_name(const char *code)
{
	static char name[80];
	unsigned int n = 0;

	for (; *code != 0 && n < sizeof(name) - 1; code++) {
		if (*code == '%' && code[1] == '%') {
			continue;
		}
		name[n++] = *code == '\n' ? ';' : *code == '\t' ? ' ' : *code;
	}
	name[n] = 0;
	return name;
}

#define FORM(code)                                 \
	do {                                       \
		struct state ram = { 0 };          \
		struct state mmio = { 0 };         \
		RUN(code, (volatile uint64_t *)buffer, ram); \
		RUN(code, device(), mmio);         \
		compare(form_name(code), &ram, &mmio);     \
	} while (0)

static void check_mov(void)
{
	FORM("movb %%al, (%%rdi)");
	FORM("movb %%bh, 1(%%rdi)");
	FORM("movw %%ax, 2(%%rdi)");
	FORM("movl %%ebx, 4(%%rdi)");
	FORM("movq %%rbx, 8(%%rdi)");
	FORM("movb %%r8b, (%%rdi)");
	FORM("movw %%r8w, (%%rdi)");
	FORM("movl %%r8d, (%%rdi)");
	FORM("movq %%r8, (%%rdi)");
	FORM("movb (%%rdi), %%al");
	FORM("movb 3(%%rdi), %%ah");
	FORM("movb (%%rdi), %%r8b");
	FORM("movw (%%rdi), %%dx");
	FORM("movl (%%rdi), %%ebx");
	FORM("movl (%%rdi), %%r8d");
	FORM("movq 8(%%rdi), %%r8");
	FORM("movb $0x5a, (%%rdi)");
	FORM("movw $0x5aa5, (%%rdi)");
	FORM("movl $0x89abcdef, 4(%%rdi)");
	FORM("movq $-0x12345678, 8(%%rdi)");
	FORM("movl (%%rdi,%%rcx,8), %%eax");
	FORM("movl %%eax, 4(%%rdi,%%rcx,4)");
}

static void check_extend(void)
{
	FORM("movzbw (%%rdi), %%ax");
	FORM("movzbl 7(%%rdi), %%eax");
	FORM("movzbq 7(%%rdi), %%rdx");
	FORM("movzwl 6(%%rdi), %%r8d");
	FORM("movzwq 6(%%rdi), %%rbx");
	FORM("movsbw 7(%%rdi), %%ax");
	FORM("movsbl 7(%%rdi), %%eax");
	FORM("movsbq 7(%%rdi), %%r8");
	FORM("movswl 6(%%rdi), %%ebx");
	FORM("movswq 6(%%rdi), %%rdx");
	FORM("movslq 4(%%rdi), %%rax");
}

static void check_arithmetic(void)
{
	FORM("andb $0x0f, (%%rdi)");
	FORM("andl %%ebx, (%%rdi)");
	FORM("andl (%%rdi), %%ebx");
	FORM("andq $-16, 8(%%rdi)");
	FORM("orb $0x80, 1(%%rdi)");
	FORM("orw %%ax, (%%rdi)");
	FORM("orl $0x80000001, (%%rdi)");
	FORM("orq (%%rdi), %%r8");
	FORM("cmpb $0x11, (%%rdi)");
	FORM("cmpw $0x2211, (%%rdi)");
	FORM("cmpl $-1, (%%rdi)");
	FORM("cmpl %%ebx, (%%rdi)");
	FORM("cmpq (%%rdi), %%rbx");
	FORM("cmpb %%al, (%%rdi)");
	FORM("testb $0x10, (%%rdi)");
	FORM("testl %%ebx, (%%rdi)");
	FORM("xchgb %%al, (%%rdi)");
	FORM("xchgl %%ebx, (%%rdi)");
	FORM("xchgq %%r8, 8(%%rdi)");
}

static void check_strings(void)
{
	FORM("stosb");
	FORM("stosw");
	FORM("stosl");
	FORM("stosq");
	FORM("movl $3, %%ecx\n\trep stosb");
	FORM("movl $2, %%ecx\n\trep stosl");
	FORM("movl $3, %%ecx\n\trep stosq");
	FORM("std\n\tstosl\n\tcld");
	FORM("xorl %%ecx, %%ecx\n\trep stosb");
}

/* Addresses that need no register. */
static void check_absolute(void)
{
	uint64_t value = 0;

	*(volatile uint64_t *)(GUEST_MMIO_TEST + 0x100) = SEED;
	__asm__ volatile("movabs 0xd0000100, %%eax" : "=a"(value));
	tap_equal(value, 0x44332211, "mov moffs, eax");
	value = 0x55667788;
	__asm__ volatile("movabs %%eax, 0xd0000104" : : "a"(value) : "memory");
	tap_equal(*(volatile uint64_t *)(GUEST_MMIO_TEST + 0x100), 0x5566778844332211ull,
		  "mov eax, moffs");
	__asm__ volatile("movq %%gs:(%1), %0" : "=r"(value) : "r"(0xd0000100ull));
	tap_equal(value, 0x5566778844332211ull, "with a segment prefix");
	cpu_wrmsr(MSR_GS_BASE, GUEST_MMIO_TEST);
	__asm__ volatile("movl %%gs:0x104, %k0" : "=r"(value));
	tap_equal(value, 0x55667788, "with a segment base");
	cpu_wrmsr(MSR_GS_BASE, 0);
}

static void check_page_edges(void)
{
	volatile uint64_t *last = (volatile uint64_t *)(GUEST_MMIO_TEST + 4088);

	*last = SEED;
	tap_equal(*last, SEED, "the last 8 bytes of the page");
	tap_equal(*(volatile uint64_t *)(GUEST_MMIO_TEST + 0x1000), UINT64_MAX,
		  "behind it nobody: ones");
	tap_equal(*(volatile uint8_t *)0xf0000000, 0xff, "far away nobody: ones");
	*(volatile uint32_t *)0xf0000000 = 0;
	tap_equal(*(volatile uint32_t *)0xf0000000, 0xffffffff, "writes there are ignored");
}

void forms32(void);

static void check_32bit(void (*run)(uint32_t), const char *mode)
{
	static uint64_t ram[6];

	memset(buffer, 0, sizeof(buffer));
	form32_in[0] = (uint64_t)buffer;
	run((uint32_t)(uint64_t)forms32);
	memcpy(ram, form32_out, sizeof(ram));
	memset(form32_out, 0, sizeof(ram));
	*(volatile uint64_t *)(GUEST_MMIO_TEST) = 0;
	*(volatile uint64_t *)(GUEST_MMIO_TEST + 8) = 0;
	form32_in[0] = GUEST_MMIO_TEST;
	run((uint32_t)(uint64_t)forms32);
	tap_ok(memcmp(ram, form32_out, sizeof(ram)) == 0, "forms of 32-bit code in %s", mode);
	for (unsigned int i = 0; i < 6; i++) {
		if (ram[i] != form32_out[i]) {
			guest_printf("# word %u: RAM %lx, MMIO %lx\n", i, ram[i], form32_out[i]);
		}
	}
}

int guest_main(void)
{
	if (!guest_in_partition()) {
		return tap_skip_all("not in a partition");
	}
	check_mov();
	check_extend();
	check_arithmetic();
	check_strings();
	check_absolute();
	check_page_edges();
	check_32bit(compat_run, "compatibility mode");
	check_32bit(flat32_run, "flat mode without paging");
	return tap_done();
}
