/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the life of a back-end process: options, set-up, confinement, and one poll() loop. */
#define _GNU_SOURCE

#include "device.h"
#include "debug.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define OPTION_MAX 32u

/* Values of getopt_long(); the device's options follow from OPT_DEVICE. */
enum { OPT_HELP = 1, OPT_FD, OPT_SOCKET, OPT_DEBUG, OPT_DEVICE };

struct device {
	const struct device_class *class;
	void *dev;
	int fd;
	const char *path;
	int listener;
	int signals; /* a signalfd, or -1 */
	struct vhost_server server;
};

bool device_parse_number(const char *text, uint64_t max, uint64_t *ret_value)
{
	char *end;
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9') {
		return false;
	}
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > max) {
		return false;
	}
	*ret_value = value;
	return true;
}

bool device_parse_fd(const char *text, int *ret_fd)
{
	uint64_t value;

	if (!device_parse_number(text, INT32_MAX, &value) ||
	    fcntl((int)value, F_SETFD, FD_CLOEXEC) < 0) {
		return false;
	}
	*ret_fd = (int)value;
	return true;
}

static void print_usage(const struct device_class *class, FILE *to)
{
	fprintf(to,
		"Usage: %s (--vhost-fd N | --vhost-socket PATH) [OPTION]...\n%s\n\n"
		"  --vhost-fd N         serve the vhost-user front-end connected to fd N, then "
		"exit\n"
		"  --vhost-socket PATH  listen at PATH, serve one front-end after the other\n",
		class->name, class->summary);
	for (const struct device_option *option = class->options; option && option->name;
	     option++) {
		char left[32];

		snprintf(left, sizeof(left), "--%s %s", option->name,
			 option->arg ? option->arg : "");
		fprintf(to, "  %-20s %s\n", left, option->help);
	}
	fprintf(to,
		"  --debug FLAG         print to standard error; flags: %s\n"
		"  --help               show this text\n\n"
		"Exit status: 0 the front-end closed the connection, 1 failure, 2 wrong usage.\n",
		debug_names());
}

static unsigned build_options(const struct device_class *class, struct option *names)
{
	static const struct option fixed[] = {
		{"help", no_argument, NULL, OPT_HELP},
		{"vhost-fd", required_argument, NULL, OPT_FD},
		{"vhost-socket", required_argument, NULL, OPT_SOCKET},
		{"debug", required_argument, NULL, OPT_DEBUG},
	};
	unsigned count = sizeof(fixed) / sizeof(fixed[0]);

	memcpy(names, fixed, sizeof(fixed));
	for (unsigned i = 0; class->options && class->options[i].name && count < OPTION_MAX; i++) {
		names[count++] = (struct option){
			.name = class->options[i].name,
			.has_arg = class->options[i].arg ? required_argument : no_argument,
			.val = OPT_DEVICE + (int)i,
		};
	}
	names[count] = (struct option){0};
	return count;
}

static bool take_option(struct device *device, int c)
{
	const struct device_class *class = device->class;

	switch (c) {
	case OPT_FD:
		return device_parse_fd(optarg, &device->fd);
	case OPT_SOCKET:
		device->path = optarg;
		return true;
	case OPT_DEBUG:
		return debug_enable(optarg);
	default:
		return class->option(device->dev, class->options[c - OPT_DEVICE].name, optarg);
	}
}

/* Returns -1 to go on, else the exit status. */
static int parse_options(struct device *device, int argc, char **argv)
{
	struct option names[OPTION_MAX + 1];
	unsigned count = build_options(device->class, names);
	int index = 0;
	int c;

	while ((c = getopt_long(argc, argv, "", names, &index)) != -1) {
		if (c == OPT_HELP) {
			print_usage(device->class, stdout);
			return EXIT_SUCCESS;
		}
		if (c == '?') {
			return DEVICE_EXIT_USAGE;
		}
		if (!take_option(device, c)) {
			debug_say("--%s: %s has no meaning",
				  (unsigned)index < count ? names[index].name : "?",
				  optarg ? optarg : "");
			return DEVICE_EXIT_USAGE;
		}
	}
	if (optind != argc || (device->fd < 0) == !device->path) {
		debug_say("give either --vhost-fd or --vhost-socket; see --help");
		return DEVICE_EXIT_USAGE;
	}
	return -1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		return -ENAMETOOLONG;
	}
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return -errno;
	}
	/* What an earlier run left there; bind() reports all else. */
	(void)unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(fd, 1) < 0) {
		int error = errno;

		close(fd);
		return -error;
	}
	return fd;
}

/* From here on the signals wait until the loop looks at them. */
static int take_signals(struct device *device)
{
	const struct device_class *class = device->class;
	sigset_t set;

	sigemptyset(&set);
	if (class->ends_well) {
		sigaddset(&set, SIGTERM);
		sigaddset(&set, SIGINT);
	}
	if (class->report) {
		sigaddset(&set, SIGUSR1);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) {
		return -1;
	}
	device->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return device->signals < 0 ? -1 : 0;
}

/* True when the program has to end. */
static bool handle_signals(struct device *device)
{
	struct signalfd_siginfo info;
	bool ends = false;

	while (read(device->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1) {
			device->class->report(device->dev);
		} else {
			ends = true;
		}
	}
	return ends;
}

/* Opens the device and the front-end's side, then gives up all rights. */
static int set_up(struct device *device)
{
	const struct device_class *class = device->class;
	uint64_t features = 0;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	if ((class->ends_well || class->report) && take_signals(device) < 0) {
		debug_say("cannot take signals: %s", strerror(errno));
		return -1;
	}
	if (class->open && class->open(device->dev, &device->server, &features) < 0) {
		return -1;
	}
	if (device->path) {
		device->listener = listen_at(device->path);
		if (device->listener < 0) {
			debug_say("cannot listen at %s: %s", device->path,
				  strerror(-device->listener));
			return -1;
		}
	}
	vhost_server_init(&device->server, &class->ops, device->dev, features,
			  class->queues ? class->queues(device->dev) : class->queue_count,
			  class->config_size);
	device->server.keeps_inflight = class->keeps_inflight;
	device->server.trace = debug_enabled(DEBUG_VHOST_MSG);
	if (device->fd >= 0) {
		vhost_server_attach(&device->server, device->fd);
	}
	rc = confine_apply(&class->confine);
	if (rc < 0) {
		debug_say("cannot confine itself: %s", strerror(-rc));
		return -1;
	}
	return 0;
}

static void accept_front_end(struct device *device)
{
	int sock = accept4(device->listener, NULL, NULL, SOCK_CLOEXEC);

	if (sock >= 0) {
		vhost_server_attach(&device->server, sock);
	}
}

static int sleep_limit(struct device *device)
{
	if (vhost_server_busy(&device->server)) {
		return 0;
	}
	return device->class->timeout_ms ? device->class->timeout_ms(device->dev) : -1;
}

/* The front-end's side of the loop: those who may connect, or the one that is. */
static unsigned poll_front_end(const struct device *device, struct pollfd *fds)
{
	if (device->server.sock >= 0) {
		return vhost_server_poll(&device->server, fds);
	}
	fds[0] = (struct pollfd){.fd = device->listener, .events = POLLIN};
	return 1;
}

/* Returns as turn(). */
static int handle_front_end(struct device *device, const struct pollfd *fds, unsigned count)
{
	int rc;

	if (device->server.sock < 0) {
		if (fds[0].revents) {
			accept_front_end(device);
		}
		return 1;
	}
	rc = vhost_server_dispatch(&device->server, fds, count);
	if (rc > 0) {
		return 1;
	}
	if (rc < 0) {
		debug_say("front-end broke the protocol: %s", strerror(-rc));
	}
	vhost_server_detach(&device->server);
	return device->listener >= 0 ? 1 : rc;
}

/* One turn of the loop. Returns 1 to go on, 0 when all is done, -1 on failure. */
static int turn(struct device *device)
{
	const struct device_class *class = device->class;
	struct pollfd fds[1 + DEVICE_FD_MAX + VHOST_POLL_MAX];
	unsigned own, front;

	/* poll() skips what is not there. */
	fds[0] = (struct pollfd){.fd = device->signals, .events = POLLIN};
	own = 1 + (class->poll ? class->poll(device->dev, fds + 1) : 0);
	front = poll_front_end(device, fds + own);
	if (poll(fds, own + front, sleep_limit(device)) < 0) {
		return errno == EINTR ? 1 : -1;
	}
	if (fds[0].revents && handle_signals(device)) {
		return 0;
	}
	if (class->handle_fds) {
		class->handle_fds(device->dev, fds + 1, own - 1);
	}
	if (class->tick) {
		class->tick(device->dev);
	}
	return handle_front_end(device, fds + own, front);
}

int device_main(const struct device_class *class, void *dev, int argc, char **argv)
{
	static struct device device;
	int status;
	int rc;

	device.class = class;
	device.dev = dev;
	device.fd = -1;
	device.listener = -1;
	device.signals = -1;
	debug_init(class->name);
	status = parse_options(&device, argc, argv);
	if (status >= 0) {
		return status;
	}
	if (set_up(&device) < 0) {
		return EXIT_FAILURE;
	}
	do {
		rc = turn(&device);
	} while (rc > 0);
	vhost_server_detach(&device.server);
	if (class->close && class->close(dev) < 0) {
		return EXIT_FAILURE;
	}
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
