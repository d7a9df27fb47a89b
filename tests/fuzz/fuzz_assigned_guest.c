/* SPDX-License-Identifier: Apache-2.0 */
/** Any sequence of accesses of a guest to a real device's function, over any configuration space of
 * that device.
 *
 *  Input: one byte n, n pairs (offset, value) that change the device's configuration space, then
 * 8-byte steps: kind, offset (2 bytes), size, value (4 bytes). */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "assigned_guest.h"

#define STEP	  8u
#define STEPS_MAX 512u

enum { STEP_CONFIG, STEP_TABLE, STEP_BAR, STEP_ANY, STEP_KINDS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the guest does, BARs are mapped in the PCI window only and apart from each other, no
 * entry is live without a message, and nothing is live that the guest did not enable. */
static void check_device(struct assigned_guest *guest)
{
	const struct fake_dev_device *card = assigned_guest_card(guest);
	uint32_t command = assigned_guest_config_read(guest, PCI_COMMAND, 2);

	for (unsigned i = 0; i < BH_DEVICE_BAR_MAX; i++) {
		uint64_t end = card->bar[i] + card->info.bar_size[i];

		if (card->bar[i] == 0) {
			continue;
		}
		if (!(command & PCI_COMMAND_MEMORY) || end > LAYOUT_PCI_HOLE_END ||
		    card->bar[i] < LAYOUT_DOORBELL_GPA + LAYOUT_DEVICE_MAX * BH_PAGE_SIZE) {
			abort();
		}
		for (unsigned j = 0; j < i; j++) {
			if (card->bar[j] != 0 && card->bar[j] < end &&
			    card->bar[i] < card->bar[j] + card->info.bar_size[j]) {
				abort();
			}
		}
	}
	for (unsigned i = 0; i < BH_DEVICE_IRQ_MAX; i++) {
		if (!card->irq[i].masked && card->irq[i].address != 0 && !guest->dev.msix.enabled) {
			abort();
		}
	}
	if ((card->flags & BULKHEAD_DEVICE_MASTER) && !(command & 4)) {
		abort();
	}
}

static void step(struct assigned_guest *guest, const uint8_t *bytes)
{
	unsigned offset = bytes[1] | (unsigned)bytes[2] << 8;
	unsigned size = 1u << (bytes[3] & 3);
	bool write = bytes[3] & 0x80;
	uint64_t gpa = 0;
	uint32_t value;

	memcpy(&value, bytes + 4, sizeof(value));
	switch (bytes[0] % STEP_KINDS) {
	case STEP_CONFIG:
		if (write) {
			assigned_guest_config_write(guest, offset & 0xff, size, value);
		} else {
			assigned_guest_config_read(guest, offset & 0xff, size);
		}
		return;
	case STEP_TABLE:
		gpa = (assigned_guest_config_read(guest, PCI_BAR0 + 12, 4) & ~0xfu) +
		      (offset & 0x7f);
		break;
	case STEP_BAR:
		gpa = LAYOUT_ASSIGNED_GPA + offset * 8ull;
		break;
	default:
		gpa = value;
		break;
	}
	if (write) {
		assigned_guest_write(guest, gpa, size, value);
	} else {
		assigned_guest_read(guest, gpa, size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct assigned_guest *guest = assigned_guest_prepare();
	size_t at = 1;

	if (guest == NULL) {
		abort();
	}
	for (unsigned i = 0; size > 0 && i < data[0] && at + 2 <= size; i++, at += 2) {
		if (data[at] > 3) { /* whose device it is, is root mode's word */
			guest->setup.config[data[at]] = data[at + 1];
		}
	}
	if (assigned_guest_build(guest) == 0) {
		check_device(guest);
		for (unsigned i = 0; i < STEPS_MAX && at + STEP <= size; i++, at += STEP) {
			step(guest, data + at);
			check_device(guest);
		}
	}
	assigned_guest_destroy(guest);
	return 0;
}
