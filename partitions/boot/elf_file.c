/* SPDX-License-Identifier: Apache-2.0 */
/** ELF headers, PVH note, segments. Decode first, on private copies; loading then trusts the copy. */
#include "elf_file.h"
#include <elf.h>
#include <string.h>
#include "image.h"

#define XEN_NOTE_PHYS32_ENTRY 18u /* Xen public/elfnote.h */

bool elf_check_magic(const void *file, size_t size)
{
	return size >= EI_NIDENT && memcmp(file, ELFMAG, SELFMAG) == 0;
}

static bool inside(uint64_t offset, uint64_t length, size_t size)
{
	return length <= size && offset <= size - length;
}

static void header_widen(const Elf32_Ehdr *narrow, Elf64_Ehdr *ret_wide)
{
	*ret_wide = (Elf64_Ehdr){
		.e_type = narrow->e_type,
		.e_machine = narrow->e_machine,
		.e_entry = narrow->e_entry,
		.e_phoff = narrow->e_phoff,
		.e_phentsize = narrow->e_phentsize,
		.e_phnum = narrow->e_phnum,
	};
}

static void segment_widen(const Elf32_Phdr *narrow, Elf64_Phdr *ret_wide)
{
	*ret_wide = (Elf64_Phdr){
		.p_type = narrow->p_type,
		.p_offset = narrow->p_offset,
		.p_vaddr = narrow->p_vaddr,
		.p_paddr = narrow->p_paddr,
		.p_filesz = narrow->p_filesz,
		.p_memsz = narrow->p_memsz,
	};
}

/* Looks for the PVH entry in one note segment, whose bytes are inside the file. A damaged note ends the
 * search: what came before it counts. */
static void note_decode(const uint8_t *notes, uint64_t size, struct elf_image *image)
{
	uint64_t at = 0;

	while (size - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr note;

		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		uint64_t name_room = ((uint64_t)note.n_namesz + 3) & ~3ull;
		uint64_t desc_room = ((uint64_t)note.n_descsz + 3) & ~3ull;

		if (name_room > size - at || note.n_descsz > size - at - name_room) {
			return;
		}
		const uint8_t *desc = notes + at + name_room;

		if (note.n_type == XEN_NOTE_PHYS32_ENTRY && note.n_namesz == 4 &&
		    memcmp(notes + at, "Xen", 4) == 0 && note.n_descsz >= 4) {
			uint64_t entry = 0;

			memcpy(&entry, desc, note.n_descsz >= 8 ? 8 : 4);
			image->has_pvh = true;
			image->pvh_entry = entry;
			return;
		}
		if (desc_room > size - at - name_room) {
			return;
		}
		at += name_room + desc_room;
	}
}

/* e_entry is virtual; loaders start at the physical place of the same byte. */
static uint64_t entry_physical(const struct elf_image *image, uint64_t entry)
{
	for (uint32_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		if (entry >= s->vaddr && entry - s->vaddr < s->mem_size) {
			return entry - s->vaddr + s->paddr;
		}
	}
	return entry;
}

static int segment_decode(const Elf64_Phdr *ph, size_t size, struct elf_image *image)
{
	if (ph->p_type != PT_LOAD && ph->p_type != PT_NOTE) {
		return 0;
	}
	if (!inside(ph->p_offset, ph->p_filesz, size)) {
		return -BH_INVAL;
	}
	if (ph->p_type == PT_NOTE) {
		if (!image->has_pvh) {
			note_decode(image->file + ph->p_offset, ph->p_filesz, image);
		}
		return 0;
	}
	if (ph->p_memsz < ph->p_filesz || ph->p_paddr > UINT64_MAX - ph->p_memsz) {
		return -BH_INVAL;
	}
	if (ph->p_memsz == 0) {
		return 0;
	}
	if (image->segment_count == ELF_SEGMENT_MAX) {
		return -BH_NOSUPP;
	}
	image->segments[image->segment_count++] = (struct elf_segment){
		.offset = ph->p_offset,
		.file_size = ph->p_filesz,
		.mem_size = ph->p_memsz,
		.vaddr = ph->p_vaddr,
		.paddr = ph->p_paddr,
	};
	return 0;
}

int elf_decode(const void *file, size_t size, struct elf_image *ret_image)
{
	struct elf_image image = { .file = file };
	Elf64_Ehdr eh;
	bool wide;

	if (!elf_check_magic(file, size) || image.file[EI_DATA] != ELFDATA2LSB) {
		return -BH_INVAL;
	}
	wide = image.file[EI_CLASS] == ELFCLASS64;
	if (!wide && image.file[EI_CLASS] != ELFCLASS32) {
		return -BH_INVAL;
	}
	if (size < (wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr))) {
		return -BH_INVAL;
	}
	if (wide) {
		memcpy(&eh, file, sizeof(eh));
	} else {
		Elf32_Ehdr narrow;

		memcpy(&narrow, file, sizeof(narrow));
		header_widen(&narrow, &eh);
	}
	if (eh.e_machine != EM_X86_64 && eh.e_machine != EM_386) {
		return -BH_NOSUPP;
	}
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN) {
		return -BH_NOSUPP;
	}
	uint64_t entry_size = wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

	if (eh.e_phnum == 0 || eh.e_phnum == PN_XNUM || eh.e_phentsize != entry_size ||
	    !inside(eh.e_phoff, eh.e_phnum * entry_size, size)) {
		return -BH_INVAL;
	}
	for (uint32_t i = 0; i < eh.e_phnum; i++) {
		const uint8_t *at = image.file + eh.e_phoff + i * entry_size;
		Elf64_Phdr ph;

		if (wide) {
			memcpy(&ph, at, sizeof(ph));
		} else {
			Elf32_Phdr narrow;

			memcpy(&narrow, at, sizeof(narrow));
			segment_widen(&narrow, &ph);
		}
		int err = segment_decode(&ph, size, &image);

		if (err != 0) {
			return err;
		}
	}
	if (image.segment_count == 0) {
		return -BH_INVAL;
	}
	image.entry = entry_physical(&image, eh.e_entry);
	*ret_image = image;
	return 0;
}

int elf_load(const struct elf_image *image, struct window *w)
{
	for (uint32_t i = 0; i < image->segment_count; i++) {
		int err = window_claim(w, image->segments[i].paddr, image->segments[i].mem_size);

		if (err != 0) {
			return err;
		}
	}
	for (uint32_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];
		uint8_t *to = window_at(w, s->paddr);

		memcpy(to, image->file + s->offset, s->file_size);
		memset(to + s->file_size, 0, s->mem_size - s->file_size);
	}
	return 0;
}

bool elf_contains(const struct elf_image *image, uint64_t paddr)
{
	for (uint32_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		if (paddr >= s->paddr && paddr - s->paddr < s->mem_size) {
			return true;
		}
	}
	return false;
}
