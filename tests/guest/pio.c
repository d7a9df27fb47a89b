/* SPDX-License-Identifier: Apache-2.0 */
/** Port access goes to the control partition and comes back, in each size and form.
 *  expect: exit 1 */
#include "guest.h"

#define NOBODY 0x5a0u

static uint64_t in_rax(uint64_t rax, int size)
{
	uint16_t port = GUEST_PORT_ECHO;

	switch (size) {
	case 1:
		__asm__ volatile("inb %1, %%al" : "+a"(rax) : "d"(port));
		break;
	case 2:
		__asm__ volatile("inw %1, %%ax" : "+a"(rax) : "d"(port));
		break;
	default:
		__asm__ volatile("inl %1, %%eax" : "+a"(rax) : "d"(port));
		break;
	}
	return rax;
}

static void check_echo(void)
{
	cpu_out32(GUEST_PORT_ECHO, 0x12345678);
	tap_equal(cpu_in32(GUEST_PORT_LAST), 4, "OUT 32: the size arrives");
	tap_equal(cpu_in32(GUEST_PORT_ECHO), 0x12345678, "IN 32");
	tap_equal(cpu_in16(GUEST_PORT_ECHO + 2), 0x1234, "IN 16");
	tap_equal(cpu_in8(GUEST_PORT_ECHO + 1), 0x56, "IN 8");
	cpu_out16(GUEST_PORT_ECHO + 2, 0xabcd);
	tap_equal(cpu_in32(GUEST_PORT_LAST), 2, "OUT 16: the size arrives");
	tap_equal(cpu_in32(GUEST_PORT_ECHO), 0xabcd5678, "OUT 16 writes two bytes");
	cpu_out8(GUEST_PORT_ECHO, 0xee);
	tap_equal(cpu_in32(GUEST_PORT_LAST), 1, "OUT 8: the size arrives");
	tap_equal(cpu_in32(GUEST_PORT_ECHO), 0xabcd56ee, "OUT 8 writes one byte");
}

static void check_registers(void)
{
	cpu_out32(GUEST_PORT_ECHO, 0x81828384);
	tap_equal(in_rax(0x1122334455667788, 1), 0x1122334455667784, "IN 8 keeps the rest of RAX");
	tap_equal(in_rax(0x1122334455667788, 2), 0x1122334455668384, "IN 16 keeps the rest of RAX");
	tap_equal(in_rax(0x1122334455667788, 4), 0x81828384, "IN 32 clears the upper half of RAX");
}

static void check_nobody(void)
{
	uint8_t last = 0xaa;

	tap_equal(cpu_in8(NOBODY), 0xff, "nobody there: ones, 8");
	tap_equal(cpu_in16(NOBODY), 0xffff, "nobody there: ones, 16");
	tap_equal(cpu_in32(NOBODY), 0xffffffff, "nobody there: ones, 32");
	cpu_out32(NOBODY, 0);
	tap_equal(cpu_in32(NOBODY), 0xffffffff, "writes there are ignored");
	__asm__ volatile("inb $0x9c, %%al" : "+a"(last));
	tap_equal(last, 0xff, "IN with an immediate port");
	cpu_out32(0xcf8, 0x80000000);
	tap_equal(cpu_in32(0xcfc), 0xffffffff, "PCI configuration space is empty");
}

static void check_strings(void)
{
	static uint8_t from[4] = { 0x11, 0x22, 0x33, 0x44 };
	static uint32_t words[2];
	const void *source = from;
	void *to = words;
	uint64_t count = 4;

	__asm__ volatile("rep outsb" : "+S"(source), "+c"(count) : "d"(GUEST_PORT_ECHO) : "memory");
	tap_ok(count == 0 && source == from + 4 && cpu_in8(GUEST_PORT_ECHO) == 0x44, "REP OUTSB");
	cpu_out32(GUEST_PORT_ECHO, 0xcafe1234);
	count = 2;
	__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(GUEST_PORT_ECHO) : "memory");
	tap_ok(count == 0 && words[0] == 0xcafe1234 && words[1] == 0xcafe1234, "REP INSL");
	to = words;
	words[0] = 0;
	__asm__ volatile("insw" : "+D"(to) : "d"(GUEST_PORT_ECHO) : "memory");
	tap_ok(words[0] == 0x1234 && to == (uint8_t *)words + 2, "INSW");
	to = (uint8_t *)words + 4;
	__asm__ volatile("std\n\tinsw\n\tcld" : "+D"(to) : "d"(GUEST_PORT_ECHO) : "memory");
	tap_ok(to == (uint8_t *)words + 2, "INSW downwards");
	count = 0;
	to = words;
	__asm__ volatile("rep insl" : "+D"(to), "+c"(count) : "d"(GUEST_PORT_ECHO) : "memory");
	tap_ok(to == words, "REP INSL of nothing");
}

static uint32_t user_vector;

static void user_code(void)
{
	user_vector = TRAP_TRY("inb $0x9c, %%al", , , "rax");
}

int guest_main(void)
{
	user_run(user_code);
	tap_equal(user_vector, TRAP_GP, "IN at CPL 3 without permission: #GP");
	if (!guest_in_partition()) {
		guest_printf("# SKIP the rest: the test ports are not there\n");
		return tap_done();
	}
	check_echo();
	check_registers();
	check_nobody();
	check_strings();
	return tap_done();
}
