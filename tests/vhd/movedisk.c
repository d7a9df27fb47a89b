/* SPDX-License-Identifier: Apache-2.0 */
/* Disks on their way between PCs, which are folders here; for move.test and session.py.
 *
 *   movedisk make DIR/NAME RAW [plain]       a dynamic disk, encrypted, with the bytes of RAW
 *   movedisk work DIR/NAME PARENT RAW        a child of it that reads as RAW: what a session wrote
 *   movedisk rework DIR/NAME RAW             writes what differs into a disk that is there
 *   movedisk export DIR/NAME TO/ [level]     MOVEDISK_DIE=n: killed by SIGKILL at progress step n
 *   movedisk send DIR/NAME [PROGRESS]        to standard output, after what PROGRESS says
 *   movedisk import BUNDLE|- DIR/NAME
 *   movedisk have DIR/NAME                   how far an import came
 *   movedisk verify BUNDLE
 *   movedisk dump DIR/NAME RAW               the payload, as it lies in the image
 *   movedisk same DIR/NAME RAW               whether the plain disk begins with RAW's bytes
 *
 * Prints one line of JSON; the exit code is 0, or 1 with the sentence on standard error. */
#define _GNU_SOURCE

#include "layer_crypt.h"
#include "move_export.h"
#include "move_import.h"
#include "vhd_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK  (1u << 20)
#define SECTOR 4096u
#define STEP   (2u << 20)

static struct why why;
static const struct luks_secret secret = {"secret", 6, -1};
static uint8_t mine[CHUNK], its[CHUNK];

static int fail(const char *what, int rc)
{
	fprintf(stderr, "%s: %s\n", what, *why.text ? why.text : strerror(-rc));
	return 1;
}

static struct folder *folder_of(const char *path, const char **ret_name)
{
	struct folder *folder;
	char with_name[4096];

	if (path[strlen(path) - 1] == '/') {
		snprintf(with_name, sizeof(with_name), "%sx", path);
		path = with_name;
	}
	return folder_of_path(path, &folder, ret_name) < 0 ? NULL : folder;
}

/* The plain disk over an image. */
static int open_plain(struct folder *folder, const char *name, unsigned flags,
		      struct layer **ret_layer)
{
	struct luks_segment segment;
	uint8_t key[XTS_KEY_SIZE];
	struct layer *layer;
	bool there;
	int rc = vhd_disk_open(folder, name, flags, &layer, &why);

	rc = rc ? rc : luks_is_there(layer, &there);
	if (!rc && there) {
		rc = luks_unlock(layer, &secret, key, &segment, &why);
		rc = rc ? rc : layer_crypt_open(layer, &segment, key, NULL, false, &layer);
	}
	*ret_layer = layer;
	return rc;
}

static uint64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Writes what differs, as 4 KiB sectors. */
static int write_raw(struct layer *layer, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc = fd < 0 ? -errno : 0;
	uint64_t at = 0;

	while (!rc) {
		ssize_t n = pread(fd, mine, CHUNK, (off_t)at);

		if (n <= 0) {
			rc = n < 0 ? -errno : 0;
			break;
		}
		memset(mine + n, 0, CHUNK - (size_t)n);
		n = (n + SECTOR - 1) / SECTOR * SECTOR;
		rc = layer_read(layer, its, (size_t)n, at);
		for (size_t i = 0, next; !rc && i < (size_t)n; i = next) {
			for (next = i; next < (size_t)n && memcmp(mine + next, its + next, SECTOR);
			     next += SECTOR) {
			}
			rc = next > i ? layer_write(layer, mine + i, next - i, at + i) : 0;
			next += next > i ? 0 : SECTOR;
		}
		at += (uint64_t)n;
	}
	rc = rc ? rc : layer_flush(layer);
	close(fd);
	return rc;
}

static int make(const char *path, const char *parent, const char *raw, bool plain)
{
	struct vhd_disk_create create = {.type = parent ? VHD_DIFFERENCING : VHD_DYNAMIC,
					 .parent = parent};
	struct luks_format format = {.secret = secret, .fast_for_tests = true};
	const char *name;
	struct folder *folder = folder_of(path, &name);
	struct layer *layer;
	int rc;

	create.size = (size_of(raw) + STEP - 1) / STEP * STEP + (plain ? 0 : LUKS_HEADER_SIZE);
	rc = folder ? vhd_disk_create(folder, name, &create, &why) : -ENOENT;
	if (!rc && !plain && !parent) {
		rc = vhd_disk_open(folder, name, VHD_DISK_WRITE, &layer, &why);
		rc = rc ? rc : luks_format(layer, &format, &why);
		rc = rc ? rc : layer_flush(layer);
		rc = rc ? rc : layer_close(layer);
	}
	rc = rc ? rc : open_plain(folder, name, VHD_DISK_WRITE, &layer);
	rc = rc ? rc : write_raw(layer, raw);
	rc = rc ? rc : layer_close(layer);
	folder_close(folder);
	return rc ? fail("make", rc) : 0;
}

static int rework(const char *path, const char *raw)
{
	const char *name;
	struct folder *folder = folder_of(path, &name);
	struct layer *layer;
	int rc = folder ? open_plain(folder, name, VHD_DISK_WRITE, &layer) : -ENOENT;

	rc = rc ? rc : write_raw(layer, raw);
	rc = rc ? rc : layer_close(layer);
	folder_close(folder);
	return rc ? fail("rework", rc) : 0;
}

static int die_at;

static int step(void *context, uint64_t done, uint64_t total)
{
	static int steps;

	(void)context;
	(void)done;
	(void)total;
	if (die_at && ++steps == die_at) {
		raise(SIGKILL);
	}
	return 0;
}

static const struct progress progress = {.step = step};

static void print_sent(const struct move_export_report *report, FILE *to)
{
	fprintf(to,
		"{\"epoch\":%llu,\"changed\":%llu,\"written\":%llu,\"size\":%llu,\"frames\":%llu,"
		"\"kept\":%llu}\n",
		(unsigned long long)report->epoch, (unsigned long long)report->changed,
		(unsigned long long)report->written, (unsigned long long)report->size,
		(unsigned long long)report->frames, (unsigned long long)report->frames_kept);
}

static int export(const char *path, const char *to_path, int level)
{
	struct move_export_options options = {
		.secret = &secret, .level = level, .fast_for_tests = true, .progress = &progress};
	const char *name, *to_name;
	struct folder *folder = folder_of(path, &name), *to = folder_of(to_path, &to_name);
	struct move_export_report report;
	int rc = folder && to ? move_export(folder, name, &options, to, &report, &why) : -ENOENT;

	if (!rc) {
		print_sent(&report, stdout);
	}
	folder_close(folder);
	folder_close(to);
	return rc ? fail("export", rc) : 0;
}

static bool get_hex(const char *text, uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned value;

		if (sscanf(text + 2 * i, "%2x", &value) != 1) {
			return false;
		}
		bytes[i] = (uint8_t)value;
	}
	return true;
}

/* have: "ID FRAMES CHAIN" as the verb `have` prints it. */
static int send(const char *path, const char *have)
{
	struct move_export_options options = {
		.secret = &secret, .fast_for_tests = true, .progress = &progress};
	const char *name;
	struct folder *folder = folder_of(path, &name);
	struct move_export_report report;
	struct bundle_fd stream;
	unsigned long long frames;
	char id[33], chain[65];
	int rc;

	if (have) {
		if (sscanf(have, "%32s %llu %64s", id, &frames, chain) != 3 ||
		    !get_hex(id, options.have_id, BUNDLE_ID_SIZE) ||
		    !get_hex(chain, options.have_chain, BUNDLE_HASH_SIZE)) {
			return 1;
		}
		options.have_frames = frames;
	}
	signal(SIGPIPE, SIG_IGN);
	bundle_fd_init(&stream, STDOUT_FILENO);
	rc = folder ? move_export_stream(folder, name, &options, &stream.out, &report, &why)
		    : -ENOENT;
	if (!rc) {
		print_sent(&report, stderr);
	}
	folder_close(folder);
	return rc ? fail("send", rc) : 0;
}

static int import(const char *from, const char *path)
{
	struct move_import_options options = {
		.secret = &secret, .progress = &progress, .despite_warnings = true};
	const char *name;
	struct folder *folder = folder_of(path, &name);
	struct move_import_report report;
	struct bundle_fd stream;
	int fd = strcmp(from, "-") == 0 ? STDIN_FILENO : open(from, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0 || !folder) {
		return fail("import", -ENOENT);
	}
	options.name = name;
	bundle_fd_init(&stream, fd);
	rc = move_import(&stream.in, folder, &options, &report, &why);
	if (!rc) {
		printf("{\"frames\":%llu,\"kept\":%llu,\"read\":%llu,\"done\":%s,\"receipt\":%s}\n",
		       (unsigned long long)report.frames, (unsigned long long)report.frames_kept,
		       (unsigned long long)report.read, report.was_done ? "true" : "false",
		       report.receipt);
		free(report.receipt);
		free(report.config);
	}
	folder_close(folder);
	return rc ? fail("import", rc) : 0;
}

static int have(const char *path)
{
	uint8_t id[BUNDLE_ID_SIZE], chain[BUNDLE_HASH_SIZE];
	const char *name;
	struct folder *folder = folder_of(path, &name);
	uint64_t frames;
	int rc = folder ? move_import_have(folder, name, id, &frames, chain) : -ENOENT;

	if (rc < 0) {
		return fail("have", rc);
	}
	for (unsigned i = 0; i < sizeof(id); i++) {
		printf("%02x", id[i]);
	}
	printf(" %llu ", (unsigned long long)frames);
	for (unsigned i = 0; i < sizeof(chain); i++) {
		printf("%02x", chain[i]);
	}
	puts("");
	folder_close(folder);
	return 0;
}

static int verify(const char *path)
{
	struct bundle_summary summary;
	struct bundle_fd stream;
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0) {
		return fail("verify", -errno);
	}
	bundle_fd_init(&stream, fd);
	rc = move_verify(&stream.in, NULL, &summary, &why);
	return rc ? fail("verify", rc) : 0;
}

static int dump(const char *path, const char *raw)
{
	const char *name;
	struct folder *folder = folder_of(path, &name);
	int fd = open(raw, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct layer *layer;
	int rc = folder && fd >= 0 ? vhd_disk_open(folder, name, 0, &layer, &why) : -ENOENT;

	for (uint64_t at = 0; !rc && at < layer->size; at += CHUNK) {
		rc = layer_read(layer, mine, CHUNK, at);
		rc = rc || pwrite(fd, mine, CHUNK, (off_t)at) == CHUNK ? rc : -EIO;
	}
	return rc ? fail("dump", rc) : 0;
}

static int same(const char *path, const char *raw)
{
	const char *name;
	struct folder *folder = folder_of(path, &name);
	int fd = open(raw, O_RDONLY | O_CLOEXEC);
	struct layer *layer;
	int rc = folder && fd >= 0 ? open_plain(folder, name, 0, &layer) : -ENOENT;

	for (uint64_t at = 0; !rc; at += CHUNK) {
		ssize_t n = pread(fd, mine, CHUNK, (off_t)at);

		if (n <= 0) {
			break;
		}
		rc = layer_read(layer, its, ((size_t)n + 511) / 512 * 512, at);
		if (!rc && memcmp(mine, its, (size_t)n) != 0) {
			rc = -EILSEQ;
		}
	}
	return rc ? fail("same", rc) : 0;
}

int main(int argc, char **argv)
{
	const char *die = getenv("MOVEDISK_DIE"), *verb = argc > 1 ? argv[1] : "";

	die_at = die ? atoi(die) : 0;
	if (strcmp(verb, "make") == 0 && argc >= 4) {
		return make(argv[2], NULL, argv[3], argc > 4);
	}
	if (strcmp(verb, "work") == 0 && argc == 5) {
		return make(argv[2], argv[3], argv[4], false);
	}
	if (strcmp(verb, "rework") == 0 && argc == 4) {
		return rework(argv[2], argv[3]);
	}
	if (strcmp(verb, "export") == 0 && argc >= 4) {
		return export(argv[2], argv[3], argc > 4 ? atoi(argv[4]) : 0);
	}
	if (strcmp(verb, "send") == 0 && argc >= 3) {
		return send(argv[2], argc > 3 ? argv[3] : NULL);
	}
	if (strcmp(verb, "import") == 0 && argc == 4) {
		return import(argv[2], argv[3]);
	}
	if (strcmp(verb, "have") == 0 && argc == 3) {
		return have(argv[2]);
	}
	if (strcmp(verb, "verify") == 0 && argc == 3) {
		return verify(argv[2]);
	}
	if (strcmp(verb, "dump") == 0 && argc == 4) {
		return dump(argv[2], argv[3]);
	}
	if (strcmp(verb, "same") == 0 && argc == 4) {
		return same(argv[2], argv[3]);
	}
	fprintf(stderr, "unknown verb or missing arguments\n");
	return 2;
}
