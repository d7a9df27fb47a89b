/* SPDX-License-Identifier: Apache-2.0 */
/* A raw disk in memory under the verify layer: what is found changed, what survives which end. */
#define _GNU_SOURCE

#include "disk_cut.h"
#include "fiber.h"
#include "hash_tree.h"
#include "layer_raw.h"
#include "layer_verify.h"
#include "manifest_keys.h"
#include "manifest_seal.h"
#include "manifest_seen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define NAME	    "d.raw"
#define SPAN	    HASH_TREE_SPAN
#define CHUNK	    HASH_TREE_CHUNK
#define DISK_SIZE   (2 * SPAN + 2 * CHUNK + 512)
#define PINNED_SIZE 4096u

static struct disk_memory *disk;
static struct manifest sealed; /* as setup left it */
static uint8_t bytes[DISK_SIZE], got[DISK_SIZE];
static struct why why;

static struct layer *open_raw(struct disk_memory *from, bool write)
{
	struct file *file;
	struct layer *raw;

	assert_int_equal(folder_open_file(disk_memory_folder(from), NAME,
					  write ? FOLDER_WRITE : FOLDER_READ, &file),
			 0);
	assert_int_equal(layer_raw_open(file, &raw), 0);
	return raw;
}

static struct manifest_subject subject(void)
{
	return (struct manifest_subject){.image = NAME, .size = DISK_SIZE};
}

/* How the layer opens on a disk; NULL and *ret_rc when it does not. */
static struct layer *try_open(struct disk_memory *from, bool write, const char *key, int *ret_rc)
{
	struct manifest_subject about = subject();
	struct manifest manifest;
	struct layer_verify_options options = {.folder = disk_memory_folder(from),
					       .manifest = &manifest,
					       .subject = &about,
					       .sign_key = key,
					       .write = write};
	struct layer *raw, *verify = NULL;

	*ret_rc = manifest_read(options.folder, NAME, NULL, &manifest, &why);
	if (*ret_rc) {
		return NULL;
	}
	raw = open_raw(from, write);
	*ret_rc = layer_verify_open(raw, &options, &verify, &why);
	if (*ret_rc) {
		assert_int_equal(layer_close(raw), 0);
		return NULL;
	}
	*ret_rc = layer_verify_begin(verify, &why);
	if (*ret_rc) {
		assert_int_equal(layer_close(verify), 0);
		return NULL;
	}
	return verify;
}

static struct layer *open_verify(struct disk_memory *from, bool write)
{
	int rc;
	struct layer *verify = try_open(from, write, NULL, &rc);

	assert_int_equal(rc, 0);
	return verify;
}

static void make_disk(const char *key)
{
	struct manifest_subject about = subject();
	struct manifest_seal options = {.subject = &about,
					.pinned_size = PINNED_SIZE,
					.sign_key = key,
					.roles = (const char *const[]){"desktop", NULL}};
	struct file *file;
	struct layer *raw;

	disk = disk_memory_create(true);
	for (size_t i = 0; i < DISK_SIZE; i++) {
		bytes[i] = i >= 20 * CHUNK && i < 2 * SPAN ? 0 : (uint8_t)(rand() >> 7);
	}
	assert_int_equal(folder_open_file(disk_memory_folder(disk), NAME, FOLDER_CREATE, &file), 0);
	assert_int_equal(file_write(file, bytes, 20 * CHUNK, 0), 0);
	assert_int_equal(file_write(file, bytes + 2 * SPAN, DISK_SIZE - 2 * SPAN, 2 * SPAN), 0);
	assert_int_equal(file_flush(file), 0);
	assert_int_equal(layer_raw_open(file, &raw), 0);
	assert_int_equal(manifest_seal(disk_memory_folder(disk), raw, &options, &sealed, &why), 0);
	assert_int_equal(layer_close(raw), 0);
}

static int setup(void **state)
{
	(void)state;
	srand(4);
	make_disk(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(disk_memory_open_count(disk), 0);
	disk_memory_destroy(disk);
	return 0;
}

/* Somebody changes the file while nobody looks. */
static void tamper(struct disk_memory *with, const char *name, uint64_t offset)
{
	struct file *file;
	uint8_t byte;

	assert_int_equal(folder_open_file(disk_memory_folder(with), name, FOLDER_WRITE, &file), 0);
	assert_int_equal(file_read(file, &byte, 1, offset), 0);
	byte ^= 0x10;
	assert_int_equal(file_write(file, &byte, 1, offset), 0);
	assert_int_equal(file_flush(file), 0);
	file_close(file);
}

static void count_bad(void *context, uint64_t offset)
{
	(void)offset;
	++*(unsigned *)context;
}

static void assert_all_right(struct layer *verify)
{
	unsigned bad = 0;

	assert_int_equal(layer_verify_all(verify, NULL, count_bad, &bad), 0);
	assert_int_equal(bad, 0);
}

/* An untouched disk reads as it is, in pieces of any shape, and every chunk is checked once. */
static void layer_verify_passes_what_is_right(void **state)
{
	struct layer *verify = open_verify(disk, false);
	struct iovec iov[3] = {{got, 1000}, {got + 1000, 0}, {got + 1000, 200 * 512 - 1000}};
	struct layer_verify_status status;

	(void)state;
	assert_int_equal(layer_readv(verify, iov, 3, 200 * 512, 65536 - 512), 0);
	assert_memory_equal(got, bytes + 65536 - 512, 200 * 512);
	assert_int_equal(layer_read(verify, got, DISK_SIZE, 0), 0);
	assert_memory_equal(got, bytes, DISK_SIZE);
	layer_verify_get_status(verify, &status);
	assert_int_equal(status.checked_count, status.chunk_count);
	assert_int_equal(status.chunk_count, 2 * 128 + 3);
	assert_int_equal(status.bad_count, 0);
	assert_int_equal(layer_write(verify, got, 512, 0), -EROFS);
	assert_int_equal(layer_close(verify), 0);
}

/* One changed bit, anywhere: its chunk gives an error and no byte, all others are read. Zeros are
 * no exception. */
static void layer_verify_finds_each_changed_chunk(void **state)
{
	static const uint64_t places[] = {CHUNK * 3 + 5, SPAN + 10, DISK_SIZE - 1};
	struct layer *verify;
	struct layer_verify_status status;
	unsigned bad = 0;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		tamper(disk, NAME, places[i]);
	}
	verify = open_verify(disk, false);
	memset(got, 0xee, sizeof(got));
	for (unsigned i = 0; i < 3; i++) {
		uint64_t at = places[i] - places[i] % 512;

		assert_int_equal(layer_read(verify, got, 512, at), -EBADMSG);
		assert_int_equal(got[places[i] % 512], 0xee);
	}
	layer_verify_get_status(verify, &status);
	assert_int_equal(status.bad_count, 3);
	assert_int_equal(status.bad_offset, 3 * CHUNK);
	assert_int_equal(layer_read(verify, got, CHUNK, 4 * CHUNK), 0);
	assert_int_equal(layer_verify_all(verify, NULL, count_bad, &bad), -EBADMSG);
	assert_int_equal(bad, 3);
	assert_int_equal(layer_close(verify), 0);
}

/* A changed pinned header is told at once, before anybody reads it. */
static void layer_verify_pins_the_header(void **state)
{
	int rc;

	(void)state;
	tamper(disk, NAME, 100);
	assert_null(try_open(disk, false, NULL, &rc));
	assert_int_equal(rc, -EKEYREJECTED);
	assert_non_null(strstr(why.text, "header"));
	assert_null(try_open(disk, true, NULL, &rc));
	assert_int_equal(rc, -EKEYREJECTED);
}

/* What is written is read again at once, and is what the manifest seals on close, in a new epoch.
 */
static void layer_verify_seals_what_was_written(void **state)
{
	struct layer *verify = open_verify(disk, true);
	struct layer_verify_status status;

	(void)state;
	layer_verify_get_status(verify, &status);
	assert_int_equal(status.manifest->state, MANIFEST_OPEN);
	assert_int_equal(status.manifest->epoch, sealed.epoch + 1);
	memset(bytes + 5000 * 512, 0x5a, 300 * 512);
	assert_int_equal(layer_write(verify, bytes + 5000 * 512, 300 * 512, 5000 * 512), 0);
	memset(bytes + SPAN + 512, 0, 70000 * 2 / 512 * 512);
	assert_int_equal(layer_zero(verify, SPAN + 512, 70000 * 2 / 512 * 512), 0);
	memset(bytes, 3, 512);
	assert_int_equal(layer_write(verify, bytes, 512, 0), 0);
	assert_int_equal(layer_read(verify, got, DISK_SIZE, 0), 0);
	assert_memory_equal(got, bytes, DISK_SIZE);
	assert_int_equal(layer_close(verify), 0);
	verify = open_verify(disk, false);
	layer_verify_get_status(verify, &status);
	assert_int_equal(status.manifest->state, MANIFEST_SEALED);
	assert_int_equal(status.manifest->epoch, sealed.epoch + 2);
	assert_int_equal(status.believed_count, 0);
	assert_int_equal(layer_read(verify, got, DISK_SIZE, 0), 0);
	assert_memory_equal(got, bytes, DISK_SIZE);
	assert_int_equal(layer_close(verify), 0);
}

/* Writing a part of a changed chunk is refused, or sealing would make the rest of it right; writing
 * all of it is fine. */
static void layer_verify_never_launders_a_chunk(void **state)
{
	struct layer *verify;

	(void)state;
	tamper(disk, NAME, 7 * CHUNK + 9);
	verify = open_verify(disk, true);
	assert_int_equal(layer_write(verify, bytes, 512, 7 * CHUNK + 4096), -EBADMSG);
	assert_int_equal(layer_zero(verify, 6 * CHUNK, CHUNK + 512), -EBADMSG);
	assert_int_equal(layer_write(verify, bytes, 2 * CHUNK, 6 * CHUNK), 0);
	assert_int_equal(layer_read(verify, got, CHUNK, 7 * CHUNK), 0);
	assert_memory_equal(got, bytes + CHUNK, CHUNK);
	assert_int_equal(layer_close(verify), 0);
	verify = open_verify(disk, false);
	assert_all_right(verify);
	assert_int_equal(layer_close(verify), 0);
}

/* A page of the tree that was changed makes nothing right: neither reading nor writing under it. */
static void layer_verify_never_launders_a_page(void **state)
{
	struct layer *verify;

	(void)state;
	tamper(disk, NAME HASH_TREE_SUFFIX, 5 * HASH_TREE_PAGE + 40);
	verify = open_verify(disk, true);
	assert_int_equal(layer_read(verify, got, 512, 9 * CHUNK), -EBADMSG);
	assert_int_equal(layer_write(verify, bytes, CHUNK, 9 * CHUNK), -EBADMSG);
	assert_int_equal(layer_write(verify, bytes, CHUNK, SPAN), 0);
	assert_int_equal(layer_close(verify), 0);
	verify = open_verify(disk, false);
	assert_int_equal(layer_read(verify, got, 512, 9 * CHUNK), -EBADMSG);
	assert_int_equal(layer_close(verify), 0);
}

/* Zeros that only the image claims are no zeros. */
static void layer_verify_believes_no_claimed_zeros(void **state)
{
	struct layer *verify;
	struct file *file;
	uint64_t size;
	unsigned extent;

	(void)state;
	assert_int_equal(folder_open_file(disk_memory_folder(disk), NAME, FOLDER_WRITE, &file), 0);
	assert_int_equal(file_zero(file, 8 * CHUNK, 4 * CHUNK), 0);
	file_close(file);
	verify = open_verify(disk, false);
	assert_int_equal(layer_extent(verify, 8 * CHUNK, &size, &extent), 0);
	assert_int_equal(extent & LAYER_ZERO, 0);
	assert_int_equal(layer_read(verify, got, 512, 8 * CHUNK), -EBADMSG);
	assert_int_equal(layer_extent(verify, SPAN, &size, &extent), 0);
	assert_int_equal(layer_close(verify), 0);
}

/* A checkpoint seals in the middle: after a cut nothing from before it needs to be believed. */
static void layer_verify_checkpoint_seals_and_goes_on(void **state)
{
	struct layer *verify = open_verify(disk, true), *again;
	struct layer_verify_status status;
	struct disk_memory *after;

	(void)state;
	assert_int_equal(layer_write(verify, got, CHUNK, 3 * CHUNK), 0);
	assert_int_equal(layer_verify_checkpoint(verify), 0);
	assert_int_equal(layer_write(verify, got, 512, SPAN), 0);
	after = disk_memory_fork(disk);
	again = open_verify(after, false);
	layer_verify_get_status(again, &status);
	assert_int_equal(status.manifest->state, MANIFEST_OPEN);
	assert_int_equal(status.believed_count, 128);
	assert_all_right(again);
	assert_int_equal(layer_close(again), 0);
	disk_memory_destroy(after);
	assert_int_equal(layer_close(verify), 0);
	verify = open_verify(disk, false);
	assert_all_right(verify);
	assert_int_equal(layer_close(verify), 0);
}

/* After an unclean end, tampering is still found wherever nothing was written. */
static void layer_verify_guards_the_rest_after_an_unclean_end(void **state)
{
	struct layer *verify = open_verify(disk, true), *again;
	struct disk_memory *after;

	(void)state;
	assert_int_equal(layer_write(verify, got, 512, 3 * CHUNK), 0);
	after = disk_memory_fork(disk);
	tamper(after, NAME, 2 * SPAN + 5);
	tamper(after, NAME, 100); /* pinned, in a page that is dirty */
	assert_null(try_open(after, false, NULL, &(int){0}));
	tamper(after, NAME, 100);
	again = open_verify(after, true);
	assert_int_equal(layer_read(again, got, 512, 2 * SPAN), -EBADMSG);
	assert_int_equal(layer_read(again, got, 512, 3 * CHUNK), 0);
	assert_int_equal(layer_close(again), 0);
	again = open_verify(after, false);
	assert_int_equal(layer_read(again, got, 512, 2 * SPAN), -EBADMSG);
	assert_int_equal(layer_close(again), 0);
	disk_memory_destroy(after);
	assert_int_equal(layer_close(verify), 0);
}

/* The check of one state after a power cut: nothing that was written honestly is called bad, and
 * flushed data is there. */
static void check_cut(uint64_t seed)
{
	struct disk_cut cut = disk_cut_choose(disk, &seed);
	struct disk_memory *after = disk_cut_make(disk, &cut);
	struct layer *verify = open_verify(after, seed % 2);

	assert_all_right(verify);
	assert_int_equal(layer_close(verify), 0);
	verify = open_verify(after, false);
	assert_all_right(verify);
	assert_int_equal(layer_close(verify), 0);
	disk_memory_destroy(after);
}

static unsigned change_count;

static void cut_sometimes(struct disk_memory *changed, enum disk_call call)
{
	(void)call;
	if (changed == disk && ++change_count % 4 == 0) {
		check_cut(change_count);
	}
}

/* Whenever the power is cut, in sessions, checkpoints and closing, the next opening finds nothing
 * wrong. */
static void layer_verify_survives_power_cuts(void **state)
{
	struct layer *verify;

	(void)state;
	change_count = 0;
	disk->on_change = cut_sometimes;
	for (unsigned round = 0; round < 2; round++) {
		verify = open_verify(disk, true);
		for (unsigned i = 0; i < 4; i++) {
			uint64_t at = (uint64_t)(rand() % (int)(DISK_SIZE / 512 - 8)) * 512;

			memset(got, rand(), 4096);
			assert_int_equal(layer_write(verify, got, 4096, at), 0);
			if (i == 1) {
				assert_int_equal(layer_flush(verify), 0);
			}
			if (i == 2) {
				assert_int_equal(layer_verify_checkpoint(verify), 0);
			}
		}
		assert_int_equal(layer_close(verify), 0);
	}
	disk->on_change = NULL;
	assert_true(change_count > 50);
}

/* Whichever call fails, the disk opens afterwards and nothing honest is called bad. */
static void layer_verify_survives_errors(void **state)
{
	bool happened = true;

	(void)state;
	for (unsigned after = 0; happened; after++) {
		struct disk_memory *copy = disk_memory_fork(disk);
		struct layer *verify;
		int rc;

		copy->fault = (struct disk_fault){.calls = DISK_CHANGING_CALLS,
						  .after = after,
						  .error = -ENOSPC,
						  .for_ever = after % 2};
		verify = try_open(copy, true, NULL, &rc);
		if (verify) {
			(void)!layer_write(verify, got, 4096, 5 * CHUNK + 512);
			(void)!layer_verify_checkpoint(verify);
			(void)!layer_write(verify, got, 4096, SPAN - 512);
			(void)!layer_flush(verify);
			(void)!layer_close(verify);
		}
		happened = copy->fault.happened;
		copy->fault = (struct disk_fault){0};
		verify = open_verify(copy, true);
		assert_all_right(verify);
		assert_int_equal(layer_close(verify), 0);
		verify = open_verify(copy, false);
		assert_all_right(verify);
		assert_int_equal(layer_close(verify), 0);
		disk_memory_destroy(copy);
	}
}

/* Many requests at once, in the same chunks, answered in any order. */

#define FIBERS	    12u
#define FIBER_STEPS 40u

static struct layer *shared;
static unsigned fibers_left, checkpoints;

/* Writes and reads its own 4 KiB blocks: every FIBERS-th one of the disk's first 3 MiB and of the
 * zeros in the middle. */
static void use_disk(void *argument)
{
	unsigned number = (unsigned)(uintptr_t)argument;
	uint8_t block[4096];

	for (unsigned i = 0; i < FIBER_STEPS; i++) {
		uint64_t at = ((uint64_t)(rand() % 60) * FIBERS + number) * sizeof(block);

		at += rand() % 2 ? SPAN - 100 * 4096 : 0;
		if (rand() % 2) {
			memset(bytes + at, rand(), sizeof(block));
			memcpy(block, bytes + at, sizeof(block));
			if (layer_write(shared, block, sizeof(block), at)) {
				abort();
			}
		} else if (layer_read(shared, block, sizeof(block), at) ||
			   memcmp(block, bytes + at, sizeof(block)) != 0) {
			abort();
		}
		if (number == 0 && i % 16 == 8) {
			checkpoints += layer_verify_checkpoint(shared) == 0;
		}
	}
	fibers_left--;
}

/* No request meets another's half-done work, no sealing a half-written chunk. */
static void layer_verify_serves_many_fibers(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		shared = open_verify(disk, true);
		disk->shuffle = true;
		fibers_left = FIBERS;
		checkpoints = 0;
		for (unsigned i = 0; i < FIBERS; i++) {
			assert_true(fiber_start(use_disk, (void *)(uintptr_t)i));
		}
		disk_memory_run(disk);
		assert_int_equal(fibers_left, 0);
		assert_int_equal(checkpoints, 2);
		disk->shuffle = false;
		assert_int_equal(layer_close(shared), 0);
		shared = open_verify(disk, false);
		assert_int_equal(layer_read(shared, got, DISK_SIZE, 0), 0);
		assert_memory_equal(got, bytes, DISK_SIZE);
		assert_all_right(shared);
		assert_int_equal(layer_close(shared), 0);
	}
	fiber_trim();
}

/* A signed manifest is never replaced by an unsigned one, and stays signed. */
static void layer_verify_keeps_the_signature(void **state)
{
	struct manifest manifest;
	struct layer *verify;
	int rc;

	(void)state;
	disk_memory_destroy(disk);
	make_disk(MANIFEST_TEST_KEY);
	assert_null(try_open(disk, true, NULL, &rc));
	assert_int_equal(rc, -EKEYREJECTED);
	verify = try_open(disk, true, MANIFEST_TEST_KEY, &rc);
	assert_int_equal(rc, 0);
	assert_int_equal(layer_write(verify, got, 512, 0), 0);
	assert_int_equal(manifest_read(disk_memory_folder(disk), NAME, MANIFEST_TEST_PUBLIC,
				       &manifest, &why),
			 0);
	assert_int_equal(manifest.state, MANIFEST_OPEN);
	assert_null(try_open(disk, false, NULL, &rc)); /* as after an unclean end */
	assert_int_equal(rc, -EKEYREJECTED);
	assert_int_equal(layer_close(verify), 0);
	assert_int_equal(manifest_read(disk_memory_folder(disk), NAME, MANIFEST_TEST_PUBLIC,
				       &manifest, &why),
			 0);
	verify = try_open(disk, false, NULL, &rc);
	assert_all_right(verify);
	assert_int_equal(layer_close(verify), 0);
}

/* Sealing anew keeps who the disk is, and goes on with its epoch, also past one that was seen. A
 * disk that has moved cannot be written until that is taken back. */
static void manifest_seal_goes_on(void **state)
{
	struct disk_memory *pc = disk_memory_create(false);
	struct folder *folder = disk_memory_folder(disk), *seen = disk_memory_folder(pc);
	struct manifest_subject about = subject();
	struct manifest_seal options = {.subject = &about, .seen = seen};
	struct manifest manifest = sealed;
	struct layer *raw = open_raw(disk, false);
	int rc;

	(void)state;
	manifest.epoch = 40;
	assert_int_equal(manifest_seen_check(seen, &manifest, NULL), 0);
	assert_int_equal(manifest_seal(folder, raw, &options, &manifest, NULL), 0);
	assert_int_equal(manifest.epoch, 41);
	assert_memory_equal(manifest.disk_id, sealed.disk_id, 16);
	assert_string_equal(manifest.roles[0], "desktop");
	assert_memory_equal(manifest.tree_root, sealed.tree_root, 32);
	assert_int_equal(layer_close(raw), 0);
	assert_int_equal(manifest_set_moved(folder, NAME, "the laptop", NULL, seen, NULL), 0);
	assert_null(try_open(disk, true, NULL, &rc));
	assert_int_equal(rc, -EREMOTE);
	assert_non_null(strstr(why.text, "the laptop"));
	assert_int_equal(manifest_set_moved(folder, NAME, "", NULL, seen, NULL), 0);
	assert_int_equal(layer_close(open_verify(disk, true)), 0);
	assert_int_equal(manifest_remove(folder, NAME), 0);
	assert_null(try_open(disk, false, NULL, &rc));
	assert_int_equal(rc, -ENOENT);
	disk_memory_destroy(pc);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(layer_verify_passes_what_is_right, setup, teardown),
		cmocka_unit_test_setup_teardown(layer_verify_finds_each_changed_chunk, setup,
						teardown),
		cmocka_unit_test_setup_teardown(layer_verify_pins_the_header, setup, teardown),
		cmocka_unit_test_setup_teardown(layer_verify_seals_what_was_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(layer_verify_never_launders_a_chunk, setup,
						teardown),
		cmocka_unit_test_setup_teardown(layer_verify_never_launders_a_page, setup,
						teardown),
		cmocka_unit_test_setup_teardown(layer_verify_believes_no_claimed_zeros, setup,
						teardown),
		cmocka_unit_test_setup_teardown(layer_verify_checkpoint_seals_and_goes_on, setup,
						teardown),
		cmocka_unit_test_setup_teardown(layer_verify_guards_the_rest_after_an_unclean_end,
						setup, teardown),
		cmocka_unit_test_setup_teardown(layer_verify_survives_power_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(layer_verify_survives_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(layer_verify_serves_many_fibers, setup, teardown),
		cmocka_unit_test_setup_teardown(layer_verify_keeps_the_signature, setup, teardown),
		cmocka_unit_test_setup_teardown(manifest_seal_goes_on, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
