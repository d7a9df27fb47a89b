/* SPDX-License-Identifier: Apache-2.0 */
/** Boot modules that a table names: ROLE=FILE on a command line, measured. */
#ifndef POLICY_MODULE_H
#define POLICY_MODULE_H

#include <stdbool.h>
#include <stdint.h>

#define MODULE_ROLE_SIZE 16u
#define MODULE_MAX	 16u /* of a boot */

struct module {
	char role[MODULE_ROLE_SIZE];
	const char *path; /* points into the argument */
	uint64_t size;	  /* bytes */
	uint32_t crc32c;
};

/** 1 to 15 of a-z, 0-9 and '-', and not "policy", which is the table itself. */
bool module_check_role(const char *role);
/** Decodes "ROLE=FILE"; size and CRC stay 0. Returns 0 or -EINVAL. */
int module_decode(const char *argument, struct module *ret_module);
/** Reads the file through. Returns 0 or -errno; -ENODATA: it is empty. */
int module_measure(struct module *module);

#endif
