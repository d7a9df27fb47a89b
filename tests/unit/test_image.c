/* SPDX-License-Identifier: Apache-2.0 */
/* What image_load puts where, and what it refuses. Images are made here byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <elf.h>
#include <cmocka.h>

#include "image.h"

#define RAM_SIZE   (8ull << 20)
#define CODE_AT    0x200000u
#define CODE_SIZE  64u
#define FILE_SIZE  0x600u
#define CODE_IN    0x200u
#define NOTE_IN    0x300u
#define PVH_ENTRY  (CODE_AT + 8)
#define TOP_MARKER 0xa5

static uint8_t *ram;
static uint8_t file[FILE_SIZE];
static struct bh_vcpu_start start;

static uint32_t ram32(uint64_t gpa)
{
	uint32_t v;

	assert_true(gpa <= RAM_SIZE - sizeof(v));
	memcpy(&v, ram + gpa, sizeof(v));
	return v;
}

static uint64_t ram64(uint64_t gpa)
{
	return ram32(gpa) | (uint64_t)ram32(gpa + 4) << 32;
}

static int setup(void **state)
{
	(void)state;
	ram = calloc(1, RAM_SIZE); /* its own block: ASan sees each byte outside */
	memset(file, 0, sizeof(file));
	memset(&start, TOP_MARKER, sizeof(start));
	return ram == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	free(ram);
	return 0;
}

static Elf64_Phdr *phdr(unsigned int i)
{
	return (Elf64_Phdr *)(void *)(file + sizeof(Elf64_Ehdr)) + i;
}

/* One segment of 64 bytes 0x90 at CODE_AT with one page of bss, and a note segment. */
static void make_elf64(void)
{
	Elf64_Ehdr *eh = (void *)file;

	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_X86_64;
	eh->e_entry = CODE_AT + 4;
	eh->e_phoff = sizeof(*eh);
	eh->e_phentsize = sizeof(Elf64_Phdr);
	eh->e_phnum = 2;
	*phdr(0) = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = CODE_IN, .p_vaddr = CODE_AT,
				 .p_paddr = CODE_AT, .p_filesz = CODE_SIZE,
				 .p_memsz = CODE_SIZE + 4096 };
	*phdr(1) = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = NOTE_IN, .p_filesz = 0 };
	memset(file + CODE_IN, 0x90, CODE_SIZE);
}

static void make_elf32(void)
{
	Elf32_Ehdr *eh = (void *)file;
	Elf32_Phdr *ph = (void *)(file + sizeof(*eh));

	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS32;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_386;
	eh->e_entry = CODE_AT;
	eh->e_phoff = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 1;
	*ph = (Elf32_Phdr){ .p_type = PT_LOAD, .p_offset = CODE_IN, .p_vaddr = CODE_AT,
			    .p_paddr = CODE_AT, .p_filesz = CODE_SIZE, .p_memsz = CODE_SIZE };
	memset(file + CODE_IN, 0x90, CODE_SIZE);
}

static void add_multiboot(uint32_t flags)
{
	const uint32_t header[3] = { 0x1badb002u, flags, -(0x1badb002u + flags) };

	memcpy(file + 0x280, header, sizeof(header));
}

static void add_pvh(void)
{
	const uint32_t note[5] = { 4, 4, 18, 0x006e6558 /* "Xen" */, PVH_ENTRY };

	memcpy(file + NOTE_IN, note, sizeof(note));
	phdr(1)->p_filesz = sizeof(note);
}

static void make_bzimage(void)
{
	memset(file, 0, sizeof(file));
	file[0x1f1] = 1;
	file[0x1fe] = 0x55;
	file[0x1ff] = 0xaa;
	file[0x201] = 0x62;
	memcpy(file + 0x202, "HdrS", 4);
	file[0x206] = 0x0f;
	file[0x207] = 0x02;
	file[0x211] = 1;
	memset(file + 0x22c, 0xff, 4);		/* initrd anywhere */
	memcpy(file + 0x238, "\xff\x07", 2);	/* command line up to 2047 */
	memcpy(file + 0x25a, "\x20", 1);	/* preferred address 0x200000 */
	memcpy(file + 0x262, "\x10", 1);	/* init size 0x100000 */
}

static int load(const char *cmdline)
{
	return image_load(file, sizeof(file), NULL, 0, cmdline, ram, RAM_SIZE, 0xe0000, 0, &start);
}

/* An ELF64 with a multiboot header starts at its entry with the magic in EAX and an information structure
 * that tells memory, map and command line. */
static void image_load_starts_multiboot_elf64(void **state)
{
	(void)state;
	make_elf64();
	add_multiboot(3);
	memset(ram + CODE_AT + CODE_SIZE, TOP_MARKER, 4096);
	assert_int_equal(load("one two"), 0);
	assert_int_equal(start.mode, BH_VCPU_FLAT32);
	assert_int_equal(start.rip, CODE_AT + 4);
	assert_int_equal(start.rax, 0x2badb002u);
	assert_int_equal(ram[CODE_AT], 0x90);
	assert_int_equal(ram[CODE_AT + CODE_SIZE], 0); /* bss */
	assert_int_equal(ram[CODE_AT + CODE_SIZE + 4095], 0);
	assert_int_equal(ram32(start.rbx), 0x245);
	assert_int_equal(ram32(start.rbx + 4), 640);
	assert_int_equal(ram32(start.rbx + 8), (RAM_SIZE >> 10) - 1024);
	assert_string_equal((char *)ram + ram32(start.rbx + 16), "guest one two");
	assert_int_equal(ram32(start.rbx + 44), 72);
	assert_int_equal(ram64(ram32(start.rbx + 48) + 48 + 4), 0x100000);
}

/* The 32-bit form of the same works too, and an initrd becomes the one module, at the top of RAM. */
static void image_load_gives_multiboot_modules(void **state)
{
	static const char initrd[] = "initial ramdisk";
	uint32_t list;

	(void)state;
	make_elf32();
	add_multiboot(0);
	assert_int_equal(image_load(file, sizeof(file), initrd, sizeof(initrd), NULL, ram, RAM_SIZE, 0, 0,
				    &start),
			 0);
	assert_int_equal(start.rip, CODE_AT);
	assert_int_equal(ram32(start.rbx + 20), 1);
	list = ram32(start.rbx + 24);
	assert_int_equal(ram32(list), RAM_SIZE - 4096);
	assert_int_equal(ram32(list + 4) - ram32(list), sizeof(initrd));
	assert_memory_equal(ram + ram32(list), initrd, sizeof(initrd));
}

/* A PVH note gives the entry; EBX points to the start info with map, command line, RSDP and modules. */
static void image_load_starts_pvh(void **state)
{
	static const char initrd[5000] = "x";

	(void)state;
	make_elf64();
	add_pvh();
	assert_int_equal(image_load(file, sizeof(file), initrd, sizeof(initrd), "quiet", ram, RAM_SIZE,
				    0xe0000, 0, &start),
			 0);
	assert_int_equal(start.rip, PVH_ENTRY);
	assert_int_equal(ram32(start.rbx), 0x336ec578u);
	assert_int_equal(ram32(start.rbx + 4), 1);
	assert_int_equal(ram32(start.rbx + 12), 1);
	assert_int_equal(ram64(ram64(start.rbx + 16)), RAM_SIZE - 8192);
	assert_int_equal(ram64(ram64(start.rbx + 16) + 8), sizeof(initrd));
	assert_string_equal((char *)ram + ram64(start.rbx + 24), "quiet");
	assert_int_equal(ram64(start.rbx + 32), 0xe0000);
	assert_int_equal(ram32(start.rbx + 48), 3);
	assert_int_equal(ram64(ram64(start.rbx + 40) + 2 * 24 + 8), RAM_SIZE - 0x100000);
}

/* Linux is told the rate of the time-stamp counter by a word before its own; nobody else is. */
static void image_load_tells_linux_the_tsc_rate(void **state)
{
	(void)state;
	make_elf64();
	add_pvh();
	assert_int_equal(image_load(file, sizeof(file), NULL, 0, "quiet", ram, RAM_SIZE, 0,
				    2304000, &start),
			 0);
	assert_string_equal((char *)ram + ram64(start.rbx + 24), "tsc_early_khz=2304000 quiet");
	make_bzimage();
	assert_int_equal(image_load(file, sizeof(file), NULL, 0, "quiet", ram, RAM_SIZE, 0,
				    UINT32_MAX, &start),
			 0);
	assert_string_equal((char *)ram + ram32(start.rsi + 0x228), "tsc_early_khz=4294967295 quiet");
}

/* A bzImage goes to 1 MiB; ESI points to a zero page with our values over the kernel's own header. */
static void image_load_starts_bzimage(void **state)
{
	(void)state;
	make_bzimage();
	file[1024] = 0xcc;
	assert_int_equal(load("console=ttyS0"), 0);
	assert_int_equal(start.rip, 0x100000);
	assert_int_equal(ram[0x100000], 0xcc);
	assert_memory_equal(ram + start.rsi + 0x202, "HdrS", 4);
	assert_int_equal(ram[start.rsi + 0x210], 0xff);
	assert_string_equal((char *)ram + ram32(start.rsi + 0x228), "console=ttyS0");
	assert_int_equal(ram64(start.rsi + 0x70), 0xe0000);
	assert_int_equal(ram[start.rsi + 0x1e8], 3);
}

/* The initrd of a bzImage stays clear of the memory that the kernel unpacks itself into. */
static void image_load_refuses_initrd_over_bzimage(void **state)
{
	static uint8_t initrd[5 << 20];

	(void)state;
	make_bzimage();
	assert_int_equal(image_load(file, sizeof(file), initrd, sizeof(initrd), NULL, ram, RAM_SIZE, 0, 0,
				    &start),
			 0);
	assert_int_equal(image_load(file, sizeof(file), initrd, sizeof(initrd), NULL, ram, 7 << 20, 0, 0,
				    &start),
			 -BH_RANGE);
}

/* A failed load leaves the start state alone. */
static void image_load_keeps_start_on_failure(void **state)
{
	struct bh_vcpu_start before;

	(void)state;
	before = start;
	assert_int_equal(load(NULL), -BH_INVAL);
	assert_memory_equal(&start, &before, sizeof(start));
}

/* An ELF without multiboot header and PVH note is no boot image. */
static void image_load_refuses_plain_elf(void **state)
{
	(void)state;
	make_elf64();
	assert_int_equal(load(NULL), -BH_NOSUPP);
}

/* A header whose checksum is wrong is not a header. */
static void image_load_refuses_multiboot_with_wrong_checksum(void **state)
{
	(void)state;
	make_elf64();
	add_multiboot(3);
	file[0x288]++;
	assert_int_equal(load(NULL), -BH_NOSUPP);
}

/* A multiboot kernel that must have a video mode is refused, not started without. */
static void image_load_refuses_multiboot_demands(void **state)
{
	(void)state;
	make_elf64();
	add_multiboot(4);
	assert_int_equal(load(NULL), -BH_NOSUPP);
}

/* No segment may reach outside RAM, wrap around, or lie on the boot structures or in the hole. */
static void image_load_refuses_segments_outside(void **state)
{
	static const uint64_t bad[] = { RAM_SIZE, RAM_SIZE - CODE_SIZE, UINT64_MAX - CODE_SIZE,
					1ull << 63, 0x9ff00, 0xf0000, IMAGE_DATA_GPA,
					IMAGE_DATA_END - 1, IMAGE_DATA_GPA - CODE_SIZE };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		make_elf64();
		add_multiboot(0);
		phdr(0)->p_paddr = bad[i];
		assert_true(load(NULL) < 0);
	}
}

/* Bytes of a segment that are not in the file are refused, also when offset + size wraps around. */
static void image_load_refuses_segments_outside_file(void **state)
{
	(void)state;
	make_elf64();
	add_multiboot(0);
	phdr(0)->p_offset = FILE_SIZE - CODE_SIZE + 1;
	assert_int_equal(load(NULL), -BH_INVAL);
	phdr(0)->p_offset = UINT64_MAX - 8;
	assert_int_equal(load(NULL), -BH_INVAL);
}

/* Two segments on the same bytes are refused. */
static void image_load_refuses_overlapping_segments(void **state)
{
	(void)state;
	make_elf64();
	add_multiboot(0);
	*phdr(1) = *phdr(0);
	phdr(1)->p_paddr += 8;
	assert_int_equal(load(NULL), -BH_RANGE);
}

/* Program headers outside the file, of the wrong size, or none at all: refused. */
static void image_load_refuses_damaged_header_table(void **state)
{
	Elf64_Ehdr *eh = (void *)file;

	(void)state;
	make_elf64();
	add_multiboot(0);
	eh->e_phoff = FILE_SIZE - 8;
	assert_int_equal(load(NULL), -BH_INVAL);
	make_elf64();
	eh->e_phentsize = 8;
	assert_int_equal(load(NULL), -BH_INVAL);
	make_elf64();
	eh->e_phnum = 0;
	assert_int_equal(load(NULL), -BH_INVAL);
}

/* An entry that is in no segment is refused for multiboot and for PVH. */
static void image_load_refuses_entry_outside_segments(void **state)
{
	Elf64_Ehdr *eh = (void *)file;

	(void)state;
	make_elf64();
	add_pvh();
	file[NOTE_IN + 16 + 3] = 0x7f;
	assert_int_equal(load(NULL), -BH_INVAL);
	make_elf64();
	add_multiboot(0);
	eh->e_entry = 0x700000;
	assert_int_equal(load(NULL), -BH_INVAL);
}

/* A note that claims more than its segment holds ends the search without a read outside. */
static void image_load_survives_damaged_notes(void **state)
{
	(void)state;
	make_elf64();
	add_pvh();
	memset(file + NOTE_IN, 0xff, 8);
	assert_int_equal(load(NULL), -BH_NOSUPP);
}

/* The entry address is virtual; the vcpu starts at the physical place of that byte. */
static void image_load_translates_entry(void **state)
{
	Elf64_Ehdr *eh = (void *)file;

	(void)state;
	make_elf64();
	add_multiboot(0);
	phdr(0)->p_vaddr = 0xffffffff80000000ull;
	eh->e_entry = 0xffffffff80000010ull;
	assert_int_equal(load(NULL), 0);
	assert_int_equal(start.rip, CODE_AT + 0x10);
}

/* A command line that does not fit is refused, not cut. */
static void image_load_refuses_long_command_line(void **state)
{
	static char text[IMAGE_CMDLINE_MAX + 2];

	(void)state;
	memset(text, 'a', IMAGE_CMDLINE_MAX + 1);
	make_elf64();
	add_pvh();
	assert_int_equal(load(text), -BH_RANGE);
	text[IMAGE_CMDLINE_MAX] = 0;
	assert_int_equal(load(text), 0);
	make_bzimage();
	assert_int_equal(load(text), -BH_RANGE);
}

/* RAM that is too small, too large or not whole pages is refused before anything is written. */
static void image_load_refuses_odd_ram(void **state)
{
	(void)state;
	make_elf64();
	add_multiboot(0);
	assert_int_equal(image_load(file, sizeof(file), NULL, 0, NULL, ram, 4096, 0, 0, &start), -BH_RANGE);
	assert_int_equal(image_load(file, sizeof(file), NULL, 0, NULL, ram, RAM_SIZE - 1, 0, 0, &start),
			 -BH_RANGE);
	assert_int_equal(image_load(file, sizeof(file), NULL, 0, NULL, ram, 4ull << 30, 0, 0, &start),
			 -BH_RANGE);
}

/* An old bzImage, or one that wants to be loaded low, is refused. */
static void image_load_refuses_old_bzimage(void **state)
{
	(void)state;
	make_bzimage();
	file[0x206] = 0x09;
	assert_int_equal(load(NULL), -BH_NOSUPP);
	make_bzimage();
	file[0x211] = 0;
	assert_int_equal(load(NULL), -BH_NOSUPP);
}

/* A bzImage cut off before its protected-mode part is malformed. */
static void image_load_refuses_truncated_bzimage(void **state)
{
	(void)state;
	make_bzimage();
	file[0x1f1] = 64;
	assert_int_equal(load(NULL), -BH_INVAL);
	assert_int_equal(image_load(file, 0x210, NULL, 0, NULL, ram, RAM_SIZE, 0, 0, &start), -BH_INVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(image_load_starts_multiboot_elf64),
		TEST(image_load_gives_multiboot_modules),
		TEST(image_load_starts_pvh),
		TEST(image_load_tells_linux_the_tsc_rate),
		TEST(image_load_starts_bzimage),
		TEST(image_load_refuses_initrd_over_bzimage),
		TEST(image_load_keeps_start_on_failure),
		TEST(image_load_refuses_plain_elf),
		TEST(image_load_refuses_multiboot_with_wrong_checksum),
		TEST(image_load_refuses_multiboot_demands),
		TEST(image_load_refuses_segments_outside),
		TEST(image_load_refuses_segments_outside_file),
		TEST(image_load_refuses_overlapping_segments),
		TEST(image_load_refuses_damaged_header_table),
		TEST(image_load_refuses_entry_outside_segments),
		TEST(image_load_survives_damaged_notes),
		TEST(image_load_translates_entry),
		TEST(image_load_refuses_long_command_line),
		TEST(image_load_refuses_odd_ram),
		TEST(image_load_refuses_old_bzimage),
		TEST(image_load_refuses_truncated_bzimage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
