/* SPDX-License-Identifier: Apache-2.0 */
/* parallel FOLDER SEED OPERATIONS: many requests at once on every kind of disk, each file call a
 * chance for the others to run. A block belongs to one request at a time, so its content is always
 * known; in the end, and after opening again, all of it is read. Prints TAP. */
#define _GNU_SOURCE

#include "fiber.h"
#include "luks.h"
#include "stack.h"
#include "stack_manifest.h"
#include "uring.h"
#include "vhd_disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_SIZE (24ull << 20)
#define UNIT	  2048u /* smaller than a sector of the encryption */
#define UNITS	  ((unsigned)(DISK_SIZE / UNIT) - 1024u) /* an encrypted disk is 2 MiB smaller */
#define RUN_MAX	  64u
#define FIBERS	  48u
#define SECRET	  "parallel"

static struct uring *ring;
static struct layer *disk;
static uint32_t expected[UNITS]; /* what each unit was written with; 0: zeros */
static bool busy[UNITS], unknown[UNITS];
static uint64_t left, errors;
static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A file that lets others run before and after each call. */
struct slow_file {
	struct file file;
	struct file *inner;
};

static void yield(void)
{
	if (fiber_self() && next_random() % 4) {
		uring_sleep(ring, 0);
	}
}

static struct file *inner_of(struct file *file)
{
	return ((struct slow_file *)file)->inner;
}

static int slow_read(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		     uint64_t offset)
{
	int rc;

	yield();
	rc = file_readv(inner_of(file), iov, count, size, offset);
	yield();
	return rc;
}

static int slow_write(struct file *file, const struct iovec *iov, unsigned count, size_t size,
		      uint64_t offset)
{
	int rc;

	yield();
	rc = file_writev(inner_of(file), iov, count, size, offset);
	yield();
	return rc;
}

static int slow_zero(struct file *file, uint64_t offset, uint64_t size)
{
	int rc;

	yield();
	rc = file_zero(inner_of(file), offset, size);
	yield();
	return rc;
}

static int slow_resize(struct file *file, uint64_t size)
{
	yield();
	return file_resize(inner_of(file), size);
}

static int slow_flush(struct file *file)
{
	int rc;

	yield();
	rc = file_flush(inner_of(file));
	yield();
	return rc;
}

static int slow_get_size(struct file *file, uint64_t *ret_size)
{
	return file_get_size(inner_of(file), ret_size);
}

static int slow_lock(struct file *file, bool exclusive)
{
	return file_lock(inner_of(file), exclusive);
}

static void slow_close(struct file *file)
{
	file_close(inner_of(file));
	free(file);
}

static const struct file_ops slow_file_ops = {
	.read = slow_read,
	.write = slow_write,
	.zero = slow_zero,
	.resize = slow_resize,
	.flush = slow_flush,
	.get_size = slow_get_size,
	.lock = slow_lock,
	.close = slow_close,
};

static struct folder *real;

static int slow_open(struct folder *folder, const char *name, unsigned flags,
		     struct file **ret_file)
{
	struct slow_file *file = calloc(1, sizeof(*file));
	int rc = folder_open_file(real, name, flags, &file->inner);

	if (rc < 0) {
		free(file);
		return rc;
	}
	file->file.ops = &slow_file_ops;
	file->file.read_only = file->inner->read_only;
	*ret_file = &file->file;
	return 0;
}

static int slow_rename(struct folder *folder, const char *from, const char *to)
{
	return folder_rename(real, from, to);
}

static int slow_remove(struct folder *folder, const char *name)
{
	return folder_remove(real, name);
}

static int slow_folder_flush(struct folder *folder)
{
	return folder_flush(real);
}

static int slow_list(struct folder *folder, int (*each)(void *context, const char *name),
		     void *context)
{
	return folder_list(real, each, context);
}

static const struct folder_ops slow_folder_ops = {
	.open = slow_open,
	.rename = slow_rename,
	.remove = slow_remove,
	.flush = slow_folder_flush,
	.list = slow_list,
};
static struct folder slow_folder = {.ops = &slow_folder_ops};

static void fill(uint8_t *bytes, unsigned unit, uint32_t value)
{
	for (unsigned i = 0; i < UNIT / 4; i++) {
		uint32_t word = value ? value * 2654435761u + unit * 97u + i : 0;

		memcpy(bytes + 4 * i, &word, 4);
	}
}

static void check(const uint8_t *bytes, unsigned first, unsigned count, const char *when)
{
	uint8_t right[UNIT];

	for (unsigned i = 0; i < count; i++) {
		fill(right, first + i, expected[first + i]);
		if (!unknown[first + i] && memcmp(bytes + i * UNIT, right, UNIT) != 0) {
			if (errors++ < 5) {
				printf("# unit %u is wrong %s\n", first + i, when);
			}
		}
	}
}

static void fail(int rc, const char *what)
{
	if (rc < 0 && errors++ < 5) {
		printf("# %s: %s\n", what, strerror(-rc));
	}
}

/* Takes a run of units that nobody else works on; 0: none. */
static unsigned take(unsigned *ret_first)
{
	unsigned first = (unsigned)(next_random() % UNITS);
	unsigned want = next_random() % 8 ? 1 + (unsigned)(next_random() % 4)
					  : 1 + (unsigned)(next_random() % RUN_MAX);
	unsigned count = 0;

	while (count < want && first + count < UNITS && !busy[first + count]) {
		busy[first + count++] = true;
	}
	*ret_first = first;
	return count;
}

static void write_run(unsigned first, unsigned count, uint8_t *bytes)
{
	for (unsigned i = 0; i < count; i++) {
		expected[first + i] = (uint32_t)next_random() | 1;
		unknown[first + i] = false;
		fill(bytes + i * UNIT, first + i, expected[first + i]);
	}
	fail(layer_write(disk, bytes, count * UNIT, (uint64_t)first * UNIT), "write");
}

static void forget_run(unsigned first, unsigned count, bool zero)
{
	if (zero) {
		fail(layer_zero(disk, (uint64_t)first * UNIT, count * UNIT), "zero");
	} else {
		fail(layer_discard(disk, (uint64_t)first * UNIT, count * UNIT), "discard");
	}
	for (unsigned i = 0; i < count; i++) {
		expected[first + i] = 0;
		unknown[first + i] = !zero;
	}
}

static void operate(uint8_t *bytes)
{
	unsigned kind = (unsigned)(next_random() % 100);
	unsigned first, count;

	if (kind >= 97) {
		fail(layer_flush(disk), "flush");
		return;
	}
	count = take(&first);
	if (kind < 50 && count) {
		write_run(first, count, bytes);
	} else if (kind < 90 && count) {
		fail(layer_read(disk, bytes, count * UNIT, (uint64_t)first * UNIT), "read");
		check(bytes, first, count, "when read");
	} else if (count) {
		forget_run(first, count, kind < 94);
	}
	memset(busy + first, false, count);
}

static void work(void *argument)
{
	uint8_t *bytes = malloc(RUN_MAX * UNIT);

	while (left && bytes) {
		left--;
		operate(bytes);
	}
	free(bytes);
}

static void read_all(const char *when)
{
	static uint8_t bytes[UNIT * RUN_MAX];

	for (unsigned first = 0; first + RUN_MAX <= UNITS; first += RUN_MAX) {
		fail(layer_read(disk, bytes, sizeof(bytes), (uint64_t)first * UNIT), "read");
		check(bytes, first, RUN_MAX, when);
	}
}

struct kind {
	const char *name, *file;
	struct stack_options options;
	bool sealed; /* what is read is held against a manifest, which is sealed at the end */
};

static int open_disk(const struct kind *kind, struct why *why)
{
	return stack_open(&slow_folder, kind->file, &kind->options, &disk, why);
}

static void run(const struct kind *kind, unsigned number, uint64_t operations)
{
	const struct stack_seal_options seal = {0};
	struct manifest manifest;
	struct why why = {""};
	int rc = kind->sealed ? stack_seal(real, kind->file, &seal, &manifest, &why) : 0;

	rc = rc ? rc : open_disk(kind, &why);
	errors = 0;
	left = operations;
	memset(expected, 0, sizeof(expected));
	memset(unknown, kind->options.secret || kind->options.raw, sizeof(unknown));
	if (!rc) {
		for (unsigned i = 0; i < FIBERS; i++) {
			fiber_start(work, NULL);
		}
		while (uring_in_flight(ring)) {
			uring_wait(ring);
		}
		read_all("at the end");
		fail(layer_flush(disk), "flush");
		fail(layer_close(disk), "close");
		rc = kind->options.throw_away ? 0 : open_disk(kind, &why);
	}
	if (!rc && !kind->options.throw_away) {
		read_all("after opening again");
		fail(layer_close(disk), "close");
	}
	if (rc < 0) {
		printf("# %s %s\n", strerror(-rc), why.text);
	}
	printf("%s %u - %s: %llu operations, %u at a time\n", rc || errors ? "not ok" : "ok",
	       number, kind->name, (unsigned long long)operations, FIBERS);
	fflush(stdout);
}

/* Images of all kinds; what a differencing one stands on is never written. */
static int make_images(struct why *why)
{
	const struct luks_format format = {.secret = {SECRET, sizeof(SECRET) - 1, -1},
					   .fast_for_tests = true};
	static const char *const names[] = {"fixed.vhd",
					    "dynamic.vhd",
					    "base.vhd",
					    "child.vhd",
					    "sealed.vhd",
					    "locked.vhd",
					    "raw",
					    "sealed.vhd.manifest",
					    "sealed.vhd.tree",
					    "locked.vhd.manifest",
					    "locked.vhd.tree"};
	struct vhd_disk_create create = {.type = VHD_FIXED, .size = DISK_SIZE};
	struct layer *image;
	struct file *file;
	int rc;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)!folder_remove(real, names[i]);
	}
	rc = vhd_disk_create(real, "fixed.vhd", &create, why);
	create.type = VHD_DYNAMIC;
	rc = rc ? rc : vhd_disk_create(real, "dynamic.vhd", &create, why);
	rc = rc ? rc : vhd_disk_create(real, "base.vhd", &create, why);
	rc = rc ? rc : vhd_disk_create(real, "sealed.vhd", &create, why);
	rc = rc ? rc : vhd_disk_create(real, "locked.vhd", &create, why);
	create = (struct vhd_disk_create){.type = VHD_DIFFERENCING, .parent = "base.vhd"};
	rc = rc ? rc : vhd_disk_create(real, "child.vhd", &create, why);
	rc = rc ? rc : vhd_disk_open(real, "locked.vhd", VHD_DISK_WRITE, &image, why);
	rc = rc ? rc : luks_format(image, &format, why);
	rc = rc ? rc : layer_close(image);
	rc = rc ? rc : folder_open_file(real, "raw", FOLDER_CREATE, &file);
	rc = rc ? rc : file_resize(file, DISK_SIZE);
	if (!rc) {
		file_close(file);
	}
	return rc;
}

int main(int argc, char **argv)
{
	static const struct luks_secret secret = {SECRET, sizeof(SECRET) - 1, -1};
	static const struct kind kinds[] = {
		{"raw", "raw", {.write = true, .raw = true}, false},
		{"fixed", "fixed.vhd", {.write = true}, false},
		{"dynamic", "dynamic.vhd", {.write = true, .stats = true}, false},
		{"differencing", "child.vhd", {.write = true}, false},
		{"encrypted", "locked.vhd", {.write = true, .secret = &secret}, false},
		{"encrypted, discards passed",
		 "locked.vhd",
		 {.write = true, .secret = &secret, .pass_discards = true},
		 false},
		{"sealed", "sealed.vhd", {.write = true}, true},
		{"sealed and encrypted", "locked.vhd", {.write = true, .secret = &secret}, true},
		{"throw-away", "base.vhd", {.write = true, .throw_away = true}, false},
	};
	enum { COUNT = sizeof(kinds) / sizeof(kinds[0]) };
	struct why why = {""};
	char path[512];
	const char *name;
	int rc;

	if (argc != 4) {
		fprintf(stderr, "usage: parallel FOLDER SEED OPERATIONS\n");
		return 2;
	}
	random_state = strtoull(argv[2], NULL, 0) * 0x9e3779b97f4a7c15ull | 1;
	snprintf(path, sizeof(path), "%s/x", argv[1]);
	rc = uring_open(&ring);
	if (rc < 0) {
		printf("1..0 # SKIP no io_uring here: %s\n", strerror(-rc));
		return 0;
	}
	rc = folder_of_path(path, &real, &name);
	rc = rc ? rc : make_images(&why);
	if (rc < 0) {
		printf("not ok 1 - images are made\n# %s %s\n", strerror(-rc), why.text);
		return 1;
	}
	for (unsigned i = 0; i < COUNT; i++) {
		run(&kinds[i], i + 1, strtoull(argv[3], NULL, 0));
		rc |= errors != 0;
	}
	printf("1..%u\n", COUNT);
	folder_close(real);
	fiber_trim();
	uring_close(ring);
	return rc != 0;
}
