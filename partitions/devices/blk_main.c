/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-blk: a disk behind vhost-user. */
#define _GNU_SOURCE

#include "blk.h"
#include "blk_disk.h"
#include "debug.h"
#include "device.h"
#include "layer_stats.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATS_MAX 8192u

struct blk_device {
	struct blk blk;
	struct blk_disk_options options;
	struct blk_disk disk;
	struct uring *ring;
	int stats_fd; /* -1: standard error */
	struct vhost_server *server;
	uint64_t queue_count;
};

/* Limits are given in plain numbers; K, M and G stand for powers of 1024. */
static bool parse_rate(const char *text, uint64_t *ret_value)
{
	static const char units[] = "KMG";
	char digits[24];
	size_t length = strlen(text);
	const char *unit = length > 1 ? strchr(units, text[length - 1]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;

	length -= unit ? 1 : 0;
	if (length >= sizeof(digits)) {
		return false;
	}
	memcpy(digits, text, length);
	digits[length] = 0;
	if (!device_parse_number(digits, UINT64_MAX >> shift, ret_value)) {
		return false;
	}
	*ret_value <<= shift;
	return true;
}

static bool set_flag(bool *flag)
{
	*flag = true;
	return true;
}

static bool option(void *dev, const char *name, const char *arg)
{
	struct blk_device *device = dev;
	struct blk_disk_options *options = &device->options;

	if (!strcmp(name, "disk")) {
		options->path = arg;
		return true;
	}
	if (!strcmp(name, "disk-fd")) {
		return device_parse_fd(arg, &options->fd);
	}
	if (!strcmp(name, "secret-fd")) {
		return device_parse_fd(arg, &options->secret_fd);
	}
	if (!strcmp(name, "queues")) {
		return device_parse_number(arg, BLK_QUEUE_MAX, &device->queue_count) &&
		       device->queue_count;
	}
	if (!strcmp(name, "iops")) {
		return parse_rate(arg, &options->iops);
	}
	if (!strcmp(name, "bandwidth")) {
		return parse_rate(arg, &options->bandwidth);
	}
	if (!strcmp(name, "trusted-key")) {
		options->trusted_key = arg;
		return true;
	}
	if (!strcmp(name, "sign-key")) {
		options->sign_key = arg;
		return true;
	}
	if (!strcmp(name, "stats-to")) {
		device->stats_fd = open(arg, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		return device->stats_fd >= 0 && set_flag(&options->stats);
	}
	if (!strcmp(name, "stats")) {
		return set_flag(&options->stats);
	}
	if (!strcmp(name, "pass-discards")) {
		return set_flag(&options->pass_discards);
	}
	if (!strcmp(name, "raw")) {
		return set_flag(&options->raw);
	}
	if (!strcmp(name, "throw-away")) {
		return set_flag(&options->throw_away);
	}
	if (!strcmp(name, "encrypted")) {
		return set_flag(&options->encrypted);
	}
	return set_flag(&options->read_only);
}

static int open_device(void *dev, struct vhost_server *server, uint64_t *ret_features)
{
	struct blk_device *device = dev;
	struct why why = {""};
	int rc;

	if ((device->options.fd < 0) == !device->options.path) {
		debug_say("give either --disk or --disk-fd; see --help");
		return -1;
	}
	rc = uring_open(&device->ring);
	if (rc < 0) { /* every request then waits for the one before */
		device->ring = NULL;
	}
	rc = blk_disk_open(&device->disk, &device->options, device->ring, &why);
	if (rc < 0) {
		debug_say("%s: %s", device->options.path ? device->options.path : "disk",
			  why.text[0] ? why.text : strerror(-rc));
		return -1;
	}
	blk_init(&device->blk, device->disk.top, device->ring, (unsigned)device->queue_count,
		 device->disk.id);
	device->server = server;
	*ret_features = blk_features(&device->blk);
	return 0;
}

static unsigned queues(void *dev)
{
	struct blk_device *device = dev;

	return device->blk.queue_count;
}

static void get_config(void *dev, uint8_t *config)
{
	struct blk_device *device = dev;

	blk_get_config(&device->blk, config);
}

static void set_features(void *dev, uint64_t features)
{
	struct blk_device *device = dev;

	blk_set_features(&device->blk, features);
}

static bool handle_queue(void *dev, struct vq *vq, unsigned index)
{
	struct blk_device *device = dev;

	return blk_handle_queue(&device->blk, vq, index);
}

static void drain(void *dev)
{
	struct blk_device *device = dev;

	blk_drain(&device->blk);
}

/* Before the loop sleeps: what the fibers have asked for goes to the kernel. */
static unsigned poll_device(void *dev, struct pollfd *fds)
{
	struct blk_device *device = dev;

	if (!device->ring) {
		return 0;
	}
	uring_submit(device->ring);
	fds[0] = (struct pollfd){.fd = uring_fd(device->ring), .events = POLLIN};
	return 1;
}

static void handle_fds(void *dev, const struct pollfd *fds, unsigned count)
{
	struct blk_device *device = dev;
	uint32_t starved;

	if (count && fds[0].revents) {
		blk_reap(&device->blk);
	}
	starved = blk_take_starved(&device->blk);
	for (unsigned i = 0; starved; i++, starved >>= 1) {
		if (starved & 1) {
			vhost_server_again(device->server, i);
		}
	}
}

/* The counts as one line of JSON. A file is replaced by it. */
static void report(void *dev)
{
	struct blk_device *device = dev;
	const struct layer *stats = layer_find(device->disk.top, "stats");
	int fd = device->stats_fd < 0 ? STDERR_FILENO : device->stats_fd;
	char text[STATS_MAX];
	size_t length;

	if (!stats) {
		return;
	}
	length = layer_stats_json(stats, text, sizeof(text) - 1);
	length = length < sizeof(text) - 1 ? length : sizeof(text) - 2;
	text[length++] = '\n';
	if ((device->stats_fd >= 0 && (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)) ||
	    write(fd, text, length) < 0) {
		debug_say("cannot write the counts: %s", strerror(errno));
	}
}

/* What guests did not flush is flushed here, too: this end is a good one. */
static int close_device(void *dev)
{
	struct blk_device *device = dev;
	int rc;

	if (device->options.stats) {
		report(device);
	}
	rc = blk_disk_close(&device->disk);
	uring_close(device->ring);
	if (rc < 0) {
		debug_say("cannot close the disk: %s", strerror(-rc));
	}
	return rc < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	static const struct device_option options[] = {
		{"disk", "PATH", "the image to serve"},
		{"disk-fd", "N", "the same, already open as fd N; no parents"},
		{"raw", NULL, "the file's bytes are the disk"},
		{"read-only", NULL, "refuse writes"},
		{"encrypted", NULL, "refuse a disk that is not"},
		{"throw-away", NULL, "keep writes in memory, forget them"},
		{"secret-fd", "N", "read the passphrase from fd N, to its end"},
		{"queues", "N", "offer N queues, 1 to 8; default 1"},
		{"iops", "N", "at most N requests a second"},
		{"bandwidth", "N", "at most N bytes a second (K, M, G)"},
		{"pass-discards", NULL, "of an encrypted disk, too: shows what is unused"},
		{"trusted-key", "FILE", "refuse a manifest that this key did not sign"},
		{"sign-key", "FILE", "sign the manifest when the disk was written"},
		{"stats", NULL, "count requests; SIGUSR1 prints the counts as JSON"},
		{"stats-to", "FILE", "the same, to FILE, and when the program ends"},
		{0},
	};
	/* Paths are opened before; what is left moves data, flushes and grows open files. */
	static const int syscalls[] = {SCMP_SYS(pread64),	  SCMP_SYS(pwrite64),
				       SCMP_SYS(preadv),	  SCMP_SYS(pwritev),
				       SCMP_SYS(preadv2),	  SCMP_SYS(pwritev2),
				       SCMP_SYS(fdatasync),	  SCMP_SYS(fallocate),
				       SCMP_SYS(ftruncate),	  SCMP_SYS(lseek),
				       SCMP_SYS(mremap),	  SCMP_SYS(io_uring_enter),
				       SCMP_SYS(clock_nanosleep), SCMP_SYS(memfd_create),
				       SCMP_SYS(munlock),	  -1};
	static struct blk_device device = {
		.options = {.fd = -1, .secret_fd = -1}, .queue_count = 1, .stats_fd = -1};
	struct device_class class = {
		.name = "bulkhead-blk",
		.summary = "Serves a disk image as a virtio block device.",
		.options = options,
		.config_size = blk_config_size(),
		.ops = {.get_config = get_config,
			.set_features = set_features,
			.handle_queue = handle_queue,
			.drain = drain},
		.confine = {.syscalls = syscalls,
			    .fd_limit = 256,
			    .folder_fd = &device.disk.folder_fd},
		.keeps_inflight = true,
		.ends_well = true,
		.option = option,
		.open = open_device,
		.queues = queues,
		.poll = poll_device,
		.handle_fds = handle_fds,
		.report = report,
		.close = close_device,
	};

	return device_main(&class, &device, argc, argv);
}
