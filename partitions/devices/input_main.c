/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-input: virtio-input behind vhost-user, fed by the switcher. */
#define _GNU_SOURCE

#include "debug.h"
#include "device.h"
#include "input.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Events taken from the switcher in one turn of the loop. */
#define EVENT_BATCH 64u

struct input_device {
	struct input input;
	struct vhost_server *server;
	int fd;
	bool kind_given;
};

static bool option(void *dev, const char *name, const char *arg)
{
	struct input_device *device = dev;

	if (!strcmp(name, "input-fd")) {
		return device_parse_fd(arg, &device->fd);
	}
	device->kind_given = true;
	if (!strcmp(arg, "keyboard")) {
		input_init(&device->input, INPUT_KEYBOARD);
		return true;
	}
	input_init(&device->input, INPUT_TABLET);
	return !strcmp(arg, "tablet");
}

static int open_device(void *dev, struct vhost_server *server, uint64_t *ret_features)
{
	struct input_device *device = dev;

	if (!device->kind_given) {
		debug_say("give --kind; see --help");
		return -1;
	}
	device->server = server;
	*ret_features = 0;
	return 0;
}

static void get_config(void *dev, uint8_t *config)
{
	struct input_device *device = dev;

	input_get_config(&device->input, config);
}

static void set_config(void *dev, uint32_t offset, const uint8_t *data, uint32_t size)
{
	struct input_device *device = dev;

	input_set_config(&device->input, offset, data, size);
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	struct input_device *device = dev;

	if (index == INPUT_QUEUE_STATUS) {
		return input_handle_status(&device->input, vq);
	}
	input_flush(&device->input, vq);
	return false;
}

static void reset(void *dev)
{
	struct input_device *device = dev;

	input_reset(&device->input);
}

static unsigned poll_fds(void *dev, struct pollfd *fds)
{
	struct input_device *device = dev;

	fds[0] = (struct pollfd){.fd = device->fd, .events = POLLIN};
	return 1;
}

static void close_input(struct input_device *device)
{
	debug_say("switcher has gone");
	close(device->fd);
	device->fd = -1;
}

/* One message is one event; any other size ends the connection. Returns false when there is nothing
 * more. */
static bool receive(struct input_device *device, bool listening)
{
	struct surface_input event[2];
	ssize_t got = recv(device->fd, event, sizeof(event), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		return false;
	}
	if (got != sizeof(event[0])) {
		close_input(device);
		return false;
	}
	input_event(&device->input, &event[0], listening);
	return true;
}

static void handle_fds(void *dev, const struct pollfd *fds, unsigned count)
{
	struct input_device *device = dev;
	struct vq *vq = vhost_server_queue(device->server, INPUT_QUEUE_EVENT);
	unsigned taken = 0;

	if (fds[0].fd < 0 || !fds[0].revents) {
		return;
	}
	while (taken < EVENT_BATCH && receive(device, vq != NULL)) {
		taken++;
	}
	if (vq) {
		input_flush(&device->input, vq);
	}
}

int main(int argc, char **argv)
{
	static const struct device_option options[] = {
		{"kind", "KIND", "keyboard or tablet"},
		{"input-fd", "N", "socket on which the switcher sends events"},
		{0},
	};
	static const struct device_class class = {
		.name = "bulkhead-input",
		.summary = "Serves a virtio keyboard or tablet.",
		.options = options,
		.queue_count = INPUT_QUEUE_COUNT,
		.config_size = INPUT_CONFIG_SIZE,
		.ops = {.get_config = get_config,
			.set_config = set_config,
			.handle_queue = handle_queue,
			.reset = reset},
		.option = option,
		.open = open_device,
		.poll = poll_fds,
		.handle_fds = handle_fds,
	};
	static struct input_device device = {.fd = -1};

	return device_main(&class, &device, argc, argv);
}
