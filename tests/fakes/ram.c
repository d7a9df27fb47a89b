/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the low memory of a host test, and the symbols that the linker script and assembly give root
 * mode. */
#define _GNU_SOURCE
#include "fake_ram.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mem/image.h"

#define RAM_START 0x100000ull

static uint64_t mapped;

/* From hv/cpu/trap_entry.S, hv/boot/link.ld and the loader's object. */
extern const uint8_t trap_stubs[];
extern const uint64_t link_fixup_start[], link_fixup_end[];
extern const uint8_t loader_blob[], loader_blob_end[];
const uint8_t trap_stubs[256 * 16] = {0};
__asm__(".globl link_fixup_start, link_fixup_end, loader_blob, loader_blob_end\n"
	".data\n"
	".balign 8\n"
	"link_fixup_start: .quad 0x1000, 0x2000\n"
	"link_fixup_end: .quad 0\n"
	"loader_blob: .ascii \"loader\"\n"
	"loader_blob_end: .byte 0\n"
	".text\n");

struct image_layout image_layout(void)
{
	return (struct image_layout){.text = RAM_START,
				     .text_end = 0x140000,
				     .rodata = 0x140000,
				     .rodata_end = 0x160000,
				     .data = 0x160000,
				     .end = FAKE_IMAGE_END};
}

void fake_ram_init(uint64_t size)
{
	struct boot_info *info = boot_record();

	if (mapped) {
		munmap((void *)(uintptr_t)RAM_START, mapped);
	}
	mapped = size - RAM_START;
	if (mmap((void *)(uintptr_t)RAM_START, mapped, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
		 0) != (void *)(uintptr_t)RAM_START) {
		perror("RAM of the test");
		abort();
	}
	memset((void *)(uintptr_t)RAM_START, 0xa5, mapped);
	memset(info, 0, sizeof(*info));
	info->map[0] = (struct boot_mem){.base = 0, .size = 0x9f000, .type = BOOT_MEM_RAM};
	info->map[1] = (struct boot_mem){.base = RAM_START, .size = mapped, .type = BOOT_MEM_RAM};
	info->map_count = 2;
}

void fake_ram_module(const char *role, uint64_t base, const void *bytes, uint64_t size)
{
	struct boot_info *info = boot_record();
	struct boot_module *module = &info->modules[info->module_count++];

	memcpy((void *)(uintptr_t)base, bytes, size);
	snprintf(module->role, sizeof(module->role), "%s", role);
	module->cmdline = "";
	module->base = base;
	module->size = size;
}
