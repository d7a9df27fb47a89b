/* SPDX-License-Identifier: Apache-2.0 */
/** Crash record: struct crash_record, checked by its CRC when read. */
#include "dbg/crash.h"

#include "cpu/insn.h"
#include "cpu/percpu.h"
#include "dbg/halt.h"
#include "dbg/log.h"
#include "lib/boot_info.h"
#include "lib/crc32c.h"
#include "lib/string.h"

static struct crash_record *place; /* NULL until crash_init */
static uint64_t place_cr3;	   /* tables that map it */

static uint32_t checksum(const struct crash_record *record)
{
	return crc32c(0, &record->cpu, sizeof(*record) - offsetof(struct crash_record, cpu));
}

void crash_init(hpa_t where)
{
	struct crash_record *last = hpa_ptr(where);

	place = last;
	place_cr3 = insn_read_cr3();
	if (last->magic == CRASH_MAGIC && last->crc32c == checksum(last)) {
		last->text[sizeof(last->text) - 1] = 0;
		log_error("crash", "the boot before stopped at tsc %lu, rip %016lx: %s", last->tsc,
			  last->frame.rip, last->text);
	}
	memset(last, 0, sizeof(*last));
}

static void dump_frame(const struct trap_frame *f)
{
	static const char *const names[] = {"r15", "r14", "r13", "r12", "r11", "r10", "r9", "r8",
					    "rdi", "rsi", "rbp", "rbx", "rdx", "rcx", "rax"};
	const uint64_t *value = (const uint64_t *)f; /* its first words are these */

	log_error("crash", "vector %lu error %lx rip %016lx cs %lx rflags %lx rsp %016lx",
		  f->vector, f->error, f->rip, f->cs, f->rflags, f->rsp);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i += 3) {
		log_error("crash", "%s %016lx %s %016lx %s %016lx", names[i], value[i],
			  names[i + 1], value[i + 1], names[i + 2], value[i + 2]);
	}
}

/** Words of the stack at rsp, as far as rsp lies in a stack of this CPU: no fault while we dump. */
static unsigned stack_words(uint64_t rsp, uint64_t *ret, unsigned max)
{
	const struct cpu_stacks *stacks = &cpu_stacks[cpu_this()->id];
	uint64_t top = (uintptr_t)stacks->main + CPU_STACK_SIZE;
	unsigned count = 0;

	if (rsp % 8 || rsp < (uintptr_t)stacks->main) {
		return 0;
	}
	while (count < max && rsp < top) {
		ret[count++] = *(const uint64_t *)(uintptr_t)rsp;
		rsp += 8;
	}
	return count;
}

void crash_stop(const struct trap_frame *frame, const char *text)
{
	static struct crash_record record;
	unsigned words = 0;

	insn_cli();
	halt_begin();
	log_enter_crash();
	record.magic = CRASH_MAGIC;
	record.cpu = cpu_this()->id;
	record.tsc = insn_rdtsc();
	record.cr2 = insn_read_cr2();
	record.cr3 = insn_read_cr3();
	strlcpy(record.text, text, sizeof(record.text));
	log_error("crash", "cpu %u: %s", record.cpu, record.text);
	if (frame) {
		record.frame = *frame;
		dump_frame(frame);
		words = stack_words(frame->rsp, record.stack, ARRAY_SIZE(record.stack));
	}
	log_error("crash", "cr2 %016lx cr3 %016lx", record.cr2, record.cr3);
	for (unsigned i = 0; i + 4 <= words; i += 4) {
		log_error("crash", "stack %016lx %016lx %016lx %016lx", record.stack[i],
			  record.stack[i + 1], record.stack[i + 2], record.stack[i + 3]);
	}
	record.crc32c = checksum(&record);
	if (place) {
		insn_write_cr3(place_cr3);
		*place = record;
	}
	boot_halt();
}
