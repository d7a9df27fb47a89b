/* SPDX-License-Identifier: Apache-2.0 */
/** What the transport has to know of each kind of virtio device.
 *  Source: virtio 1.2, "Device Types" and the configuration layout of each type. */
#ifndef RUNNER_VIRTIO_TYPE_H
#define RUNNER_VIRTIO_TYPE_H

#include <stdint.h>

struct virtio_type {
	const char *name; /* as in --device */
	uint16_t id;
	uint32_t class_code;  /* PCI, 24 bits */
	unsigned queue_count; /* when the back end does not say */
	unsigned queue_size;  /* entries */
	unsigned config_size; /* bytes */
};

/** NULL when there is none of that name. */
const struct virtio_type *virtio_type_find(const char *name);

#endif
