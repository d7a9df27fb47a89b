/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log and the record of applied versions on a disk whose power fails at any write or
 * flush, and whose calls fail: what was acknowledged is there, and nothing looks edited. */
#include "audit.h"
#include "sign.h"

#include "disk_cut.h"
#include "disk_fd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FILE_MAX 1100u /* bytes: a few records */
#define RECORDS	 14u
#define CUTS	 4u /* of each kind of moment */
#define SEEN	 DISK_FD_PATH "/seen"

static uint64_t seed;
static unsigned acknowledged, states, bad, cuts = CUTS;

static struct audit_record record_of(unsigned number)
{
	struct audit_record record = {
		.what = AUDIT_DENIED, .who = "user 1000", .subject = "browser", .rule = "no-rule"};

	snprintf(record.object, sizeof(record.object), "object %u", number);
	memset(record.text, 'x', number * 37 % 400);
	return record;
}

static void count_denied(const struct audit_record *record, void *data)
{
	unsigned *next = data;
	char object[32];

	if (record->what == AUDIT_DENIED) {
		snprintf(object, sizeof(object), "object %u", *next);
		if (strcmp(record->object, object) == 0) {
			++*next;
		}
	}
}

/* Records that are there in order, or -1: the log does not verify. */
static int verify(void)
{
	char why[AUDIT_WHY_SIZE];
	unsigned next = 0;
	const struct audit_reading reading = {
		.folder_fd = DISK_FD_FOLDER, .name = "log", .visit = count_denied, .data = &next};
	int rc = audit_verify(&reading, NULL, why);

	return rc == 0 || rc == -ENOENT ? (int)next : -1;
}

/* After the power came back: reading, going on to write, and reading again work. */
static void check_state(struct disk_memory *left)
{
	struct disk_memory *before = disk_fd_mount(left);
	struct audit_record more = {.what = AUDIT_CHANGED, .subject = "browser"};
	struct audit *audit = NULL;
	int count = verify();
	bool good = count >= (int)acknowledged && count <= (int)acknowledged + 1;

	states++;
	good = good && audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &audit) == 0;
	good = good && audit_write(audit, &more) == 0 && verify() == count;
	audit_close(audit);
	good = good && verify() == count;
	bad += !good;
	disk_fd_mount(before);
}

static void cut_now(struct disk_memory *disk, enum disk_call call)
{
	(void)call;
	for (unsigned i = 0; i < cuts; i++) {
		struct disk_cut cut = disk_cut_choose(disk, &seed);
		struct disk_memory *left = disk_cut_make(disk, &cut);
		unsigned bad_before = bad;
		char text[160];

		check_state(left);
		if (bad > bad_before && !disk->lie_calls && disk->context) {
			print_message("# %s\n", disk_cut_describe(&cut, text, sizeof(text)));
		}
		disk_memory_destroy(left);
	}
}

static void write_log(struct disk_memory *disk)
{
	struct audit *audit;

	assert_int_equal(audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &audit), 0);
	for (unsigned i = 0; i < RECORDS; i++) {
		struct audit_record record = record_of(i);

		assert_int_equal(audit_write(audit, &record), 0);
		acknowledged = i + 1;
	}
	disk->on_change = NULL;
	audit_close(audit);
}

static struct disk_memory *mount_new(void)
{
	struct disk_memory *disk = disk_memory_create(true);

	disk->seed = seed;
	acknowledged = states = bad = 0;
	disk_fd_mount(disk);
	return disk;
}

static void unmount(struct disk_memory *disk)
{
	disk_fd_mount(NULL);
	assert_int_equal(disk_fd_open_count(), 0);
	disk_memory_destroy(disk);
}

/* Cut at every write, flush and new file, in four ways each. */
static void audit_survives_power_cuts(void **state)
{
	struct disk_memory *disk = mount_new();

	(void)state;
	seed = 1;
	disk->on_change = cut_now;
	disk->context = disk;
	write_log(disk);
	assert_int_equal(bad, 0);
	assert_true(states > 250);
	assert_int_equal(verify(), RECORDS);
	unmount(disk);
}

/* A flush of a record that said it flushed and did not would be noticed by the test above. (One of
 * the head need not be: it may be a record behind.) */
static void audit_power_cuts_notice_flushes_that_lie(void **state)
{
	unsigned noticed = 0;

	(void)state;
	for (unsigned after = 3; after < 9; after += 2) {
		struct disk_memory *disk = mount_new();

		seed = 7;
		disk->on_change = cut_now;
		disk->lie_calls = DISK_BIT(DISK_FLUSH);
		disk->lie_after = after;
		write_log(disk);
		noticed += bad > 0;
		unmount(disk);
	}
	assert_int_equal(noticed, 3);
}

static void count_repaired(const struct audit_record *record, void *data)
{
	*(unsigned *)data += record->what == AUDIT_REPAIRED;
}

static unsigned repaired(void)
{
	char why[AUDIT_WHY_SIZE];
	unsigned count = 0;
	const struct audit_reading reading = {.folder_fd = DISK_FD_FOLDER,
					      .name = "log",
					      .visit = count_repaired,
					      .data = &count};

	audit_verify(&reading, NULL, why);
	return count;
}

/* Each call that can fail, once: the writer says so, goes on with the next record, and all that it
 * acknowledged is there, also when the power fails soon after. What it could undo needs no repair.
 */
static void audit_survives_calls_that_fail(void **state)
{
	bool happened = true;

	(void)state;
	cuts = 2;
	for (uint64_t after = 0; happened; after++) {
		struct disk_memory *disk = mount_new();
		struct audit *audit;
		unsigned refused = 0, written = 0;

		assert_int_equal(audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &audit), 0);
		disk->fault = (struct disk_fault){
			.calls = DISK_CHANGING_CALLS, .after = after, .error = -ENOSPC};
		for (unsigned i = 0; i < RECORDS; i++) {
			struct audit_record record = record_of(written);
			int rc = audit_write(audit, &record);

			assert_true(rc == 0 || rc == -ENOSPC);
			written += rc == 0;
			refused += rc != 0;
			acknowledged = written;
			disk->on_change = rc != 0 ? cut_now : i % 4 ? disk->on_change : NULL;
		}
		disk->on_change = NULL;
		assert_int_equal(bad, 0);
		happened = disk->fault.happened;
		assert_true(refused <= 1 && written + refused == RECORDS);
		audit_close(audit);
		/* A refused one may be there twice: as refused, and as written again. */
		assert_true(verify() >= (int)written);
		assert_int_equal(repaired(), 0);
		unmount(disk);
	}
	cuts = CUTS;
}

/* A record whose flush failed, and which could not be taken back, reads well and may be on no disk:
 * the next writer does not let the head name it before it is. */
static void audit_trusts_no_record_that_was_not_flushed(void **state)
{
	(void)state;
	cuts = 2;
	for (uint64_t i = 0; i < 16; i++) {
		struct disk_memory *disk = mount_new();
		struct audit_record record = record_of(0);
		struct audit *audit;

		disk->seed = i;
		assert_int_equal(audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &audit), 0);
		disk->fault =
			(struct disk_fault){.calls = DISK_BIT(DISK_FLUSH) | DISK_BIT(DISK_RESIZE),
					    .error = -EIO,
					    .for_ever = true};
		assert_int_equal(audit_write(audit, &record), -EIO);
		disk->fault.calls = 0;
		disk->on_change = cut_now;
		assert_int_equal(audit_write(audit, &record), 0);
		disk->on_change = NULL;
		assert_int_equal(bad, 0);
		audit_close(audit);
		assert_int_equal(verify(), 1);
		unmount(disk);
	}
	cuts = CUTS;
}

/* A log that is full for a while refuses all of that while, and nothing else. */
static void audit_survives_a_full_disk(void **state)
{
	struct disk_memory *disk = mount_new();
	struct audit_record record = record_of(0);
	struct audit *audit;

	(void)state;
	assert_int_equal(audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &audit), 0);
	disk->fault = (struct disk_fault){
		.calls = DISK_BIT(DISK_WRITE), .error = -ENOSPC, .for_ever = true};
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(audit_write(audit, &record), -ENOSPC);
	}
	disk->fault.calls = 0;
	assert_int_equal(audit_write(audit, &record), 0);
	audit_close(audit);
	assert_int_equal(verify(), 1);
	unmount(disk);
}

static const uint8_t digest[SIGN_HASH_SIZE] = {3};

/* After a cut the version is that of before or after; one that was recorded never goes away. */
static void check_seen(struct disk_memory *disk, enum disk_call call)
{
	char why[SIGN_WHY_SIZE];

	(void)call;
	for (unsigned i = 0; i < CUTS; i++) {
		struct disk_cut cut = disk_cut_choose(disk, &seed);
		struct disk_memory *left, *before;

		cut.names_apart = false;
		left = disk_cut_make(disk, &cut);
		before = disk_fd_mount(left);
		bad += sign_seen_check(SEEN, TEXT_IT, acknowledged + 2, digest, why) != 0;
		bad += acknowledged &&
		       sign_seen_check(SEEN, TEXT_IT, acknowledged - 1, digest, why) != -ESTALE;
		bad += sign_seen_record(SEEN, TEXT_IT, acknowledged + 2, digest, why) != 0;
		states++;
		disk_fd_mount(before);
		disk_memory_destroy(left);
	}
}

/* Cut at every write, flush and change of a name. */
static void sign_seen_survives_power_cuts(void **state)
{
	struct disk_memory *disk = mount_new();
	char why[SIGN_WHY_SIZE];

	(void)state;
	seed = 3;
	disk->on_change = check_seen;
	for (unsigned i = 1; i <= 10; i++) {
		assert_int_equal(sign_seen_record(SEEN, TEXT_IT, i, digest, why), 0);
		acknowledged = i;
	}
	assert_int_equal(bad, 0);
	assert_true(states > 150);
	disk->on_change = NULL;
	unmount(disk);
}

/* A record that could not be written leaves the one before. */
static void sign_seen_survives_calls_that_fail(void **state)
{
	char why[SIGN_WHY_SIZE];
	bool happened = true;

	(void)state;
	for (uint64_t after = 0; happened; after++) {
		struct disk_memory *disk = mount_new();
		int rc;

		assert_int_equal(sign_seen_record(SEEN, TEXT_IT, 5, digest, why), 0);
		disk->fault = (struct disk_fault){
			.calls = DISK_CHANGING_CALLS, .after = after, .error = -EIO};
		rc = sign_seen_record(SEEN, TEXT_IT, 6, digest, why);
		happened = disk->fault.happened;
		disk->fault.calls = 0;
		assert_true(rc == (happened ? -EIO : 0) || rc == 0);
		assert_int_equal(sign_seen_check(SEEN, TEXT_IT, 4, digest, why), -ESTALE);
		assert_int_equal(sign_seen_record(SEEN, TEXT_IT, 7, digest, why), 0);
		unmount(disk);
	}
}

/* A version whose record may not be lasting is not taken for recorded when it comes again. */
static void sign_seen_makes_lasting_what_it_reads(void **state)
{
	struct disk_memory *disk = mount_new(), *left;
	const struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL};
	char why[SIGN_WHY_SIZE];

	(void)state;
	assert_int_equal(sign_seen_record(SEEN, TEXT_IT, 5, digest, why), 0);
	disk->fault = (struct disk_fault){.calls = DISK_BIT(DISK_FOLDER_FLUSH), .error = -EIO};
	assert_int_equal(sign_seen_record(SEEN, TEXT_IT, 6, digest, why), -EIO);
	assert_int_equal(sign_seen_record(SEEN, TEXT_IT, 6, digest, why), 0);
	left = disk_cut_make(disk, &cut);
	disk_fd_mount(left);
	assert_int_equal(sign_seen_check(SEEN, TEXT_IT, 5, digest, why), -ESTALE);
	disk_fd_mount(disk);
	disk_memory_destroy(left);
	unmount(disk);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(audit_survives_power_cuts),
		cmocka_unit_test(audit_power_cuts_notice_flushes_that_lie),
		cmocka_unit_test(audit_survives_calls_that_fail),
		cmocka_unit_test(audit_trusts_no_record_that_was_not_flushed),
		cmocka_unit_test(audit_survives_a_full_disk),
		cmocka_unit_test(sign_seen_survives_power_cuts),
		cmocka_unit_test(sign_seen_survives_calls_that_fail),
		cmocka_unit_test(sign_seen_makes_lasting_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
