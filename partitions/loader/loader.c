/* SPDX-License-Identifier: Apache-2.0 */
/** First code of the control partition: loads the kernel that root mode must not parse.
 *
 *  The first module is an ELF with a PVH note. Modules that lie where its segments go are moved to
 * the top of RAM below 1 GiB; then the segments are loaded, the module leaves the list, and the
 * kernel is entered by PVH with the module's string (after the role) as its command line. Where its
 * addresses are no RAM, linux64.c enters it elsewhere. All addresses are below 4 GiB, paging is
 * off. Anything wrong is said on COM1, and the CPU halts. Sources: System V gABI, "Program
 * Loading"; Xen, "x86/HVM direct boot ABI". */
#include "loader.h"

#define ELF_MAGIC   0x464c457fu
#define CLASS_32    1
#define CLASS_64    2
#define PT_LOAD	    1u
#define PT_NOTE	    4u
#define MODULE_MAX  16u
#define NOTE_PHYS32 18u /* XEN_ELFNOTE_PHYS32_ENTRY */
#define NAME_XEN    0x006e6558u

#define LOW_END	 0x100000u
#define MOVE_END 0x40000000u
#define COM1	 0x3f8

struct elf32_header {
	uint32_t magic;
	uint8_t class, rest[11];
	uint16_t type, machine;
	uint32_t version, entry, phoff, shoff, flags;
	uint16_t ehsize, phentsize, phnum;
};

struct elf64_header {
	uint32_t magic;
	uint8_t class, rest[11];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum;
};

struct phdr32 {
	uint32_t type, offset, vaddr, paddr, filesz, memsz, flags, align;
};

struct phdr64 {
	uint32_t type, flags;
	uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void say(const char *text)
{
	for (; *text; text++) {
		for (int i = 0; i < 100000 && !(in8(COM1 + 5) & 0x20); i++) {
		}
		out8(COM1, (uint8_t)*text);
	}
}

_Noreturn void loader_stop(const char *why)
{
	say("loader: ");
	say(why);
	say("\r\n");
	for (;;) {
		__asm__ volatile("cli; hlt");
	}
}

static void *at(uint64_t pa)
{
	return (void *)(uintptr_t)pa;
}

/** Overlap-safe; whole words first, since this moves tens of megabytes. */
static void move(uint32_t to, uint32_t from, uint32_t size)
{
	uint32_t words = size / 4, rest = size % 4;

	if (to <= from || to >= from + size) {
		__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
		__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
		return;
	}
	to += size - 1;
	from += size - 1;
	__asm__ volatile("std\n\t"
			 "rep movsb\n\t"
			 "sub $3, %0\n\t"
			 "sub $3, %1\n\t"
			 "mov %3, %2\n\t"
			 "rep movsl\n\t"
			 "cld"
			 : "+&D"(to), "+&S"(from), "+&c"(rest)
			 : "r"(words)
			 : "memory");
}

static void zero(uint32_t to, uint32_t size)
{
	uint32_t rest = size % 4;

	size /= 4;
	__asm__ volatile("rep stosl" : "+D"(to), "+c"(size) : "a"(0) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(0) : "memory");
}

static bool overlaps(uint64_t a, uint64_t a_end, uint64_t b, uint64_t b_end)
{
	return a < b_end && b < a_end;
}

static uint64_t align4(uint64_t value)
{
	return (value + 3) & ~3ull;
}

/** Looks for the PVH entry in one note segment of the file. */
static void read_notes(struct kernel *k, const uint8_t *file, uint64_t offset, uint64_t size)
{
	while (size >= 12) {
		const uint32_t *note = (const uint32_t *)(file + (uint32_t)offset);
		uint64_t name = align4(note[0]), desc = align4(note[1]);

		if (name + desc > size - 12) {
			return;
		}
		if (note[2] == NOTE_PHYS32 && note[0] == 4 && note[3] == NAME_XEN && note[1] >= 4) {
			k->entry = note[4];
		}
		offset += 12 + name + desc;
		size -= 12 + name + desc;
	}
}

static void add_segment(struct kernel *k, const struct segment *s)
{
	if (!s->memsz) {
		return;
	}
	if (s->filesz > s->memsz || s->paddr < LOW_END || s->memsz > MOVE_END ||
	    s->paddr > 0xffffffffu - s->memsz) {
		loader_stop("kernel has a segment outside memory");
	}
	if (k->load_count == PHDR_MAX) {
		loader_stop("kernel has too many segments");
	}
	k->load[k->load_count++] = *s;
	k->low = s->paddr < k->low ? (uint32_t)s->paddr : k->low;
	if (s->paddr + s->memsz > k->high) {
		k->high = (uint32_t)(s->paddr + s->memsz);
	}
}

static void add_phdr(struct kernel *k, const uint8_t *file, uint64_t size, uint32_t type,
		     const struct segment *s)
{
	if (type != PT_LOAD && type != PT_NOTE) {
		return;
	}
	if (s->offset > size || s->filesz > size - s->offset) {
		loader_stop("kernel is truncated");
	}
	if (type == PT_LOAD) {
		add_segment(k, s);
	} else {
		read_notes(k, file, s->offset, s->filesz);
	}
}

static void read_elf(struct kernel *k, const uint8_t *file, uint64_t size)
{
	const struct elf64_header *h64 = (const void *)file;
	const struct elf32_header *h32 = (const void *)file;
	bool wide;
	uint64_t phoff;
	uint32_t count, entry_size;

	if (size < sizeof(*h64) || h64->magic != ELF_MAGIC) {
		loader_stop("kernel is not an ELF file");
	}
	wide = h64->class == CLASS_64;
	k->entry64 = wide ? (uint32_t)h64->entry : 0;
	if (!wide && h64->class != CLASS_32) {
		loader_stop("kernel is not an ELF file");
	}
	phoff = wide ? h64->phoff : h32->phoff;
	count = wide ? h64->phnum : h32->phnum;
	entry_size = wide ? sizeof(struct phdr64) : sizeof(struct phdr32);
	if (count > PHDR_MAX || (wide ? h64->phentsize : h32->phentsize) != entry_size) {
		loader_stop("kernel has program headers of another kind");
	}
	if (phoff > size || count * entry_size > size - phoff) {
		loader_stop("kernel is truncated");
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct phdr64 *p64 = (const struct phdr64 *)(file + (uint32_t)phoff) + i;
		const struct phdr32 *p32 = (const struct phdr32 *)(file + (uint32_t)phoff) + i;

		if (wide) {
			struct segment s = {p64->offset, p64->paddr, p64->filesz, p64->memsz};

			add_phdr(k, file, size, p64->type, &s);
		} else {
			struct segment s = {p32->offset, p32->paddr, p32->filesz, p32->memsz};

			add_phdr(k, file, size, p32->type, &s);
		}
	}
	if (!k->entry) {
		loader_stop("kernel has no PVH entry note");
	}
	if (k->entry < k->low || k->entry >= k->high) {
		loader_stop("kernel has its PVH entry outside its segments");
	}
}

/** [base, end) lies in usable RAM. Neighbouring regions count as one; they are sorted. */
bool loader_is_ram(const struct start_info *info, uint64_t base, uint64_t end)
{
	const struct mem *map = at(info->memmap);

	for (uint32_t i = 0; i < info->memmap_count; i++) {
		if (map[i].type == E820_RAM && map[i].base <= base &&
		    base < map[i].base + map[i].size) {
			base = map[i].base + map[i].size;
			if (base >= end) {
				return true;
			}
		}
	}
	return false;
}

/** End of the first thing in the way of [base, end): the kernel, or a module but for `self`. 0:
 * nothing. */
uint64_t loader_in_the_way(const struct start_info *info, const struct kernel *k, uint32_t self,
			   uint64_t base, uint64_t end)
{
	const struct module *m = at(info->modlist);

	if (overlaps(base, end, k->low, k->high)) {
		return k->low;
	}
	for (uint32_t i = 0; i < info->module_count; i++) {
		if (i != self && overlaps(base, end, m[i].base, m[i].base + m[i].size)) {
			return m[i].base;
		}
	}
	return 0;
}

/** Highest place for module `self` below MOVE_END. */
static uint32_t find_place(const struct start_info *info, const struct kernel *k, uint32_t self)
{
	const struct module *m = (const struct module *)at(info->modlist) + self;
	const struct mem *map = at(info->memmap);

	for (uint32_t i = info->memmap_count; i-- > 0;) {
		uint64_t end = map[i].base + map[i].size;

		if (map[i].type != E820_RAM || map[i].base >= MOVE_END) {
			continue;
		}
		end = end < MOVE_END ? end : MOVE_END;
		while (end > LOW_END && end >= map[i].base + m->size) {
			uint64_t base = (end - m->size) & ~(uint64_t)(PAGE - 1);
			uint64_t blocker;

			if (base < map[i].base || base < LOW_END) {
				break;
			}
			blocker = loader_in_the_way(info, k, self, base, base + m->size);
			if (!blocker) {
				return (uint32_t)base;
			}
			end = blocker;
		}
	}
	loader_stop("no room to move a module");
}

static void move_modules(const struct start_info *info, const struct kernel *k)
{
	struct module *m = at(info->modlist);

	for (uint32_t i = 0; i < info->module_count; i++) {
		uint32_t to;

		if (!overlaps(m[i].base, m[i].base + m[i].size, k->low, k->high)) {
			continue;
		}
		to = find_place(info, k, i);
		move(to, (uint32_t)m[i].base, (uint32_t)m[i].size);
		m[i].base = to;
	}
}

static void load_segments(const struct kernel *k, uint32_t file)
{
	for (uint32_t i = 0; i < k->load_count; i++) {
		const struct segment *s = &k->load[i];

		uint32_t to = (uint32_t)s->paddr + k->moved_by;

		move(to, file + (uint32_t)s->offset, (uint32_t)s->filesz);
		zero(to + (uint32_t)s->filesz, (uint32_t)(s->memsz - s->filesz));
	}
}

/** The string of a module without its first word. */
static uint64_t after_role(uint64_t cmdline)
{
	const char *text = at(cmdline);

	while (*text && *text != ' ') {
		text++;
	}
	while (*text == ' ') {
		text++;
	}
	return (uintptr_t)text;
}

static void check_modules(const struct start_info *info)
{
	const struct module *m = at(info->modlist);

	if (!info->module_count || info->module_count > MODULE_MAX) {
		loader_stop("no kernel module");
	}
	for (uint32_t i = 0; i < info->module_count; i++) {
		if (m[i].size > 0xffffffffu || m[i].base > 0xffffffffu - m[i].size) {
			loader_stop("a module lies above 4 GiB");
		}
	}
}

uint32_t loader_main(struct start_info *info)
{
	struct module *m = at(info->modlist);
	struct kernel k;

	k.load_count = 0;
	k.low = 0xffffffffu;
	k.high = 0;
	k.entry = 0;
	k.moved_by = 0;
	check_modules(info);
	read_elf(&k, at(m[0].base), m[0].size);
	if (loader_is_ram(info, k.low, k.high)) {
		move_modules(info, &k);
	} else { /* firmware keeps memory there */
		k.moved_by = linux64_place(info, &k) - k.low;
	}
	load_segments(&k, (uint32_t)m[0].base);
	info->cmdline = after_role(m[0].cmdline);
	info->modlist += sizeof(*m);
	info->module_count--;
	if (k.moved_by) {
		linux64_enter(info, &k);
	}
	return k.entry;
}
