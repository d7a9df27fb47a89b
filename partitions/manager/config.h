/* SPDX-License-Identifier: Apache-2.0 */
/** A partition as the daemon runs it: what the policy says of it, and what its image needs to
 * start.
 *
 *  The policy table has everything that people decide (config_policy.c). The recipe of an image,
 *  /etc/bulkhead/partitions/NAME.json, has what goes with the image: {"kernel": "/boot/vmlinux",
 *  "initrd": "/boot/initrd", "cmdline": "console=hvc0"}; kernel is needed, any other field is an
 *  error.
 */
#ifndef MANAGER_CONFIG_H
#define MANAGER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/table/table.h"

#define CONFIG_PARTS_MAX    15u /* besides control */
#define CONFIG_DISKS_MAX    4u
#define CONFIG_ASSIGNED_MAX 4u
#define CONFIG_NAME_SIZE    16u /* as in the policy, with the closing 0 */
#define CONFIG_TITLE_SIZE   32u
#define CONFIG_PATH_SIZE    256u
#define CONFIG_CMDLINE_SIZE 2048u
#define CONFIG_FILE_MAX	    65536u /* bytes */
#define CONFIG_ERROR_SIZE   256u

struct config_disk {
	char path[CONFIG_PATH_SIZE];
	uint32_t flags; /* enum text_disk */
};

struct config {
	char name[CONFIG_NAME_SIZE];   /* [a-z][a-z0-9-]* */
	uint32_t id;		       /* 1..15 */
	char title[CONFIG_TITLE_SIZE]; /* printable ASCII */
	uint32_t colour;	       /* 0xRRGGBB */
	uint32_t pattern;	       /* enum switcher_pattern */
	uint32_t order;		       /* 1..9, no two the same; 0: not in the switcher */
	uint64_t memory;	       /* bytes; 0: whatever root mode gives */
	uint32_t vcpus;
	uint32_t start;		 /* enum text_start */
	uint32_t after;		 /* bits of the partitions that must run first */
	uint32_t run;		 /* bits of enum text_run; 0: always */
	uint32_t restarts;	 /* in a row after a failure */
	uint32_t steady_seconds; /* after so long a run the count starts anew */
	uint32_t ready_seconds;	 /* until its guest must have said so; 0: never */
	uint64_t disk_rate;	 /* bytes per second of all disks, 0: no limit */
	struct config_disk disk[CONFIG_DISKS_MAX];
	uint32_t disk_count;
	uint32_t devices; /* bits of enum text_device */
	/* Roles of real devices that are its own, as root mode has them. */
	char assigned[CONFIG_ASSIGNED_MAX][CONFIG_NAME_SIZE];
	uint32_t assigned_count;

	char kernel[CONFIG_PATH_SIZE]; /* empty: there is no recipe, it cannot be started */
	char initrd[CONFIG_PATH_SIZE]; /* empty: none */
	char cmdline[CONFIG_CMDLINE_SIZE];
};

/** All partitions of a policy but control, sorted by `order`, those without one last. Returns how
 * many. */
uint32_t config_from_policy(const struct table *table, struct config ret_configs[CONFIG_PARTS_MAX]);

/** Decodes a recipe into kernel, initrd and cmdline. `file` is for messages only. Returns 0, or -1
 * with "FILE:FIELD: what is wrong" in error and *ret_config untouched. */
int config_parse(const char *file, const char *text, size_t size, struct config *ret_config,
		 char error[CONFIG_ERROR_SIZE]);

/** Reads the recipe NAME.json of each partition. One that is wrong or missing is told to
 * report(message) and leaves its partition without a kernel. Returns 0, or -errno if there is no
 * such directory. */
int config_load(const char *directory, struct config *configs, uint32_t count,
		void (*report)(const char *message));

#endif
