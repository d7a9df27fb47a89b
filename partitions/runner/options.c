/* SPDX-License-Identifier: Apache-2.0 */
/** getopt_long() and strict numbers: trailing characters, signs and overflow are refused. */
#define _GNU_SOURCE
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "report.h"

static const char usage[] =
	"usage: bulkhead-runner (--part-fd N [--ram-fd N] | --part N) (--kernel PATH | --kernel-fd "
	"N) [options]\n"
	"Runs one partition: loads its kernel, emulates the PC around it, joins virtio devices to "
	"back ends.\n"
	"\n"
	"  --part-fd N       partition fd of /dev/bulkhead, state CREATED\n"
	"  --ram-fd N        RAM fd of the partition (default: from the partition fd)\n"
	"  --part N          create partition N itself\n"
	"  --kernel PATH     vmlinux with PVH entry, bzImage, or multiboot ELF; or --kernel-fd N\n"
	"  --initrd PATH     initial RAM disk; or --initrd-fd N\n"
	"  --cmdline TEXT    kernel command line\n"
	"  --memory BYTES    use only that much of the partition's RAM (multiple of 4096)\n"
	"  --serial-fd N     gets the output of the UART at port 0x3f8\n"
	"  --device TYPE:BACKEND[:queues=N,size=N]\n"
	"                    TYPE: blk console rng gpu input-keyboard input-tablet net\n"
	"                    BACKEND: fd of a connected vhost-user socket, or path of a listening "
	"one\n"
	"  --assigned ROLE:FD\n"
	"                    real device that the policy gives to the partition; FD: its file "
	"config in sysfs\n"
	"  --no-confine      without the system call filter (for debuggers and tracers)\n"
	"  --debug FLAG      bus.miss pci.cfg virtio.status vhost.msg vcpu.ioreq "
	"assigned.irq\n"
	"  --help\n"
	"\n"
	"Exit codes: 0 power-off, 2 usage, 3 cannot start, 10 reset request, 20 stopped by the "
	"hypervisor,\n"
	"21 reset or destroyed from outside, 30 a back end is lost, 40 ended by a signal,\n"
	"128|n the guest wrote n to the debug-exit port 0xf4.\n";

enum {
	OPT_PART_FD = 256,
	OPT_PART,
	OPT_RAM_FD,
	OPT_KERNEL,
	OPT_KERNEL_FD,
	OPT_INITRD,
	OPT_INITRD_FD,
	OPT_CMDLINE,
	OPT_MEMORY,
	OPT_SERIAL_FD,
	OPT_DEVICE,
	OPT_ASSIGNED,
	OPT_NO_CONFINE,
	OPT_DEBUG,
	OPT_HELP,
};

static const struct option long_options[] = {
	{"part-fd", required_argument, NULL, OPT_PART_FD},
	{"part", required_argument, NULL, OPT_PART},
	{"ram-fd", required_argument, NULL, OPT_RAM_FD},
	{"kernel", required_argument, NULL, OPT_KERNEL},
	{"kernel-fd", required_argument, NULL, OPT_KERNEL_FD},
	{"initrd", required_argument, NULL, OPT_INITRD},
	{"initrd-fd", required_argument, NULL, OPT_INITRD_FD},
	{"cmdline", required_argument, NULL, OPT_CMDLINE},
	{"memory", required_argument, NULL, OPT_MEMORY},
	{"serial-fd", required_argument, NULL, OPT_SERIAL_FD},
	{"device", required_argument, NULL, OPT_DEVICE},
	{"assigned", required_argument, NULL, OPT_ASSIGNED},
	{"no-confine", no_argument, NULL, OPT_NO_CONFINE},
	{"debug", required_argument, NULL, OPT_DEBUG},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static bool decode_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	char *end;
	unsigned long long number;

	if (!isdigit((unsigned char)text[0])) {
		return false;
	}
	errno = 0;
	number = strtoull(text, &end, 0);
	if (errno != 0 || *end != '\0' || number > max) {
		return false;
	}
	*ret_number = number;
	return true;
}

static uint64_t number_or_end(const char *option, const char *text, uint64_t max)
{
	uint64_t number;

	if (!decode_number(text, max, &number)) {
		report_end(EXIT_CODE_USAGE, "--%s %s: not a number in range", option, text);
	}
	return number;
}

static bool decode_device_option(char *text, struct options_device *device)
{
	uint64_t number;

	if (strncmp(text, "queues=", 7) == 0) {
		if (!decode_number(text + 7, BH_DOORBELL_QUEUE_MAX, &number) || number == 0) {
			return false;
		}
		device->queue_count = (unsigned)number;
		return true;
	}
	if (strncmp(text, "size=", 5) == 0) {
		if (!decode_number(text + 5, 1024, &number) || number == 0 ||
		    (number & (number - 1))) {
			return false;
		}
		device->queue_size = (unsigned)number;
		return true;
	}
	return false;
}

bool options_decode_device(char *argument, struct options_device *ret_device)
{
	struct options_device device = {.type = argument, .vhost_fd = -1};
	char *backend = strchr(argument, ':');
	char *more;
	uint64_t fd;

	if (backend == NULL) {
		return false;
	}
	*backend++ = '\0';
	more = strchr(backend, ':');
	if (more != NULL) {
		*more++ = '\0';
	}
	if (decode_number(backend, INT_MAX, &fd)) {
		device.vhost_fd = (int)fd;
	} else if (backend[0] == '/' || backend[0] == '.') {
		device.socket_path = backend;
	} else {
		return false;
	}
	while (more != NULL) {
		char *next = strchr(more, ',');

		if (next != NULL) {
			*next++ = '\0';
		}
		if (!decode_device_option(more, &device)) {
			return false;
		}
		more = next;
	}
	*ret_device = device;
	return true;
}

bool options_decode_assigned(char *argument, struct options_assigned *ret_assigned)
{
	char *number = strchr(argument, ':');
	uint64_t fd;

	if (number == NULL || number == argument || !decode_number(number + 1, INT_MAX, &fd)) {
		return false;
	}
	*number = '\0';
	*ret_assigned = (struct options_assigned){.role = argument, .config_fd = (int)fd};
	return true;
}

static void add_assigned(struct options *o, char *argument)
{
	if (o->assigned_count == LAYOUT_ASSIGNED_MAX) {
		report_end(EXIT_CODE_USAGE, "--assigned: more than %u", LAYOUT_ASSIGNED_MAX);
	}
	if (!options_decode_assigned(argument, &o->assigned[o->assigned_count])) {
		report_end(EXIT_CODE_USAGE, "--assigned: must be ROLE:FD");
	}
	o->assigned_count++;
}

static void add_device(struct options *o, char *argument)
{
	if (o->device_count == LAYOUT_DEVICE_MAX) {
		report_end(EXIT_CODE_USAGE, "--device: more than %u", LAYOUT_DEVICE_MAX);
	}
	if (!options_decode_device(argument, &o->device[o->device_count])) {
		report_end(EXIT_CODE_USAGE, "--device: must be TYPE:BACKEND[:queues=N,size=N]");
	}
	o->device_count++;
}

static void check(const struct options *o)
{
	if ((o->part_fd < 0) == (o->part == 0)) {
		report_end(EXIT_CODE_USAGE, "give --part-fd or --part; --help tells more");
	}
	if ((o->kernel_fd < 0) == (o->kernel_path == NULL)) {
		report_end(EXIT_CODE_USAGE, "give --kernel or --kernel-fd; --help tells more");
	}
	if (o->initrd_fd >= 0 && o->initrd_path != NULL) {
		report_end(EXIT_CODE_USAGE, "give --initrd or --initrd-fd, not both");
	}
	if (o->memory % BH_PAGE_SIZE != 0) {
		report_end(EXIT_CODE_USAGE, "--memory: not a multiple of %u", BH_PAGE_SIZE);
	}
}

void options_parse(int argc, char **argv, struct options *ret_options)
{
	struct options o = {
		.part_fd = -1,
		.ram_fd = -1,
		.kernel_fd = -1,
		.initrd_fd = -1,
		.serial_fd = -1,
		.cmdline = "",
		.confine = true,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case OPT_PART_FD:
			o.part_fd = (int)number_or_end("part-fd", optarg, INT_MAX);
			break;
		case OPT_PART:
			o.part = (unsigned)number_or_end("part", optarg, BH_PART_MAX - 1);
			break;
		case OPT_RAM_FD:
			o.ram_fd = (int)number_or_end("ram-fd", optarg, INT_MAX);
			break;
		case OPT_KERNEL:
			o.kernel_path = optarg;
			break;
		case OPT_KERNEL_FD:
			o.kernel_fd = (int)number_or_end("kernel-fd", optarg, INT_MAX);
			break;
		case OPT_INITRD:
			o.initrd_path = optarg;
			break;
		case OPT_INITRD_FD:
			o.initrd_fd = (int)number_or_end("initrd-fd", optarg, INT_MAX);
			break;
		case OPT_CMDLINE:
			o.cmdline = optarg;
			break;
		case OPT_MEMORY:
			o.memory = number_or_end("memory", optarg, LAYOUT_RAM_MAX);
			break;
		case OPT_SERIAL_FD:
			o.serial_fd = (int)number_or_end("serial-fd", optarg, INT_MAX);
			break;
		case OPT_DEVICE:
			add_device(&o, optarg);
			break;
		case OPT_ASSIGNED:
			add_assigned(&o, optarg);
			break;
		case OPT_NO_CONFINE:
			o.confine = false;
			break;
		case OPT_DEBUG:
			if (!report_enable(optarg)) {
				report_end(EXIT_CODE_USAGE, "--debug %s: no such flag", optarg);
			}
			break;
		case OPT_HELP:
			fputs(usage, stdout);
			exit(0);
		default:
			exit(EXIT_CODE_USAGE);
		}
	}
	if (optind < argc) {
		report_end(EXIT_CODE_USAGE, "%s: no such option; --help tells more", argv[optind]);
	}
	check(&o);
	*ret_options = o;
}
