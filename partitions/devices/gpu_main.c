/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-gpu: 2D virtio-gpu behind vhost-user, its pictures shown by the switcher. */
#define _GNU_SOURCE

#include "debug.h"
#include "device.h"
#include "gpu.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DUMP_INTERVAL_MS 500u

struct gpu_device {
	struct gpu gpu;
	struct vhost_server *server;
	int surface_fd;
	uint32_t width, height;
	uint64_t memory_mib;
	const char *dump_path;
	int dump_fd;
	uint64_t dumped_ms; /* when the last picture was written */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool parse_size(const char *text, uint32_t *ret_width, uint32_t *ret_height)
{
	char *end;
	unsigned long width = strtoul(text, &end, 10);
	unsigned long height = *end == 'x' ? strtoul(end + 1, &end, 10) : 0;

	if (*end || !width || !height || width > GPU_SIZE_MAX || height > GPU_SIZE_MAX) {
		return false;
	}
	*ret_width = (uint32_t)width;
	*ret_height = (uint32_t)height;
	return true;
}

static bool option(void *dev, const char *name, const char *arg)
{
	struct gpu_device *device = dev;

	if (!strcmp(name, "surface-fd")) {
		return device_parse_fd(arg, &device->surface_fd);
	}
	if (!strcmp(name, "size")) {
		return parse_size(arg, &device->width, &device->height);
	}
	if (!strcmp(name, "memory-mib")) {
		return device_parse_number(arg, 4096, &device->memory_mib);
	}
	device->dump_path = arg;
	return true;
}

static int open_device(void *dev, struct vhost_server *server, uint64_t *ret_features)
{
	struct gpu_device *device = dev;

	if (device->dump_path) {
		device->dump_fd =
			open(device->dump_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		if (device->dump_fd < 0) {
			debug_say("%s: %s", device->dump_path, strerror(errno));
			return -1;
		}
	}
	device->server = server;
	gpu_init(&device->gpu, device->surface_fd, device->width, device->height,
		 device->memory_mib << 20);
	*ret_features = gpu_features();
	return 0;
}

/* Writes what is shown as a PPM. A picture that cannot be written whole is a test's problem. */
static void dump(const struct gpu_device *device)
{
	const struct gpu *gpu = &device->gpu;
	const struct gpu_resource *resource = gpu_store_find(&gpu->store, gpu->scanout_id);
	static uint8_t row[GPU_SIZE_MAX * 3];
	char header[64];
	off_t at;

	if (!gpu->scanout_id || !resource) {
		return;
	}
	at = snprintf(header, sizeof(header), "P6\n%u %u\n255\n", gpu->scanout.width,
		      gpu->scanout.height);
	if (pwrite(device->dump_fd, header, (size_t)at, 0) != at) {
		return;
	}
	for (uint32_t y = 0; y < gpu->scanout.height; y++) {
		const uint8_t *from = resource->pixels +
				      (uint64_t)(gpu->scanout.y + y) * resource->stride +
				      (uint64_t)gpu->scanout.x * 4;
		ssize_t size = (ssize_t)gpu->scanout.width * 3;

		for (uint32_t x = 0; x < gpu->scanout.width; x++) {
			row[3 * x] = from[4 * x + 2];
			row[3 * x + 1] = from[4 * x + 1];
			row[3 * x + 2] = from[4 * x];
		}
		if (pwrite(device->dump_fd, row, (size_t)size, at) != size) {
			return;
		}
		at += size;
	}
	(void)!ftruncate(device->dump_fd, at);
}

static void dump_sometimes(struct gpu_device *device)
{
	if (device->dump_fd >= 0 && now_ms() - device->dumped_ms >= DUMP_INTERVAL_MS) {
		dump(device);
		device->dumped_ms = now_ms();
	}
}

static void get_config(void *dev, uint8_t *config)
{
	struct gpu_device *device = dev;

	gpu_get_config(&device->gpu, config);
}

static void set_config(void *dev, uint32_t offset, const uint8_t *data, uint32_t size)
{
	struct gpu_device *device = dev;

	gpu_set_config(&device->gpu, offset, data, size);
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	struct gpu_device *device = dev;

	return gpu_handle_queue(&device->gpu, vq);
}

static void reset(void *dev)
{
	struct gpu_device *device = dev;

	if (device->dump_fd >= 0) {
		dump(device);
	}
	gpu_reset(&device->gpu);
}

static unsigned poll_fds(void *dev, struct pollfd *fds)
{
	struct gpu_device *device = dev;

	fds[0] = screen_poll(&device->gpu.screen);
	return 1;
}

static void handle_fds(void *dev, const struct pollfd *fds, unsigned count)
{
	struct gpu_device *device = dev;
	uint32_t width, height;

	if (fds[0].fd < 0) {
		return;
	}
	if (fds[0].revents & POLLOUT) {
		screen_flush(&device->gpu.screen);
	}
	if ((fds[0].revents & ~POLLOUT) &&
	    screen_receive_resize(&device->gpu.screen, &width, &height) &&
	    gpu_resize(&device->gpu, width, height)) {
		vhost_server_config_changed(device->server);
	}
}

static int timeout_ms(void *dev)
{
	struct gpu_device *device = dev;

	return device->dump_fd >= 0 ? (int)DUMP_INTERVAL_MS : -1;
}

static void tick(void *dev)
{
	dump_sometimes(dev);
}

int main(int argc, char **argv)
{
	static const struct device_option options[] = {
		{"surface-fd", "N", "socket to the switcher; without it nothing is shown"},
		{"size", "WxH",
		 "size of the screen until the switcher says another; default 1024x736"},
		{"memory-mib", "N", "cap on the memory of all pictures, default 128"},
		{"dump", "FILE", "write the screen to FILE as PPM twice a second"},
		{0},
	};
	static const int syscalls[] = {SCMP_SYS(memfd_create), SCMP_SYS(ftruncate),
				       SCMP_SYS(pwrite64), -1};
	static const struct device_class class = {
		.name = "bulkhead-gpu",
		.summary = "Serves a 2D virtio GPU with one screen.",
		.options = options,
		.queue_count = GPU_QUEUE_COUNT,
		.config_size = GPU_CONFIG_SIZE,
		.ops = {.get_config = get_config,
			.set_config = set_config,
			.handle_queue = handle_queue,
			.reset = reset},
		.confine = {.syscalls = syscalls, .fd_limit = GPU_RESOURCE_MAX + 64},
		.option = option,
		.open = open_device,
		.poll = poll_fds,
		.handle_fds = handle_fds,
		.timeout_ms = timeout_ms,
		.tick = tick,
	};
	static struct gpu_device device = {
		.surface_fd = -1,
		.dump_fd = -1,
		.width = 1024,
		.height = 736,
		.memory_mib = GPU_BYTES_DEFAULT >> 20,
	};

	return device_main(&class, &device, argc, argv);
}
