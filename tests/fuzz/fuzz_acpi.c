/* SPDX-License-Identifier: Apache-2.0 */
/** ACPI tables of any content: the first 36 bytes are the root pointer, the rest is memory at 1 MiB. */
#include <stdlib.h>
#include <string.h>

#include "acpi/acpi.h"

#define BASE 0x100000u

struct memory {
	const uint8_t *data;
	size_t size;
};

static const void *read_memory(void *ctx, uint64_t pa, uint64_t size)
{
	const struct memory *m = ctx;

	if (pa < BASE || pa - BASE > m->size || size > m->size - (pa - BASE)) {
		return NULL;
	}
	return m->data + (pa - BASE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t rsdp = size < 36 ? size : 36;
	struct memory m = {data + rsdp, size - rsdp};
	struct acpi_info info = {0};

	if (acpi_parse(data, rsdp, read_memory, &m, &info) == 0 && info.cpu_count > CPU_MAX) {
		abort();
	}
	return 0;
}
