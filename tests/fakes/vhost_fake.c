/* SPDX-License-Identifier: Apache-2.0 */
/** vhost.h over memory. */
#include "vhost_fake.h"

#include <string.h>

struct fake_vhost fake_vhost;

void fake_vhost_reset(void)
{
	memset(&fake_vhost, 0, sizeof(fake_vhost));
	fake_vhost.has_config = true;
	fake_vhost.announces_config = true;
}

static int result(struct vhost *vhost)
{
	vhost->lost |= fake_vhost.fail;
	return fake_vhost.fail ? -1 : 0;
}

int vhost_set_features(struct vhost *vhost, uint64_t features)
{
	fake_vhost.features_set = features;
	fake_vhost.features_calls++;
	return result(vhost);
}

int vhost_ring_start(struct vhost *vhost, unsigned index, const struct vhost_ring *ring)
{
	fake_vhost.starts++;
	fake_vhost.ring[index] = *ring;
	fake_vhost.running[index] = true;
	return result(vhost);
}

int vhost_ring_stop(struct vhost *vhost, unsigned index)
{
	fake_vhost.stops++;
	fake_vhost.running[index] = false;
	return result(vhost);
}

bool vhost_has_config(const struct vhost *vhost)
{
	return fake_vhost.has_config;
}

bool vhost_announces_config(const struct vhost *vhost)
{
	return fake_vhost.announces_config;
}

int vhost_config_read(struct vhost *vhost, void *bytes, unsigned size)
{
	fake_vhost.config_reads++;
	memcpy(bytes, fake_vhost.config, size);
	return result(vhost);
}

int vhost_config_write(struct vhost *vhost, unsigned offset, unsigned size, const void *bytes)
{
	memcpy(fake_vhost.config + offset, bytes, size);
	return result(vhost);
}
