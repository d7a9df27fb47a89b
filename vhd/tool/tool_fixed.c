/* SPDX-License-Identifier: Apache-2.0 */
/* create-fixed: a raw image becomes a fixed VHD, reproducibly. For the build of images; people use
 * convert. */
#define _GNU_SOURCE

#include "tool_size.h"
#include "tool_verbs.h"
#include "vhd_fixed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* 2000-01-01 00:00 UTC in seconds since 1970. */
#define VHD_EPOCH  946684800ll
#define COPY_CHUNK (1u << 20)

static struct {
	uint64_t size;
	const char *uuid;
	int64_t timestamp;
} opt = {.timestamp = -1};

const struct tool_option tool_fixed_options[] = {
	{"size", TOOL_SIZE, &opt.size, "SIZE", "make the disk at least this large"},
	{"uuid", TOOL_TEXT, &opt.uuid, "UUID", "instead of a random one"},
	{"timestamp", TOOL_NUMBER, &opt.timestamp, "SECONDS",
	 "since 1970; default SOURCE_DATE_EPOCH, else now"},
	{0},
};

/* Copies [offset, end) of in to the same place in out. */
static int copy_range(int in, int out, off_t offset, off_t end)
{
	static uint8_t buffer[COPY_CHUNK];

	while (offset < end) {
		size_t want =
			end - offset < (off_t)COPY_CHUNK ? (size_t)(end - offset) : COPY_CHUNK;
		ssize_t got = pread(in, buffer, want, offset);
		ssize_t put;

		if (got <= 0) {
			return got < 0 ? -errno : -EIO;
		}
		put = pwrite(out, buffer, (size_t)got, offset);
		if (put != got) {
			return put < 0 ? -errno : -EIO;
		}
		offset += got;
	}
	return 0;
}

/* Copies what is data and leaves holes out. */
static int copy_data(int in, int out, off_t size)
{
	off_t data = 0;

	while (data < size) {
		off_t hole;
		int rc;

		data = lseek(in, data, SEEK_DATA);
		if (data < 0) {
			return errno == ENXIO ? 0 : -errno;
		}
		hole = lseek(in, data, SEEK_HOLE);
		if (hole < 0) {
			return -errno;
		}
		rc = copy_range(in, out, data, hole < size ? hole : size);
		if (rc < 0) {
			return rc;
		}
		data = hole;
	}
	return 0;
}

static int fill(int in, int out, const uint8_t uuid[16], uint32_t timestamp)
{
	struct stat st;
	uint64_t size;
	int rc;

	if (fstat(in, &st) < 0) {
		return -errno;
	}
	rc = copy_data(in, out, st.st_size);
	size = (uint64_t)st.st_size > opt.size ? (uint64_t)st.st_size : opt.size;
	return rc < 0 ? rc : vhd_fixed_make(out, size, uuid, timestamp);
}

/* Identity and time of the image: those given, or new ones. */
static int get_identity(struct tool *tool, uint8_t ret_uuid[16], uint32_t *ret_timestamp)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	int64_t seconds = opt.timestamp;

	if (seconds < 0) {
		seconds = epoch ? strtoll(epoch, NULL, 10) : (int64_t)time(NULL);
	}
	if (seconds < VHD_EPOCH || seconds - VHD_EPOCH > UINT32_MAX) {
		return tool_fail_usage(tool, "a VHD cannot say that time");
	}
	*ret_timestamp = (uint32_t)(seconds - VHD_EPOCH);
	if (opt.uuid && !tool_uuid_parse(opt.uuid, ret_uuid)) {
		return tool_fail_usage(tool, "%s is no UUID", opt.uuid);
	}
	if (!opt.uuid && getrandom(ret_uuid, 16, 0) != 16) {
		return tool_fail(tool, -errno, "random numbers");
	}
	return TOOL_OK;
}

int tool_fixed(struct tool *tool, char **arguments, unsigned count)
{
	const char *raw = arguments[0], *path = arguments[1];
	uint32_t timestamp = 0;
	uint8_t uuid[16];
	int in, out, rc = get_identity(tool, uuid, &timestamp);

	(void)count;
	if (rc) {
		return rc;
	}
	in = open(raw, O_RDONLY | O_CLOEXEC);
	if (in < 0) {
		return tool_fail(tool, -errno, raw);
	}
	out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0) {
		rc = tool_fail(tool, -errno, path);
		close(in);
		return rc;
	}
	rc = fill(in, out, uuid, timestamp);
	close(in);
	if (close(out) < 0 && rc == 0) {
		rc = -errno;
	}
	if (rc < 0) {
		unlink(path);
		return tool_fail(tool, rc, path);
	}
	return TOOL_OK;
}
