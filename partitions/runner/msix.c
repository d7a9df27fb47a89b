/* SPDX-License-Identifier: Apache-2.0 */
/** Only state; virtio_irq.c acts on it. */
#include "msix.h"

#include <string.h>

#define CONTROL_MASKED 1u

void msix_init(struct msix *msix, unsigned count)
{
	memset(msix, 0, sizeof(*msix));
	msix->count = count;
	for (unsigned i = 0; i < count; i++) {
		msix->entry[i].control = CONTROL_MASKED;
	}
}

static uint32_t read_dword(const struct msix *msix, uint64_t offset)
{
	const struct msix_entry *entry = &msix->entry[offset / MSIX_ENTRY_SIZE];

	switch (offset % MSIX_ENTRY_SIZE) {
	case 0:
		return (uint32_t)entry->addr;
	case 4:
		return (uint32_t)(entry->addr >> 32);
	case 8:
		return entry->data;
	default:
		return entry->control;
	}
}

static void write_dword(struct msix *msix, uint64_t offset, uint32_t value)
{
	struct msix_entry *entry = &msix->entry[offset / MSIX_ENTRY_SIZE];

	switch (offset % MSIX_ENTRY_SIZE) {
	case 0:
		entry->addr = (entry->addr & ~0xffffffffull) | (value & ~3u);
		break;
	case 4:
		entry->addr = (entry->addr & 0xffffffffull) | (uint64_t)value << 32;
		break;
	case 8:
		entry->data = value;
		break;
	default:
		entry->control = value & CONTROL_MASKED;
		break;
	}
}

static bool fits(uint64_t offset, unsigned size, uint64_t end)
{
	return (size == 4 || size == 8) && offset % size == 0 && offset < end;
}

uint64_t msix_table_read(const struct msix *msix, uint64_t offset, unsigned size)
{
	uint64_t value;

	if (!fits(offset, size, (uint64_t)msix->count * MSIX_ENTRY_SIZE)) {
		return 0;
	}
	value = read_dword(msix, offset);
	if (size == 8) {
		value |= (uint64_t)read_dword(msix, offset + 4) << 32;
	}
	return value;
}

void msix_table_write(struct msix *msix, uint64_t offset, unsigned size, uint64_t value)
{
	if (!fits(offset, size, (uint64_t)msix->count * MSIX_ENTRY_SIZE)) {
		return;
	}
	write_dword(msix, offset, (uint32_t)value);
	if (size == 8) {
		write_dword(msix, offset + 4, (uint32_t)(value >> 32));
	}
}

uint64_t msix_pba_read(const struct msix *msix, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (!fits(offset, size, MSIX_PBA_SIZE)) {
		return 0;
	}
	for (unsigned bit = 0; bit < size * 8; bit++) {
		uint64_t vector = offset * 8 + bit;

		if (vector < msix->count && msix->pending[vector]) {
			value |= 1ull << bit;
		}
	}
	return value;
}

bool msix_deliverable(const struct msix *msix, unsigned vector)
{
	return vector < msix->count && msix->enabled && !msix->masked &&
	       !(msix->entry[vector].control & CONTROL_MASKED);
}

bool msix_take_pending(struct msix *msix, unsigned vector)
{
	if (!msix_deliverable(msix, vector) || !msix->pending[vector]) {
		return false;
	}
	msix->pending[vector] = false;
	return true;
}
