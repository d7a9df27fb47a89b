/* SPDX-License-Identifier: Apache-2.0 */
/** A back end behind vhost.h without a socket: it remembers what it was told. */
#ifndef FAKE_VHOST_H
#define FAKE_VHOST_H

#include "abi/types.h"
#include "vhost.h"

#define FAKE_VHOST_CONFIG 256u

struct fake_vhost {
	uint64_t features_set;
	unsigned features_calls;
	struct vhost_ring ring[BH_DOORBELL_QUEUE_MAX];
	bool running[BH_DOORBELL_QUEUE_MAX];
	unsigned starts, stops;
	bool fail; /* every call fails, as when the back end is lost */
	uint8_t config[FAKE_VHOST_CONFIG];
	unsigned config_reads;
	bool has_config, announces_config;
};

extern struct fake_vhost fake_vhost;

/** Forgets everything; the back end has configuration space and announces changes. */
void fake_vhost_reset(void);

#endif
