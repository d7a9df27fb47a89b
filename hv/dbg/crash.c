/* SPDX-License-Identifier: Apache-2.0 */
/** Crash record. It lies in the last page below FRAMES_HV_END, which the boot image does not cover,
 *  so the loader does not zero it. Layout: struct crash_record, checked by its CRC when read. */
#include "dbg/crash.h"

#include "cpu/insn.h"
#include "cpu/percpu.h"
#include "dbg/halt.h"
#include "dbg/log.h"
#include "lib/boot_info.h"
#include "lib/crc32c.h"
#include "lib/string.h"

static struct crash_record *place; /* NULL until crash_init found the page to be ours */

static uint32_t checksum(const struct crash_record *record)
{
	return crc32c(0, &record->cpu, sizeof(*record) - offsetof(struct crash_record, cpu));
}

void crash_init(hpa_t page)
{
	struct crash_record *last = hpa_ptr(page);

	place = last;
	if (last->magic == CRASH_MAGIC && last->crc32c == checksum(last)) {
		last->text[sizeof(last->text) - 1] = 0;
		log_error("crash", "the boot before stopped at tsc %lu, rip %016lx: %s",
			  (unsigned long)last->tsc, (unsigned long)last->frame.rip, last->text);
	}
	memset(last, 0, sizeof(*last));
}

static void dump_frame(const struct trap_frame *f)
{
	log_error("crash", "vector %lu error %lx rip %016lx cs %lx rflags %lx rsp %016lx",
		  (unsigned long)f->vector, (unsigned long)f->error, (unsigned long)f->rip,
		  (unsigned long)f->cs, (unsigned long)f->rflags, (unsigned long)f->rsp);
	log_error("crash", "rax %016lx rbx %016lx rcx %016lx rdx %016lx", (unsigned long)f->rax,
		  (unsigned long)f->rbx, (unsigned long)f->rcx, (unsigned long)f->rdx);
	log_error("crash", "rsi %016lx rdi %016lx rbp %016lx r8  %016lx", (unsigned long)f->rsi,
		  (unsigned long)f->rdi, (unsigned long)f->rbp, (unsigned long)f->r8);
	log_error("crash", "r9  %016lx r10 %016lx r11 %016lx r12 %016lx", (unsigned long)f->r9,
		  (unsigned long)f->r10, (unsigned long)f->r11, (unsigned long)f->r12);
	log_error("crash", "r13 %016lx r14 %016lx r15 %016lx", (unsigned long)f->r13,
		  (unsigned long)f->r14, (unsigned long)f->r15);
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
	log_error("crash", "cr2 %016lx cr3 %016lx", (unsigned long)record.cr2,
		  (unsigned long)record.cr3);
	for (unsigned i = 0; i + 4 <= words; i += 4) {
		log_error("crash", "stack %016lx %016lx %016lx %016lx",
			  (unsigned long)record.stack[i], (unsigned long)record.stack[i + 1],
			  (unsigned long)record.stack[i + 2], (unsigned long)record.stack[i + 3]);
	}
	record.crc32c = checksum(&record);
	if (place) {
		*place = record;
	}
	boot_halt();
}
