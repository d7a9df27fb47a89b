/* SPDX-License-Identifier: Apache-2.0 */
/** Any sequence of port and memory accesses of a guest against PCI and a virtio device.
 *
 *  Input: 8-byte steps: kind, offset (2 bytes), size, value (4 bytes). */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "vhost_fake.h"
#include "virtio_guest.h"

#define STEP	  8u
#define STEPS_MAX 512u

enum { STEP_CONFIG, STEP_PORT, STEP_BAR, STEP_NOTIFY, STEP_ANY, STEP_BACK_END, STEP_KINDS };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever the guest does, the back end hears only of rings that lie in RAM. */
static void check_rings(void)
{
	for (unsigned i = 0; i < BH_DOORBELL_QUEUE_MAX; i++) {
		const struct vhost_ring *ring = &fake_vhost.ring[i];

		if (!fake_vhost.running[i]) {
			continue;
		}
		if (ring->size == 0 || ring->desc + 16ull * ring->size > VIRTIO_GUEST_RAM ||
		    ring->driver + 6 + 2ull * ring->size > VIRTIO_GUEST_RAM ||
		    ring->device + 6 + 8ull * ring->size > VIRTIO_GUEST_RAM) {
			abort();
		}
	}
}

static void access_memory(struct virtio_guest *guest, uint64_t addr, unsigned size, bool write,
			  uint32_t value)
{
	if (write) {
		virtio_guest_write(guest, BH_IOREQ_MMIO, addr, size, value);
	} else {
		virtio_guest_read(guest, BH_IOREQ_MMIO, addr, size);
	}
}

static void back_end_step(struct virtio_guest *guest, unsigned offset, uint32_t value)
{
	switch (offset % 4) {
	case 0:
		virtio_irq_call(&guest->dev, value % 70);
		break;
	case 1:
		virtio_dev_config_changed(&guest->dev);
		break;
	case 2:
		fake_vhost.config[value % FAKE_VHOST_CONFIG] = (uint8_t)(value >> 8);
		break;
	default:
		fake_vhost.fail = value & 1;
		break;
	}
}

static void step(struct virtio_guest *guest, const uint8_t *bytes)
{
	unsigned offset = bytes[1] | (unsigned)bytes[2] << 8;
	unsigned size = 1u << (bytes[3] & 3);
	bool write = bytes[3] & 0x80;
	uint32_t value;

	memcpy(&value, bytes + 4, sizeof(value));
	switch (bytes[0] % STEP_KINDS) {
	case STEP_CONFIG:
		if (write) {
			virtio_guest_config_write(guest, offset >> 8 & 1, offset & 0xff, size,
						  value);
		} else {
			virtio_guest_config_read(guest, offset >> 8 & 1, offset & 0xff, size);
		}
		break;
	case STEP_PORT:
		if (write) {
			virtio_guest_write(guest, BH_IOREQ_PIO, PCI_PORT_ADDRESS + offset % 8, size,
					   value);
		} else {
			virtio_guest_read(guest, BH_IOREQ_PIO, PCI_PORT_ADDRESS + offset % 8, size);
		}
		break;
	case STEP_BAR:
		access_memory(guest, LAYOUT_DEVICE_GPA + offset, size, write, value);
		break;
	case STEP_NOTIFY:
		access_memory(guest, LAYOUT_DOORBELL_GPA + offset, size, write, value);
		break;
	case STEP_ANY:
		access_memory(guest, value, size, write, offset);
		break;
	default:
		back_end_step(guest, offset, value);
		break;
	}
	check_rings();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const types[] = {"blk", "console",	     "rng",
					    "gpu", "input-keyboard", "net"};
	struct virtio_guest *guest;

	if (size < 1) {
		return 0;
	}
	guest = virtio_guest_create(types[data[0] % 6]);
	if (guest == NULL) {
		abort();
	}
	if (data[0] & 0x80) {
		virtio_guest_start(guest);
	}
	for (size_t i = 1; i + STEP <= size && i < STEP * STEPS_MAX; i += STEP) {
		step(guest, data + i);
	}
	virtio_guest_destroy(guest);
	return 0;
}
