/* SPDX-License-Identifier: Apache-2.0 */
/* A disk on its way between two PCs: two folders in memory, and a stick. */
#define _GNU_SOURCE

#include "bundle_io.h"
#include "disk_memory.h"
#include "move_export.h"
#include "move_import.h"
#include "owner.h"
#include "vhd_disk.h"
#include "manifest_keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define DISK_SIZE (16u << 20)

static struct disk_memory *a, *b, *stick;
static struct why why;
static const struct luks_secret secret = {"passphrase", 10, -1};
static const struct luks_secret wrong_secret = {"password", 8, -1};

static struct folder *at(struct disk_memory *disk)
{
	return disk_memory_folder(disk);
}

static void make(struct disk_memory *disk, const char *name, const char *parent)
{
	struct vhd_disk_create create = {
		.type = parent ? VHD_DIFFERENCING : VHD_DYNAMIC,
		.size = DISK_SIZE,
		.parent = parent,
		.uuid = {parent ? 2 : 1},
		.timestamp = 1000,
	};

	if (parent) {
		memset(create.uuid, 0, sizeof(create.uuid));
	}
	assert_int_equal(vhd_disk_create(at(disk), name, &create, &why), 0);
}

/* Fills [sector, sector + count) of 4 KiB with bytes that follow from `seed`. */
static void fill(struct disk_memory *disk, const char *name, uint32_t sector, uint32_t count,
		 uint64_t seed)
{
	struct layer *layer;
	uint8_t *bytes = malloc((size_t)count * 4096);

	assert_non_null(bytes);
	for (size_t i = 0; i < (size_t)count * 4096; i++) {
		bytes[i] = i % 16 ? (uint8_t)(i + seed) : (uint8_t)disk_memory_random(&seed);
	}
	assert_int_equal(vhd_disk_open(at(disk), name, VHD_DISK_WRITE, &layer, &why), 0);
	assert_int_equal(layer_write(layer, bytes, (size_t)count * 4096, (uint64_t)sector * 4096),
			 0);
	assert_int_equal(layer_flush(layer), 0);
	assert_int_equal(layer_close(layer), 0);
	free(bytes);
}

static uint8_t *contents(struct disk_memory *disk, const char *name)
{
	struct layer *layer;
	uint8_t *bytes = malloc(DISK_SIZE);

	assert_non_null(bytes);
	assert_int_equal(vhd_disk_open(at(disk), name, 0, &layer, &why), 0);
	assert_int_equal(layer->size, DISK_SIZE);
	assert_int_equal(layer_read(layer, bytes, DISK_SIZE, 0), 0);
	assert_int_equal(layer_close(layer), 0);
	return bytes;
}

static void assert_same(struct disk_memory *x, const char *x_name, struct disk_memory *y,
			const char *y_name)
{
	uint8_t *one = contents(x, x_name), *other = contents(y, y_name);

	assert_memory_equal(one, other, DISK_SIZE);
	free(one);
	free(other);
}

/* Both have the base; PC a has a child with a day's work. */
static int setup(void **state)
{
	(void)state;
	a = disk_memory_create(false);
	b = disk_memory_create(false);
	stick = disk_memory_create(false);
	if (!a || !b || !stick) {
		return -1;
	}
	make(a, "base.vhd", NULL);
	fill(a, "base.vhd", 0, 600, 1);
	make(b, "base.vhd", NULL);
	fill(b, "base.vhd", 0, 600, 1);
	make(a, "office.vhd", "base.vhd");
	fill(a, "office.vhd", 10, 5, 2);
	fill(a, "office.vhd", 500, 200, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	disk_memory_destroy(a);
	disk_memory_destroy(b);
	disk_memory_destroy(stick);
	return 0;
}

static struct move_export_options export_options(void)
{
	return (struct move_export_options){
		.secret = &secret, .to = "b", .fast_for_tests = true, .config = "ram 4G"};
}

static int send(struct disk_memory *from, struct move_export_report *ret_report)
{
	struct move_export_options options = export_options();

	why.text[0] = '\0';
	return move_export(at(from), "office.vhd", &options, at(stick), ret_report, &why);
}

static int receive_with(struct disk_memory *to, const struct move_import_options *options,
			struct move_import_report *ret_report)
{
	struct bundle_file stream;
	struct file *file;
	int rc;

	why.text[0] = '\0';
	assert_int_equal(folder_open_file(at(stick), "office.bundle", FOLDER_READ, &file), 0);
	bundle_file_init(&stream, file, 0);
	rc = move_import(&stream.in, at(to), options, ret_report, &why);
	file_close(file);
	return rc;
}

static void drop(struct move_import_report *report)
{
	free(report->receipt);
	free(report->config);
}

static int receive(struct disk_memory *to)
{
	struct move_import_options options = {.secret = &secret};
	struct move_import_report report;
	int rc = receive_with(to, &options, &report);

	if (!rc) {
		drop(&report);
	}
	return rc;
}

/* A disk arrives as it was, with its configuration; the bundle is far smaller than the disk. */
static void move_carries_what_changed(void **state)
{
	struct move_import_options options = {.secret = &secret};
	struct move_export_report sent;
	struct move_import_report got;

	(void)state;
	assert_int_equal(send(a, &sent), 0);
	assert_string_equal(sent.file, "office.bundle");
	assert_int_equal(sent.changed, 205 * 4096);
	assert_int_equal(receive_with(b, &options, &got), 0);
	assert_string_equal(got.image, "office.vhd");
	assert_string_equal(got.config, "ram 4G");
	assert_int_equal(got.read, sent.size);
	drop(&got);
	assert_same(a, "office.vhd", b, "office.vhd");
	assert_same(b, "office.vhd", b, "office.e1.vhd");
}

/* There and back, twice: each way carries only what changed since. */
static void move_return_carries_only_what_changed(void **state)
{
	struct move_export_report sent;

	(void)state;
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(receive(b), 0);
	fill(b, "office.vhd", 12, 1, 9);
	fill(b, "office.vhd", 900, 3, 10);
	assert_int_equal(send(b, &sent), 0);
	assert_int_equal(sent.epoch, 2);
	assert_int_equal(sent.changed, 4 * 4096);
	assert_int_equal(receive(a), 0);
	assert_same(a, "office.vhd", b, "office.vhd");
	fill(a, "office.vhd", 13, 2, 11);
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(sent.epoch, 3);
	assert_int_equal(sent.changed, 2 * 4096);
	assert_int_equal(receive(b), 0);
	assert_same(a, "office.vhd", b, "office.vhd");
}

/* However often it travels, the chain of images stays short. */
static void move_keeps_the_chain_short(void **state)
{
	struct move_export_report sent;
	struct vhd_disk_info info;
	struct layer *layer;

	(void)state;
	for (unsigned i = 0; i < 24; i++) {
		struct disk_memory *from = i % 2 ? b : a, *to = i % 2 ? a : b;

		fill(from, "office.vhd", 20 + i * 40, 2, i);
		assert_int_equal(send(from, &sent), 0);
		assert_true(i == 0 || sent.changed == 2 * 4096);
		assert_int_equal(receive(to), 0);
		assert_int_equal(vhd_disk_open(at(to), "office.vhd", 0, &layer, &why), 0);
		assert_in_range(vhd_disk_get_info(layer, 0, &info), 3, 10);
		assert_int_equal(layer_close(layer), 0);
		assert_same(a, "office.vhd", b, "office.vhd");
	}
}

/* Who trusts one key takes only what it signed; a signed export goes on as any other. */
static void move_takes_only_what_is_signed(void **state)
{
	struct move_export_options options = export_options();
	struct move_import_options import = {.secret = &secret,
					     .trusted_key = MANIFEST_TEST_PUBLIC,
					     .sign_key = MANIFEST_TEST_OTHER_KEY};
	struct move_export_report sent;
	struct move_import_report got;

	(void)state;
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(receive_with(b, &import, &got), -EKEYREJECTED);
	assert_int_equal(move_undo(at(a), "office.vhd", at(stick), &why), 0);
	fill(a, "office.vhd", 600, 3000, 6);
	options.sign_key = MANIFEST_TEST_OTHER_KEY;
	assert_int_equal(move_export(at(a), "office.vhd", &options, at(stick), &sent, &why), 0);
	assert_int_equal(receive_with(b, &import, &got), -EKEYREJECTED);
	assert_int_equal(move_undo(at(a), "office.vhd", at(stick), &why), 0);
	options.sign_key = MANIFEST_TEST_KEY;
	stick->budget = 600 << 10;
	assert_int_equal(move_export(at(a), "office.vhd", &options, at(stick), &sent, &why),
			 -ENOSPC);
	stick->budget = 0;
	assert_int_equal(move_export(at(a), "office.vhd", &options, at(stick), &sent, &why), 0);
	assert_true(sent.frames_kept > 0);
	assert_int_equal(receive_with(b, &import, &got), 0);
	assert_true(got.check.is_signed);
	assert_non_null(strstr(got.receipt, "signature"));
	drop(&got);
}

/* Only one PC may write the disk at a time: the sender refuses, and says where it went. */
static void move_leaves_one_owner(void **state)
{
	struct move_export_report sent;

	(void)state;
	assert_int_equal(owner_check_write(at(a), "office.vhd", &why), 0);
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(owner_check_write(at(a), "office.vhd", &why), -EREMOTE);
	assert_int_equal(receive(b), 0);
	assert_int_equal(owner_check_write(at(b), "office.vhd", &why), 0);
	assert_int_equal(send(b, &sent), 0);
	assert_int_equal(owner_check_write(at(b), "office.vhd", &why), -EREMOTE);
	assert_int_equal(receive(a), 0);
	assert_int_equal(owner_check_write(at(a), "office.vhd", &why), 0);
}

/* A bundle is taken once: again it changes nothing, and later it is refused as old. */
static void move_refuses_a_replay(void **state)
{
	struct move_import_options options = {.secret = &secret};
	struct move_export_report sent;
	struct move_import_report got;

	(void)state;
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(receive(b), 0);
	fill(b, "office.vhd", 12, 1, 9);
	assert_int_equal(receive_with(b, &options, &got), 0);
	assert_true(got.was_done);
	drop(&got);
	assert_int_equal(folder_rename(at(stick), "office.bundle", "old"), 0);
	assert_int_equal(send(b, &sent), 0);
	assert_int_equal(folder_rename(at(stick), "office.bundle", "new"), 0);
	assert_int_equal(folder_rename(at(stick), "old", "office.bundle"), 0);
	assert_int_equal(receive(b), -ESTALE);
	assert_int_equal(receive(a), -ESTALE);
	assert_int_equal(folder_rename(at(stick), "new", "office.bundle"), 0);
	assert_int_equal(receive(b), -ESTALE);
	assert_int_equal(receive(a), 0);
}

/* A move that nobody received can be taken back; what was exported is dead then. */
static void move_undo_makes_the_bundle_old(void **state)
{
	struct move_export_report sent;

	(void)state;
	assert_int_equal(move_undo(at(a), "office.vhd", NULL, &why), -ENOENT);
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(move_undo(at(a), "office.vhd", NULL, &why), 0);
	assert_int_equal(owner_check_write(at(a), "office.vhd", &why), 0);
	assert_int_equal(receive(a), -ESTALE);
	fill(a, "office.vhd", 12, 1, 9);
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(sent.epoch, 3);
	assert_int_equal(move_undo(at(a), "office.vhd", at(stick), &why), 0);
	assert_int_equal(disk_memory_used(stick), 0);
}

/* The receipt proves that the bundle was opened; then there is no way back but a move. */
static void move_takes_the_receipt(void **state)
{
	struct move_import_options options = {.secret = &secret};
	struct move_export_report sent;
	struct move_import_report got;

	(void)state;
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(receive_with(b, &options, &got), 0);
	assert_int_equal(move_take_receipt(at(a), "office.vhd", "{}", &why), -EBADMSG);
	assert_int_equal(move_take_receipt(at(a), "office.vhd", got.receipt, &why), 0);
	assert_int_equal(move_undo(at(a), "office.vhd", NULL, &why), -EALREADY);
	drop(&got);
}

/* A copy leaves the sender alone and is a disk of its own. */
static void move_copy_is_another_disk(void **state)
{
	struct move_export_options options = export_options();
	struct move_import_options import = {.secret = &secret, .name = "copy.vhd"};
	struct move_export_report sent;
	struct move_import_report got;

	(void)state;
	options.copy = true;
	assert_int_equal(move_export(at(a), "office.vhd", &options, at(stick), &sent, &why), 0);
	assert_int_equal(owner_check_write(at(a), "office.vhd", &why), 0);
	assert_int_equal(receive_with(a, &import, &got), 0);
	drop(&got);
	assert_same(a, "office.vhd", a, "copy.vhd");
}

static bool misses(const struct move_check *check, enum move_missing_kind kind)
{
	for (unsigned i = 0; i < check->missing_count; i++) {
		if (check->missing[i].kind == kind) {
			return true;
		}
	}
	return false;
}

static void look(struct disk_memory *disk, const struct move_host *host,
		 struct move_check *ret_check)
{
	struct bundle_file stream;
	struct file *file;

	assert_int_equal(folder_open_file(at(stick), "office.bundle", FOLDER_READ, &file), 0);
	bundle_file_init(&stream, file, 0);
	assert_int_equal(move_check(&stream.in, at(disk), host, NULL, ret_check, &why), 0);
	file_close(file);
}

/* Before any passphrase it is known what is missing: CPU, room, memory, role, firmware, base. */
static void move_check_says_what_is_missing(void **state)
{
	static const char *const roles[] = {"browser", NULL}, *const firmwares[] = {"uefi", NULL};
	struct move_export_options options = export_options();
	struct cpu_baseline needs = {.level = 3};
	struct move_host host = {.cpu = {.level = 2},
				 .free_space = 1000,
				 .ram = 1u << 30,
				 .roles = roles,
				 .firmwares = firmwares};
	struct move_export_report sent;
	struct move_check check;
	char *json;

	(void)state;
	needs.feature = 1ull << cpu_baseline_bit("aes");
	options.cpu = &needs;
	options.ram = 2ull << 30;
	assert_int_equal(move_export(at(a), "office.vhd", &options, at(stick), &sent, &why), 0);
	look(b, &host, &check);
	assert_false(check.runs_here);
	assert_int_equal(check.missing_count, 5);
	assert_true(misses(&check, MOVE_MISSING_CPU));
	assert_non_null(strstr(check.missing[0].text, "x86-64-v3 aes"));
	assert_true(misses(&check, MOVE_MISSING_SPACE));
	assert_true(misses(&check, MOVE_MISSING_RAM));
	assert_true(misses(&check, MOVE_MISSING_ROLE));
	assert_true(misses(&check, MOVE_MISSING_FIRMWARE));
	json = move_check_to_json(&check);
	assert_non_null(strstr(json, "\"kind\":\"role\""));
	free(json);
	host = (struct move_host){.cpu = {.level = 4, .feature = UINT64_MAX},
				  .free_space = UINT64_MAX};
	look(b, &host, &check);
	assert_true(check.runs_here);
	assert_string_equal(check.base, "base.vhd");
	assert_int_equal(folder_remove(at(b), "base.vhd"), 0);
	look(b, &host, &check);
	assert_true(misses(&check, MOVE_MISSING_BASE));
	assert_int_equal(receive(b), -EHOSTDOWN);
}

/* A base that was changed is found out before anything is asked. */
static void move_check_finds_a_changed_base(void **state)
{
	struct move_export_report sent;
	struct move_check check;

	(void)state;
	assert_int_equal(send(a, &sent), 0);
	fill(b, "base.vhd", 0, 600, 77);
	look(b, NULL, &check);
	assert_true(misses(&check, MOVE_WRONG_BASE));
	assert_int_equal(receive(b), -ESTALE);
}

/* What the sample misses, the sectors themselves find. */
static void move_import_finds_a_base_that_differs_a_little(void **state)
{
	struct move_export_report sent;

	(void)state;
	fill(a, "office.vhd", 550, 1, 4);
	assert_int_equal(send(a, &sent), 0);
	fill(b, "base.vhd", 590, 1, 77);
	assert_true(receive(b) == -ESTALE);
	assert_int_equal(folder_remove(at(b), "office.vhd"), -ENOENT);
}

/* A wrong passphrase opens nothing and leaves nothing. */
static void move_import_refuses_a_wrong_passphrase(void **state)
{
	struct move_import_options options = {.secret = &wrong_secret};
	struct move_export_report sent;
	struct move_import_report got;

	(void)state;
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(receive_with(b, &options, &got), -EPERM);
	options.secret = NULL;
	assert_int_equal(receive_with(b, &options, &got), -ENOKEY);
	assert_int_equal(receive(b), 0);
}

/* Another disk of the same name stays. */
static void move_import_leaves_a_stranger_alone(void **state)
{
	struct move_import_options options = {.secret = &secret, .name = "mine.vhd"};
	struct move_export_report sent;
	struct move_import_report got;

	(void)state;
	make(b, "office.vhd", NULL);
	assert_int_equal(send(a, &sent), 0);
	assert_int_equal(receive(b), -EHOSTDOWN);
	assert_int_equal(receive_with(b, &options, &got), 0);
	drop(&got);
	assert_same(a, "office.vhd", b, "mine.vhd");
}

/* All of a disk goes to a PC that has nothing; zeros and doubles cost next to nothing. */
static void move_full_needs_no_base(void **state)
{
	struct move_export_options options = export_options();
	struct move_export_report sent;

	(void)state;
	fill(a, "office.vhd", 1000, 512, 5);
	fill(a, "office.vhd", 2000, 512, 5);
	options.full = true;
	assert_int_equal(folder_remove(at(b), "base.vhd"), 0);
	assert_int_equal(move_export(at(a), "office.vhd", &options, at(stick), &sent, &why), 0);
	assert_int_equal(receive(b), 0);
	assert_same(a, "office.vhd", b, "office.vhd");
}

/* A full stick says how much is missing; with room the export goes on where it was. */
static void move_export_goes_on_after_a_full_stick(void **state)
{
	struct move_export_report sent;

	(void)state;
	fill(a, "office.vhd", 600, 3000, 6);
	stick->budget = 800 << 10;
	assert_int_equal(send(a, &sent), -ENOSPC);
	assert_non_null(strstr(why.text, "more are needed"));
	assert_int_equal(owner_check_write(at(a), "office.vhd", &why), 0);
	stick->budget = 0;
	assert_int_equal(send(a, &sent), 0);
	assert_true(sent.frames > 1);
	assert_true(sent.written < sent.size);
	assert_int_equal(receive(b), 0);
	assert_same(a, "office.vhd", b, "office.vhd");
}

/* A pipe in memory that breaks after a number of bytes. */
struct pipe {
	struct bundle_out out;
	struct bundle_in in;
	uint8_t bytes[16 << 20];
	size_t size, at, limit;
};

static int pipe_write(struct bundle_out *out, const void *bytes, size_t size)
{
	struct pipe *pipe = (struct pipe *)(void *)out;

	if (size > pipe->limit - pipe->size) {
		size = pipe->limit - pipe->size;
		memcpy(pipe->bytes + pipe->size, bytes, size);
		pipe->size += size;
		return -EPIPE;
	}
	memcpy(pipe->bytes + pipe->size, bytes, size);
	pipe->size += size;
	return 0;
}

static int pipe_read(struct bundle_in *in, void *ret_bytes, size_t size, size_t *ret_size)
{
	struct pipe *pipe = (struct pipe *)(void *)((char *)in - offsetof(struct pipe, in));

	*ret_size = size < pipe->size - pipe->at ? size : pipe->size - pipe->at;
	memcpy(ret_bytes, pipe->bytes + pipe->at, *ret_size);
	pipe->at += *ret_size;
	return 0;
}

/* Over a pipe that breaks, both sides go on and no frame that arrived is sent again. */
static void move_stream_goes_on_by_frames(void **state)
{
	struct move_export_options options = export_options();
	struct move_import_options import = {.secret = &secret};
	struct pipe *pipe = malloc(sizeof(*pipe));
	struct move_export_report sent;
	struct move_import_report got;
	size_t first;

	(void)state;
	assert_non_null(pipe);
	fill(a, "office.vhd", 600, 3000, 6);
	*pipe = (struct pipe){.out = {pipe_write}, .in = {pipe_read}, .limit = 500 << 10};
	assert_int_equal(move_export_stream(at(a), "office.vhd", &options, &pipe->out, &sent, &why),
			 -EPIPE);
	assert_int_equal(move_import(&pipe->in, at(b), &import, &got, &why), -EBADMSG);
	first = pipe->size;
	assert_int_equal(move_import_have(at(b), "office.vhd", options.have_id,
					  &options.have_frames, options.have_chain),
			 0);
	assert_true(options.have_frames > 0);
	pipe->size = pipe->at = 0;
	pipe->limit = sizeof(pipe->bytes);
	assert_int_equal(move_export_stream(at(a), "office.vhd", &options, &pipe->out, &sent, &why),
			 0);
	assert_int_equal(sent.frames_kept, options.have_frames);
	assert_int_equal(move_import(&pipe->in, at(b), &import, &got, &why), 0);
	drop(&got);
	assert_true(pipe->size + first < sent.size + (400 << 10)); /* one frame twice */
	assert_same(a, "office.vhd", b, "office.vhd");
	free(pipe);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(move_carries_what_changed),
		TEST(move_return_carries_only_what_changed),
		TEST(move_keeps_the_chain_short),
		TEST(move_takes_only_what_is_signed),
		TEST(move_leaves_one_owner),
		TEST(move_refuses_a_replay),
		TEST(move_undo_makes_the_bundle_old),
		TEST(move_takes_the_receipt),
		TEST(move_copy_is_another_disk),
		TEST(move_check_says_what_is_missing),
		TEST(move_check_finds_a_changed_base),
		TEST(move_import_finds_a_base_that_differs_a_little),
		TEST(move_import_refuses_a_wrong_passphrase),
		TEST(move_import_leaves_a_stranger_alone),
		TEST(move_full_needs_no_base),
		TEST(move_export_goes_on_after_a_full_stick),
		TEST(move_stream_goes_on_by_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
