/* SPDX-License-Identifier: Apache-2.0 */
/* Owns secrets from their file to locked memory; no copy of them is left elsewhere. */
#define _GNU_SOURCE

#include "secret.h"
#include "locked.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void secret_wipe(struct secret *secret)
{
	locked_free(secret->bytes, SECRET_MAX);
	*secret = (struct secret){0};
}

int secret_read_fd(int fd, struct secret *ret_secret)
{
	struct secret secret = {.bytes = locked_alloc(SECRET_MAX)};
	ssize_t n = 1;
	int rc = secret.bytes ? 0 : -ENOMEM;

	while (!rc && n) {
		n = read(fd, secret.bytes + secret.size, SECRET_MAX - secret.size);
		if (n < 0 && errno != EINTR) {
			rc = -errno;
		}
		secret.size += n > 0 ? (size_t)n : 0;
		if (secret.size == SECRET_MAX) {
			rc = -E2BIG;
		}
	}
	if (rc < 0) {
		secret_wipe(&secret);
		return rc;
	}
	if (secret.size && secret.bytes[secret.size - 1] == '\n') {
		secret.bytes[--secret.size] = 0;
	}
	*ret_secret = secret;
	return 0;
}

int secret_read_file(const char *path, struct secret *ret_secret, struct why *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int rc = fd < 0 ? -errno : secret_read_fd(fd, ret_secret);

	if (fd >= 0) {
		close(fd);
	}
	return rc ? why_set(why, rc, "%s cannot be read: %s", path, strerror(-rc)) : 0;
}
