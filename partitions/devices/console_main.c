/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-console: virtio-console, port 0, behind vhost-user. */
#define _GNU_SOURCE

#include "console.h"
#include "debug.h"
#include "device.h"

#include <string.h>

/* cols, rows, max_nr_ports, emerg_wr: there, but no feature announces them. */
#define CONFIG_SIZE 12u

struct console_device {
	struct console console;
	struct vhost_server *server;
	int fd;
};

static bool option(void *dev, const char *name, const char *arg)
{
	struct console_device *device = dev;

	return device_parse_fd(arg, &device->fd);
}

static int open_device(void *dev, struct vhost_server *server, uint64_t *ret_features)
{
	struct console_device *device = dev;
	int rc;

	if (device->fd < 0) {
		debug_say("give --output-fd; see --help");
		return -1;
	}
	rc = console_init(&device->console, device->fd);
	if (rc < 0) {
		debug_say("--output-fd: %s", strerror(-rc));
		return -1;
	}
	device->server = server;
	*ret_features = 0;
	return 0;
}

static void get_config(void *dev, uint8_t *config)
{
	memset(config, 0, CONFIG_SIZE);
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	struct console_device *device = dev;

	if (index == CONSOLE_QUEUE_TX) {
		return console_handle_tx(&device->console, vq);
	}
	console_handle_rx(&device->console, vq);
	return false;
}

static void reset(void *dev)
{
	struct console_device *device = dev;

	console_reset(&device->console);
}

static unsigned poll_fds(void *dev, struct pollfd *fds)
{
	struct console_device *device = dev;

	fds[0] = console_poll(&device->console);
	return 1;
}

static void handle_fds(void *dev, const struct pollfd *fds, unsigned count)
{
	struct console_device *device = dev;

	if (fds[0].fd < 0 || !fds[0].revents) {
		return;
	}
	console_handle_fd(&device->console, fds[0].revents);
	console_handle_rx(&device->console, vhost_server_queue(device->server, CONSOLE_QUEUE_RX));
}

/* The last words of a guest. */
static int close_device(void *dev)
{
	struct console_device *device = dev;

	console_handle_fd(&device->console, POLLOUT);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct device_option options[] = {
		{"output-fd", "N", "the guest's output goes there, its input comes from there"},
		{0},
	};
	static const struct device_class class = {
		.name = "bulkhead-console",
		.summary = "Serves a virtio console with one port.",
		.options = options,
		.queue_count = CONSOLE_QUEUE_COUNT,
		.config_size = CONFIG_SIZE,
		.ops = {.get_config = get_config, .handle_queue = handle_queue, .reset = reset},
		.option = option,
		.open = open_device,
		.poll = poll_fds,
		.handle_fds = handle_fds,
		.close = close_device,
	};
	static struct console_device device = {.fd = -1};

	return device_main(&class, &device, argc, argv);
}
