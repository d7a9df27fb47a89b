/* SPDX-License-Identifier: Apache-2.0 */
/** The command line of the runner. */
#ifndef RUNNER_OPTIONS_H
#define RUNNER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "layout.h"

/** One --device TYPE:BACKEND[:name=value,...]. Strings point into argv. */
struct options_device {
	const char *type;
	const char *socket_path; /* NULL: vhost_fd is the connection */
	int vhost_fd;
	unsigned queue_count; /* 0: as the type says */
	unsigned queue_size;  /* entries, 0: as the type says */
};

/** One --assigned ROLE:FD. The string points into argv. */
struct options_assigned {
	const char *role; /* as in the policy table */
	int config_fd;	  /* of the device's configuration space in sysfs, for reading */
};

struct options {
	int part_fd; /* -1: create partition `part` */
	unsigned part;
	int ram_fd; /* -1: from the partition */
	const char *kernel_path;
	int kernel_fd;
	const char *initrd_path;
	int initrd_fd;
	const char *cmdline;
	int serial_fd;
	uint64_t memory; /* bytes, 0: all */
	bool confine;
	struct options_device device[LAYOUT_DEVICE_MAX];
	unsigned device_count;
	struct options_assigned assigned[LAYOUT_ASSIGNED_MAX];
	unsigned assigned_count;
};

/** Fills *ret_options from the command line. Ends the process with a message when it makes no
 * sense, and with the usage text on --help. */
void options_parse(int argc, char **argv, struct options *ret_options);
/** Decodes the argument of --device, which it cuts into pieces; false when it is malformed. */
bool options_decode_device(char *argument, struct options_device *ret_device);
/** The same for the argument of --assigned. */
bool options_decode_assigned(char *argument, struct options_assigned *ret_assigned);

#endif
