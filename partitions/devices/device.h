/* SPDX-License-Identifier: Apache-2.0 */
/** The program around one device: options, connection to the front-end, confinement, event loop. */
#ifndef BH_DEVICES_DEVICE_H
#define BH_DEVICES_DEVICE_H

#include "confine.h"
#include "vhost_server.h"

/** Most fds that a device adds to the loop. */
#define DEVICE_FD_MAX 4u

enum { DEVICE_EXIT_USAGE = 2 };

/** An option of a device: --name, or --name ARG when arg is not NULL. */
struct device_option {
	const char *name;
	const char *arg;
	const char *help;
};

/** What a device is. Functions that are not needed may be NULL; `dev` is the pointer given to
 * device_main(). */
struct device_class {
	const char *name;		     /* of the program */
	const char *summary;		     /* one line for --help */
	const struct device_option *options; /* ended by a name of NULL */
	unsigned queue_count;
	uint32_t config_size;
	bool keeps_inflight; /* a back end started anew goes on with what was in flight */
	struct vhost_ops ops;
	struct confine confine;

	/** One option was given. False: the argument has no meaning. */
	bool (*option)(void *dev, const char *name, const char *arg);
	/** After the options, before confinement: opens what the device needs. Returns 0 and the
	 * feature bits of the device; on failure -1 after a message. */
	int (*open)(void *dev, struct vhost_server *server, uint64_t *ret_features);
	/** How many queues there are after all, when options decide that. */
	unsigned (*queues)(void *dev);
	/** Fills up to DEVICE_FD_MAX entries with what to wait for besides the queues; returns how
	 * many. */
	unsigned (*poll)(void *dev, struct pollfd *fds);
	/** The same entries after poll(). */
	void (*handle_fds)(void *dev, const struct pollfd *fds, unsigned count);
	/** Longest sleep in milliseconds, -1: none; and what to do after each sleep. */
	int (*timeout_ms)(void *dev);
	void (*tick)(void *dev);
	/** Before the program ends, when rings and connection are gone. Returns 0, or -1 after a
	 * message: then the program has failed. */
	int (*close)(void *dev);
	/** SIGTERM ends the program by close() instead of at once. */
	bool ends_well;
	/** What SIGUSR1 asks for. */
	void (*report)(void *dev);
};

/** main() of a back end. Returns the exit status: 0 the front-end has closed the connection, 1
 * failure, 2 wrong usage. With --vhost-socket it serves one front-end after the other and does not
 * return but on failure, or when it was told to end. */
int device_main(const struct device_class *class, void *dev, int argc, char **argv);

/** A non-negative decimal number within [0, max]. */
bool device_parse_number(const char *text, uint64_t max, uint64_t *ret_value);

/** An open file descriptor given by number; it gets close-on-exec. */
bool device_parse_fd(const char *text, int *ret_fd);

#endif
