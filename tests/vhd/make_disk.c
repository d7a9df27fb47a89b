/* SPDX-License-Identifier: Apache-2.0 */
/* make-disk PATH SIZE [SECRET]: a dynamic VHD for tests, encrypted when there is a secret, with the
 * cheapest key derivation there is. Never for disks that are worth something. */
#include "luks.h"
#include "vhd_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int encrypt(struct folder *folder, const char *name, const char *secret, struct why *why)
{
	const struct luks_format format = {
		.secret = {.bytes = secret, .size = strlen(secret), .slot = -1},
		.fast_for_tests = true,
	};
	struct layer *image;
	int rc = vhd_disk_open(folder, name, VHD_DISK_WRITE, &image, why);
	int closed;

	if (rc < 0) {
		return rc;
	}
	rc = luks_format(image, &format, why);
	rc = rc ? rc : layer_flush(image);
	closed = layer_close(image);
	return rc ? rc : closed;
}

int main(int argc, char **argv)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC};
	struct why why = {""};
	struct folder *folder;
	const char *name;
	int rc;

	if (argc < 3 || folder_of_path(argv[1], &folder, &name) < 0) {
		fprintf(stderr, "usage: make-disk PATH SIZE [SECRET]\n");
		return 2;
	}
	create.size = strtoull(argv[2], NULL, 0);
	rc = vhd_disk_create(folder, name, &create, &why);
	if (!rc && argc > 3) {
		rc = encrypt(folder, name, argv[3], &why);
	}
	if (rc < 0) {
		fprintf(stderr, "make-disk: %s: %s %s\n", name, strerror(-rc), why.text);
	}
	folder_close(folder);
	return rc < 0;
}
