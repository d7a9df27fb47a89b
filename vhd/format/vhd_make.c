/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-vhd: makes a fixed VHD from a raw image, and tells what a VHD holds. */
#define _GNU_SOURCE

#include "vhd.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* 2000-01-01 00:00 UTC in seconds since 1970. */
#define VHD_EPOCH  946684800ll
#define COPY_CHUNK (1u << 20)

enum { EXIT_USAGE = 2 };

struct options {
	uint8_t uuid[16];
	bool uuid_given;
	uint32_t timestamp;
	uint64_t size; /* least virtual size; 0: that of the raw image */
};

static const char usage[] =
	"Usage: bulkhead-vhd create-fixed [OPTION]... RAW VHD\n"
	"       bulkhead-vhd info VHD\n"
	"\n"
	"create-fixed copies the raw disk image RAW to VHD and adds a footer. The virtual size is\n"
	"that of RAW, rounded up to a multiple of 2 MiB. Holes stay holes.\n"
	"  --size BYTES      make the disk at least this large\n"
	"  --uuid UUID       instead of a random one\n"
	"  --timestamp SECS  since 1970-01-01; default SOURCE_DATE_EPOCH, else now\n"
	"  --help            show this text\n"
	"info prints type, size, UUID and creator of VHD.\n"
	"\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage.\n";

static int fail(const char *what, const char *name, int error)
{
	fprintf(stderr, "bulkhead-vhd: %s %s: %s\n", what, name, strerror(error));
	return EXIT_FAILURE;
}

static bool parse_u64(const char *text, uint64_t *ret_value)
{
	char *end;

	errno = 0;
	*ret_value = strtoull(text, &end, 10);
	return !errno && end != text && !*end && text[0] != '-';
}

static bool parse_uuid(const char *text, uint8_t *uuid)
{
	unsigned digits = 0;

	memset(uuid, 0, 16);
	for (; *text; text++) {
		const char *hex = "0123456789abcdef0123456789ABCDEF";
		const char *at = strchr(hex, *text);

		if (*text == '-') {
			continue;
		}
		if (!at || digits == 32) {
			return false;
		}
		uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | ((at - hex) & 15));
		digits++;
	}
	return digits == 32;
}

static bool parse_timestamp(const char *text, uint32_t *ret_timestamp)
{
	uint64_t seconds;

	if (!parse_u64(text, &seconds) || seconds < VHD_EPOCH || seconds - VHD_EPOCH > UINT32_MAX) {
		return false;
	}
	*ret_timestamp = (uint32_t)(seconds - VHD_EPOCH);
	return true;
}

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

static int create_fixed(const struct options *options, const char *raw, const char *path)
{
	struct stat st;
	uint64_t size;
	int in, out, rc;

	in = open(raw, O_RDONLY | O_CLOEXEC);
	if (in < 0 || fstat(in, &st) < 0) {
		return fail("cannot open", raw, errno);
	}
	out = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0) {
		close(in);
		return fail("cannot create", path, errno);
	}
	rc = copy_data(in, out, st.st_size);
	size = (uint64_t)st.st_size > options->size ? (uint64_t)st.st_size : options->size;
	if (rc == 0) {
		rc = vhd_create_fixed(out, size, options->uuid, options->timestamp);
	}
	close(in);
	if (close(out) < 0 && rc == 0) {
		rc = -errno;
	}
	if (rc < 0) {
		unlink(path);
		return fail("cannot write", path, -rc);
	}
	return EXIT_SUCCESS;
}

static int info(const char *path)
{
	struct vhd vhd;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -errno : vhd_open(fd, &vhd);

	if (fd >= 0) {
		close(fd);
	}
	if (rc < 0) {
		return fail("cannot open", path, -rc);
	}
	printf("type: fixed\nsize: %" PRIu64 "\nuuid: ", vhd.size);
	for (unsigned i = 0; i < sizeof(vhd.footer.uuid); i++) {
		printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
		       vhd.footer.uuid[i]);
	}
	printf("\ntimestamp: %lld\ncreator: ", VHD_EPOCH + vhd.footer.timestamp);
	for (unsigned i = 0; i < 4; i++) {
		char c = vhd.footer.creator[i];

		putchar(c >= ' ' && c <= '~' ? c : '?');
	}
	putchar('\n');
	return EXIT_SUCCESS;
}

/* The clock's, unless a build asks for reproducible bytes. */
static bool default_timestamp(uint32_t *ret_timestamp)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");

	if (epoch) {
		return parse_timestamp(epoch, ret_timestamp);
	}
	*ret_timestamp = (uint32_t)(time(NULL) - VHD_EPOCH);
	return true;
}

static bool parse_option(struct options *options, int c)
{
	switch (c) {
	case 's':
		return parse_u64(optarg, &options->size);
	case 'u':
		options->uuid_given = true;
		return parse_uuid(optarg, options->uuid);
	case 't':
		return parse_timestamp(optarg, &options->timestamp);
	default:
		return false;
	}
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{"size", required_argument, NULL, 's'},
		{"uuid", required_argument, NULL, 'u'},
		{"timestamp", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options options = {0};
	bool good = default_timestamp(&options.timestamp);
	int c;

	while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		}
		good = parse_option(&options, c) && good;
	}
	if (good && !options.uuid_given &&
	    getrandom(options.uuid, sizeof(options.uuid), 0) != sizeof(options.uuid)) {
		return fail("cannot make", "a UUID", errno);
	}
	if (good && argc - optind == 3 && !strcmp(argv[optind], "create-fixed")) {
		return create_fixed(&options, argv[optind + 1], argv[optind + 2]);
	}
	if (good && argc - optind == 2 && !strcmp(argv[optind], "info")) {
		return info(argv[optind + 1]);
	}
	fputs(usage, stderr);
	return EXIT_USAGE;
}
