/* SPDX-License-Identifier: Apache-2.0 */
/** FPU, XMM and YMM state survives exits and the control partition's own use; XSETBV is checked.
 *  expect: exit 1 */
#include "guest.h"

#define XCR0_X87 1u
#define XCR0_SSE 2u
#define XCR0_AVX 4u

struct vectors {
	uint8_t bytes[16][32];
} __attribute__((aligned(32)));

static struct vectors want, got;

static uint32_t try_xsetbv(uint32_t index, uint64_t value)
{
	return TRAP_TRY("xsetbv", , TRAP_ARGS("c"(index), "a"((uint32_t)value),
					      "d"((uint32_t)(value >> 32))));
}

static uint64_t xgetbv(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static void fill(void)
{
	for (unsigned int i = 0; i < 16; i++) {
		for (unsigned int j = 0; j < 32; j++) {
			want.bytes[i][j] = (uint8_t)(i * 37 + j * 11 + 1);
		}
	}
	memset(&got, 0, sizeof(got));
}

#define EACH16(op) op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) \
	op(13) op(14) op(15)
#define LOAD_X(n)  "movups 32*" #n "(%0), %%xmm" #n "\n\t"
#define STORE_X(n) "movups %%xmm" #n ", 32*" #n "(%0)\n\t"
#define LOAD_Y(n)  "vmovups 32*" #n "(%0), %%ymm" #n "\n\t"
#define STORE_Y(n) "vmovups %%ymm" #n ", 32*" #n "(%0)\n\t"

/* Exits of each kind that could lose state: in root mode only, to the control partition, a halt. */
static void exits(void)
{
	(void)cpu_cpuid(0, 0);
	if (guest_in_partition()) {
		cpu_out32(GUEST_PORT_DIRTY, 1);
		(void)guest_hypercall(0, 0, 0, 0);
	}
	(void)cpu_in8(0x3fd);
}

static void check_xmm(void)
{
	bool same = true;

	fill();
	__asm__ volatile(EACH16(LOAD_X) : : "r"(want.bytes) : "memory");
	exits();
	__asm__ volatile(EACH16(STORE_X) : : "r"(got.bytes) : "memory");
	for (unsigned int i = 0; i < 16; i++) {
		same = same && memcmp(want.bytes[i], got.bytes[i], 16) == 0;
	}
	tap_ok(same, "XMM0..15 survive exits");
}

static void check_ymm(void)
{
	fill();
	__asm__ volatile(EACH16(LOAD_Y) : : "r"(want.bytes) : "memory");
	exits();
	__asm__ volatile(EACH16(STORE_Y) : : "r"(got.bytes) : "memory");
	tap_ok(memcmp(&want, &got, sizeof(want)) == 0, "YMM0..15 survive exits");
}

static void check_x87(void)
{
	uint16_t control = 0x0f7f, after;
	uint64_t value = 0x400921fb54442d18ull, back = 0;

	__asm__ volatile("fninit\n\tfldcw %0\n\tfldl %1" : : "m"(control), "m"(value));
	exits();
	__asm__ volatile("fnstcw %0\n\tfstpl %1" : "=m"(after), "=m"(back));
	tap_equal(after, control, "x87 control word survives exits");
	tap_equal(back, value, "x87 stack survives exits");
	__asm__ volatile("fninit");
}

static void check_mxcsr(void)
{
	uint32_t value = 0x7f80, after;

	__asm__ volatile("ldmxcsr %0" : : "m"(value));
	exits();
	__asm__ volatile("stmxcsr %0" : "=m"(after));
	tap_equal(after, value, "MXCSR survives exits");
	value = 0x1f80;
	__asm__ volatile("ldmxcsr %0" : : "m"(value));
}

static void user_code(void)
{
	(void)try_xsetbv(0, XCR0_X87);
}

static void check_xsetbv(uint64_t offered)
{
	uint64_t before = xgetbv();

	tap_equal(try_xsetbv(0, 0), TRAP_GP, "XCR0 without x87: #GP");
	tap_equal(try_xsetbv(0, XCR0_X87 | XCR0_AVX), TRAP_GP, "XCR0 with AVX but no SSE: #GP");
	tap_equal(try_xsetbv(1, XCR0_X87), TRAP_GP, "XCR1: #GP");
	tap_equal(try_xsetbv(0, offered | 1ull << 40), TRAP_GP, "a feature that is not offered: #GP");
	user_run(user_code);
	tap_equal(trap_last.vector, TRAP_GP, "XSETBV at CPL 3: #GP");
	tap_equal(xgetbv(), before, "XCR0 unchanged after refused writes");
	tap_equal(try_xsetbv(0, XCR0_X87 | XCR0_SSE), TRAP_NONE, "x87 and SSE");
	(void)cpu_cpuid(0, 0);
	tap_equal(xgetbv(), XCR0_X87 | XCR0_SSE, "XCR0 holds");
	tap_equal(cpu_cpuid(0xd, 0).ebx, 576, "leaf 0xd: size of the enabled state");
}

int guest_main(void)
{
	uint64_t offered;

	check_x87();
	check_xmm();
	check_mxcsr();
	if ((cpu_cpuid(1, 0).ecx & 1u << 26) == 0) {
		tap_skip("XSETBV", "no XSAVE");
		return tap_done();
	}
	offered = cpu_cpuid(0xd, 0).eax;
	check_xsetbv(offered);
	if ((offered & XCR0_AVX) != 0) {
		tap_equal(try_xsetbv(0, XCR0_X87 | XCR0_SSE | XCR0_AVX), TRAP_NONE, "AVX on");
		check_ymm();
		tap_equal(cpu_cpuid(0xd, 0).ebx, 832, "leaf 0xd: size with AVX");
	} else {
		tap_skip("YMM0..15 survive exits", "no AVX");
	}
	return tap_done();
}
