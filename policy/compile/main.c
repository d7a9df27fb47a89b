/* SPDX-License-Identifier: Apache-2.0 */
/* policy-table: writes the policy boot module from partition specifications and the module files
 * that will be booted with it. Exit code 0, 1 (a file could not be read or written) or 2 (usage,
 * refused input). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_table.h"

static const char usage[] =
	"usage: policy-table --out FILE --part SPEC ... [--module ROLE=FILE ...]\n"
	"                    [--device WORD=VALUE,... ...] [--iommu required|warn]\n"
	"  SPEC: name:ram_mib:vcpus:weight:flags[:doorbells]\n"
	"        flags: none, control, mapped or control+mapped; the first partition is the "
	"control one\n"
	"  ROLE: first word of the module's line in grub.cfg (kernel, initrd, guest)\n"
	"  --device: a real PCI device for a guest: role=NAME,part=NAME and class=HEX[/MASK], "
	"vendor=HEX, device=HEX,\n"
	"        nth=N (from 0); for example role=nic,class=0x0200,part=management\n"
	"  --iommu: on a machine without an IOMMU refuse to start, or (default) run with a "
	"warning\n";

static int fail(int code, const char *subject, const char *why)
{
	fprintf(stderr, "policy-table: %s: %s\n", subject, why);
	return code;
}

static int measure(const char *path, uint64_t *ret_size, uint32_t *ret_crc)
{
	static uint8_t buffer[1 << 16];
	uint64_t size = 0;
	uint32_t crc = 0;
	size_t got;
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		return -1;
	}
	while ((got = fread(buffer, 1, sizeof(buffer), file)) > 0) {
		crc = policy_crc32c(crc, buffer, got);
		size += got;
	}
	if (ferror(file)) {
		fclose(file);
		return -1;
	}
	fclose(file);
	*ret_size = size;
	*ret_crc = crc;
	return 0;
}

static int add_module(struct policy_table *table, char *argument)
{
	char *path = strchr(argument, '=');
	const char *why;
	uint64_t size;
	uint32_t crc;

	if (path == NULL) {
		return fail(2, argument, "must be ROLE=FILE");
	}
	*path++ = '\0';
	if (measure(path, &size, &crc) != 0) {
		perror(path);
		return 1;
	}
	if (policy_table_add_module(table, argument, size, crc, &why) != 0) {
		return fail(2, argument, why);
	}
	return 0;
}

static int write_table(const struct policy_table *table, const char *path)
{
	static uint8_t bytes[4096];
	const char *why = NULL;
	long size = policy_table_emit(table, bytes, sizeof(bytes), &why);
	FILE *file;
	size_t put;

	if (size < 0) {
		return fail(2, "table", why);
	}
	file = fopen(path, "wb");
	if (file == NULL) {
		perror(path);
		return 1;
	}
	put = fwrite(bytes, 1, (size_t)size, file);
	if (fclose(file) != 0 || put != (size_t)size) {
		perror(path);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct policy_table table;
	const char *out = NULL;
	const char *why;
	int status;

	for (int i = 1; i < argc; i++) {
		const char *option = argv[i];

		if (strcmp(option, "--help") == 0) {
			fputs(usage, stdout);
			return 0;
		}
		if (i + 1 == argc) {
			fputs(usage, stderr);
			return 2;
		}
		i++;
		if (strcmp(option, "--out") == 0) {
			out = argv[i];
		} else if (strcmp(option, "--part") == 0) {
			if (policy_table_add_part(&table, argv[i], &why) != 0) {
				return fail(2, argv[i], why);
			}
		} else if (strcmp(option, "--device") == 0) {
			if (policy_table_add_device(&table, argv[i], &why) != 0) {
				return fail(2, argv[i], why);
			}
		} else if (strcmp(option, "--iommu") == 0) {
			if (policy_table_set_iommu(&table, argv[i], &why) != 0) {
				return fail(2, argv[i], why);
			}
		} else if (strcmp(option, "--module") == 0) {
			status = add_module(&table, argv[i]);
			if (status != 0) {
				return status;
			}
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (out == NULL) {
		fputs(usage, stderr);
		return 2;
	}
	return write_table(&table, out);
}
