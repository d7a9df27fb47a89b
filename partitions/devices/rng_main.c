/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-rng: virtio-rng behind vhost-user. */
#define _GNU_SOURCE

#include "device.h"
#include "rng.h"

#include <time.h>

struct rng_device {
	struct rng rng;
	struct vhost_server *server;
	uint64_t rate;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static bool option(void *dev, const char *name, const char *arg)
{
	struct rng_device *device = dev;

	return device_parse_number(arg, 1u << 30, &device->rate) && device->rate > 0;
}

static int open_device(void *dev, struct vhost_server *server, uint64_t *ret_features)
{
	struct rng_device *device = dev;

	device->server = server;
	rng_init(&device->rng, device->rate, now_ns());
	*ret_features = 0;
	return 0;
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	struct rng_device *device = dev;

	return rng_handle_queue(&device->rng, vq, now_ns());
}

static int timeout_ms(void *dev)
{
	struct rng_device *device = dev;

	return vhost_server_queue(device->server, 0) ? rng_wait_ms(&device->rng) : -1;
}

static void tick(void *dev)
{
	struct rng_device *device = dev;
	struct vq *vq = vhost_server_queue(device->server, 0);

	if (vq && rng_wait_ms(&device->rng) >= 0) {
		rng_handle_queue(&device->rng, vq, now_ns());
	}
}

int main(int argc, char **argv)
{
	static const struct device_option options[] = {
		{"rate", "BYTES", "bytes per second, default 65536"},
		{0},
	};
	static const struct device_class class = {
		.name = "bulkhead-rng",
		.summary = "Serves a virtio entropy device.",
		.options = options,
		.queue_count = RNG_QUEUE_COUNT,
		.ops = {.handle_queue = handle_queue},
		.option = option,
		.open = open_device,
		.timeout_ms = timeout_ms,
		.tick = tick,
	};
	static struct rng_device device = {.rate = RNG_RATE_DEFAULT};

	return device_main(&class, &device, argc, argv);
}
