/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the measuring of files that will be boot modules. */
#define _POSIX_C_SOURCE 200809L
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "checksum.h"

bool module_check_role(const char *role)
{
	size_t length = strspn(role, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length > 0 && length < MODULE_ROLE_SIZE && role[length] == '\0' && role[0] >= 'a' &&
	       strcmp(role, "policy") != 0;
}

int module_decode(const char *argument, struct module *ret_module)
{
	const char *equals = strchr(argument, '=');
	struct module module = {.path = equals == NULL ? NULL : equals + 1};

	if (equals == NULL || equals[1] == '\0' ||
	    (size_t)(equals - argument) >= sizeof(module.role)) {
		return -EINVAL;
	}
	memcpy(module.role, argument, (size_t)(equals - argument));
	if (!module_check_role(module.role)) {
		return -EINVAL;
	}
	*ret_module = module;
	return 0;
}

static int measure(int fd, struct module *module)
{
	static uint8_t bytes[1 << 16];
	uint64_t size = 0;
	uint32_t crc = 0;
	ssize_t got;

	do {
		got = read(fd, bytes, sizeof(bytes));
		if (got > 0) {
			crc = checksum_crc32c(crc, bytes, (size_t)got);
			size += (uint64_t)got;
		}
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0) {
		return -errno;
	}
	if (size == 0) {
		return -ENODATA;
	}
	module->size = size;
	module->crc32c = crc;
	return 0;
}

int module_measure(struct module *module)
{
	int fd = open(module->path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0) {
		return -errno;
	}
	err = measure(fd, module);
	close(fd);
	return err;
}
