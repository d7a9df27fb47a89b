/* SPDX-License-Identifier: Apache-2.0 */
/** Partition definitions, /etc/bulkhead/partitions/NAME.json: what is known, checked and in range.
 *
 *  {"name": "desktop", "id": 1, "title": "Desktop", "colour": "#2f7d32", "pattern": "stripes",
 *   "order": 1, "autostart": true, "restart": "on-failure", "kernel": "/boot/vmlinux",
 *   "initrd": "/boot/initrd", "cmdline": "console=hvc0",
 *   "disks": [{"path": "/images/desktop.vhd", "readonly": true}],
 *   "devices": ["console", "entropy", "gpu", "keyboard", "pointer"],
 *   "assigned": ["nic"]}
 *
 *  Needed: name, id, order, kernel. Any other field name is an error.
 */
#ifndef MANAGER_CONFIG_H
#define MANAGER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONFIG_PARTS_MAX    8u
#define CONFIG_DISKS_MAX    4u
#define CONFIG_ASSIGNED_MAX 4u
#define CONFIG_NAME_SIZE    16u /* as in the policy, with the closing 0 */
#define CONFIG_TITLE_SIZE   32u
#define CONFIG_PATH_SIZE    256u
#define CONFIG_CMDLINE_SIZE 2048u
#define CONFIG_FILE_MAX	    65536u /* bytes */
#define CONFIG_ERROR_SIZE   256u

enum config_device {
	CONFIG_CONSOLE = 1u << 0,
	CONFIG_ENTROPY = 1u << 1,
	CONFIG_GPU = 1u << 2,
	CONFIG_KEYBOARD = 1u << 3,
	CONFIG_POINTER = 1u << 4,
};

struct config_disk {
	char path[CONFIG_PATH_SIZE];
	bool readonly;
};

struct config {
	char name[CONFIG_NAME_SIZE];   /* [a-z][a-z0-9-]* */
	uint32_t id;		       /* 1..15, as in the policy */
	char title[CONFIG_TITLE_SIZE]; /* printable ASCII, default: the name */
	uint32_t colour;	       /* 0xRRGGBB */
	uint32_t pattern;	       /* enum switcher_pattern */
	uint32_t order;		       /* 1..9 */
	bool autostart;
	bool restart; /* on failure */
	char kernel[CONFIG_PATH_SIZE];
	char initrd[CONFIG_PATH_SIZE]; /* empty: none */
	char cmdline[CONFIG_CMDLINE_SIZE];
	struct config_disk disk[CONFIG_DISKS_MAX];
	uint32_t disk_count;
	uint32_t devices; /* enum config_device */
	/* Roles of real devices in the policy, spelt like names. */
	char assigned[CONFIG_ASSIGNED_MAX][CONFIG_NAME_SIZE];
	uint32_t assigned_count;
};

/** Decodes one definition. `file` is for messages only. Returns 0, or -1 with "FILE:FIELD: what is
 * wrong" in error and *ret_config untouched. */
int config_parse(const char *file, const char *text, size_t size, struct config *ret_config,
		 char error[CONFIG_ERROR_SIZE]);

/** Reads every *.json of the directory in order of file names. A file that is wrong, or repeats a
 * name, id or order, is left out after report(message). Returns how many were taken (at most
 * CONFIG_PARTS_MAX), or -errno if there is no such directory; the result is sorted by `order`. */
int config_load(const char *directory, struct config configs[CONFIG_PARTS_MAX],
		void (*report)(const char *message));

#endif
