/* SPDX-License-Identifier: Apache-2.0 */
/* Old files of an audit log move to an archive, on disks whose power fails at any write or flush
 * and whose calls fail, while the log's owner is at work: no record is lost, and a log whose
 * beginning is elsewhere is told from one whose beginning was taken away. */
#define _GNU_SOURCE
#include "audit.h"

#include "disk_cut.h"
#include "disk_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/later_clock.h"

#define FILE_MAX 1100u /* bytes: a few records */
#define RECORDS	 14u
#define FILES	 5u /* that they fill */
#define CUTS	 3u /* of each kind of moment */
#define DAY_MS	 86400000u

static struct disk_memory *disk, *stick;
static int stick_fd;
static struct audit *audit; /* the owner's */
static struct audit_summary summary;
static struct audit_archived archived;
static char why[AUDIT_WHY_SIZE];
static unsigned seen, in_order, states, bad, cuts = CUTS;
static uint64_t seed;
static int64_t times[256];

/* An fd of another disk than the mounted one. */
static int folder_fd_of(struct disk_memory *of)
{
	struct disk_memory *before = disk_fd_mount(of);
	int fd = open(DISK_FD_PATH, O_RDONLY | O_DIRECTORY);

	disk_fd_mount(before);
	return fd;
}

static void put(const char *object, unsigned size)
{
	struct audit_record record = {
		.what = AUDIT_DENIED, .who = "user 1000", .subject = "browser", .rule = "no-rule"};

	snprintf(record.object, sizeof(record.object), "%s", object);
	memset(record.text, 'x', size);
	assert_int_equal(audit_write(audit, &record), 0);
}

static int setup(void **state)
{
	(void)state;
	disk = disk_memory_create(true);
	stick = disk_memory_create(true);
	disk_fd_mount(disk);
	stick_fd = folder_fd_of(stick);
	later_ms = states = bad = 0;
	seed = 1;
	assert_int_equal(audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &audit), 0);
	for (unsigned i = 0; i < RECORDS; i++) {
		char object[32];

		snprintf(object, sizeof(object), "object %u", i);
		put(object, i * 37 % 400);
		later_ms += DAY_MS;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	disk->on_change = stick->on_change = NULL;
	audit_close(audit);
	audit = NULL;
	close(stick_fd);
	disk_fd_mount(NULL);
	assert_int_equal(disk_fd_open_count(), 0);
	disk_memory_destroy(disk);
	disk_memory_destroy(stick);
	return 0;
}

static void count(const struct audit_record *record, void *data)
{
	char object[32];

	(void)data;
	if (record->number < sizeof(times) / sizeof(times[0])) {
		times[record->number] = record->time_ms;
	}
	seen++;
	snprintf(object, sizeof(object), "object %u", in_order);
	in_order += record->what == AUDIT_DENIED && strcmp(record->object, object) == 0;
}

static int verify_head(int with_fd, const char *head)
{
	struct audit_reading reading = {
		.folder_fd = DISK_FD_FOLDER, .name = "log", .head = head, .visit = count};

	if (with_fd >= 0) {
		reading.with_fd[reading.with_count++] = with_fd;
	}
	seen = in_order = 0;
	return audit_verify(&reading, &summary, why);
}

static int verify(int with_fd)
{
	return verify_head(with_fd, NULL);
}

static int move_to(int to_fd, uint32_t keep, int64_t before_ms)
{
	const struct audit_archive archive = {.keep = keep,
					      .before_ms = before_ms,
					      .who = "it 0",
					      .to_name = "the stick",
					      .to_fd = to_fd};

	return audit_archive(DISK_FD_FOLDER, "log", &archive, &archived, why);
}

static int move_all(void)
{
	return move_to(stick_fd, 1, INT64_MAX);
}

/* Log and archive are whole together, and the log alone. */
static void check_whole(void)
{
	assert_int_equal(verify(-1), 0);
	assert_int_equal(verify(stick_fd), 0);
	assert_int_equal(in_order, RECORDS);
}

static bool is_there(struct disk_memory *on, const char *name)
{
	return folder_check_free(disk_memory_folder(on), name) == -EEXIST;
}

static void copy(struct disk_memory *from, struct disk_memory *to, const char *name)
{
	void *bytes;
	size_t size;

	assert_int_equal(folder_read_file(disk_memory_folder(from), name, 1u << 20, &bytes, &size),
			 0);
	assert_int_equal(folder_replace_file(disk_memory_folder(to), name, bytes, size), 0);
	free(bytes);
}

static void flip(struct disk_memory *on, const char *name, size_t at)
{
	struct file *file;
	uint8_t byte;

	assert_int_equal(folder_open_file(disk_memory_folder(on), name, FOLDER_WRITE, &file), 0);
	assert_int_equal(file_read(file, &byte, 1, at), 0);
	byte ^= 0x10;
	assert_int_equal(file_write(file, &byte, 1, at), 0);
	file_close(file);
}

/* All files but the last are moved; the log says what is gone, and both together have all. */
static void archive_moves_all_but_the_last_file(void **state)
{
	char name[32];

	(void)state;
	assert_int_equal(verify(-1), 0);
	assert_int_equal(summary.files, FILES);
	assert_int_equal(summary.archived, 0);
	assert_int_equal(move_all(), 0);
	assert_int_equal(archived.files, FILES - 1);
	for (unsigned i = 1; i <= FILES; i++) {
		snprintf(name, sizeof(name), "log.%06u", i);
		assert_true(is_there(disk, name) == (i == FILES));
		assert_true(is_there(stick, name) == (i < FILES));
	}
	assert_false(is_there(stick, "log.000001.part"));
	assert_int_equal(verify(-1), 0);
	assert_int_equal(summary.files, 1);
	assert_true(summary.archived > 5 && summary.archived == archived.records);
	assert_string_equal(summary.archived_hash, archived.hash);
	assert_int_equal(summary.archived + summary.records, 1 + RECORDS + FILES - 1);
	assert_int_equal(verify(stick_fd), 0);
	assert_int_equal(summary.archived, 0);
	assert_string_equal(summary.archived_hash, "");
	assert_int_equal(summary.files, FILES);
	assert_int_equal(seen, 1 + RECORDS + FILES - 1);
	assert_int_equal(in_order, RECORDS);
}

/* Nobody but an archive run records what is archived. */
static void archived_is_no_word_of_the_owner(void **state)
{
	const struct audit_record record = {.what = AUDIT_ARCHIVED};

	(void)state;
	assert_int_equal(audit_write(audit, &record), -EINVAL);
	assert_int_equal(verify(-1), 0);
	assert_int_equal(seen, 1 + RECORDS);
}

/* As many files stay as are asked for; doing it again does nothing, asking for fewer goes on. */
static void archive_keeps_what_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(move_to(stick_fd, 9, INT64_MAX), 0);
	assert_int_equal(archived.files, 0);
	assert_int_equal(archived.records, 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(move_to(stick_fd, 3, INT64_MAX), 0);
		assert_int_equal(archived.files, i ? 0 : 2);
		assert_int_equal(verify(-1), 0);
		assert_int_equal(archived.records, summary.archived);
		assert_int_equal(summary.files, 3);
	}
	assert_int_equal(move_to(stick_fd, 0, INT64_MAX), 0);
	assert_int_equal(archived.files, 2);
	assert_int_equal(verify(stick_fd), 0);
	assert_int_equal(in_order, RECORDS);
}

/* A file goes only when each of its records is older than the date. */
static void archive_goes_by_date(void **state)
{
	struct disk_memory *same = disk_memory_fork(disk);
	int64_t newest;

	(void)state;
	assert_int_equal(verify(-1), 0);
	disk_fd_mount(same);
	assert_int_equal(move_to(stick_fd, FILES - 1, INT64_MAX), 0);
	newest = times[archived.records - 1];
	disk_fd_mount(disk);
	disk_memory_destroy(same);
	assert_int_equal(move_to(stick_fd, 1, INT64_MIN), 0);
	assert_int_equal(archived.files, 0);
	assert_int_equal(move_to(stick_fd, 1, newest), 0);
	assert_int_equal(archived.files, 0);
	assert_int_equal(move_to(stick_fd, 1, newest + 1), 0);
	assert_int_equal(archived.files, 1);
	assert_int_equal(verify(stick_fd), 0);
	assert_int_equal(in_order, RECORDS);
}

static void edit_log(struct disk_memory *changed, enum disk_call call)
{
	(void)call;
	changed->on_change = NULL;
	flip(disk, "log.000001", 90);
}

/* A file that is edited between its reading and its copying stays where it is. */
static void archive_checks_what_it_copied(void **state)
{
	(void)state;
	stick->on_change = edit_log;
	assert_int_equal(move_all(), -EBADMSG);
	assert_non_null(strstr(why, "log.000001 was edited while it was copied"));
	assert_true(is_there(disk, "log.000001"));
	flip(disk, "log.000001", 90);
	assert_int_equal(verify(-1), 0);
	assert_int_equal(seen, 1 + RECORDS);
}

/* Of an archived log no file may be missing but those that a record of it names: each other set of
 * files that is taken away, or put back with a gap, is found. */
static void verify_takes_only_the_beginning_that_is_named(void **state)
{
	struct disk_memory *all = disk_memory_fork(disk);

	(void)state;
	assert_int_equal(move_to(stick_fd, 3, INT64_MAX), 0);
	for (unsigned i = 3; i <= FILES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "log.%06u", i);
		copy(disk, all, name);
	}
	copy(disk, all, "log.head");
	for (unsigned here = 0; here < 1u << FILES; here++) {
		struct disk_memory *some = disk_memory_fork(all);
		bool good = here == 0x1f || here == 0x1e || here == 0x1c;

		for (unsigned i = 0; i < FILES; i++) {
			char name[32];

			snprintf(name, sizeof(name), "log.%06u", i + 1);
			assert_true((here >> i & 1) ||
				    folder_remove(disk_memory_folder(some), name) == 0);
		}
		disk_fd_mount(some);
		assert_int_equal(verify(-1), good ? 0 : -EBADMSG);
		disk_fd_mount(disk);
		disk_memory_destroy(some);
	}
	disk_memory_destroy(all);
}

/* A beginning that was taken away is named as that, and the next owner does not go on there. */
static void open_refuses_a_beginning_that_was_taken_away(void **state)
{
	struct audit *other = NULL;

	(void)state;
	audit_close(audit);
	audit = NULL;
	assert_int_equal(folder_remove(disk_memory_folder(disk), "log.000001"), 0);
	assert_int_equal(verify(-1), -EBADMSG);
	assert_non_null(strstr(why, "files before log.000002 were taken away"));
	assert_int_equal(audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &other), -EBADMSG);
	copy(disk, stick, "log.000002");
	assert_int_equal(move_all(), -EBADMSG);
	assert_true(is_there(disk, "log.000002"));
}

/* An edit in the archive, or in a file that is on both sides, is found. */
static void verify_reads_the_archive_as_a_part_of_the_log(void **state)
{
	static const char *const names[] = {"log.000001", "log.000004"};

	(void)state;
	assert_int_equal(move_all(), 0);
	for (unsigned i = 0; i < 2; i++) {
		for (size_t at = 0; at < 400; at += 37) {
			flip(stick, names[i], at);
			assert_int_equal(verify(-1), 0);
			assert_int_equal(verify(stick_fd), -EBADMSG);
			assert_non_null(strstr(why, names[i]));
			flip(stick, names[i], at);
		}
	}
	copy(stick, disk, "log.000004");
	assert_int_equal(verify(stick_fd), 0);
	flip(stick, "log.000004", 100);
	assert_int_equal(verify(-1), 0);
	assert_int_equal(verify(stick_fd), -EBADMSG);
	assert_non_null(strstr(why, "log.000004 is there twice and differs"));
	assert_int_equal(folder_remove(disk_memory_folder(stick), "log.000002"), 0);
	flip(stick, "log.000004", 100);
	assert_int_equal(verify(stick_fd), -EBADMSG);
}

/* Several archives are one. */
static void verify_reads_several_archives(void **state)
{
	struct disk_memory *other = disk_memory_create(true);
	int other_fd = folder_fd_of(other);
	struct audit_reading reading = {.folder_fd = DISK_FD_FOLDER,
					.name = "log",
					.with_fd = {stick_fd, other_fd},
					.with_count = 2,
					.visit = count};

	(void)state;
	assert_int_equal(move_to(other_fd, 4, INT64_MAX), 0);
	assert_int_equal(move_to(stick_fd, 3, INT64_MAX), 0);
	assert_int_equal(move_to(other_fd, 1, INT64_MAX), 0);
	seen = in_order = 0;
	assert_int_equal(audit_verify(&reading, &summary, why), 0);
	assert_int_equal(in_order, RECORDS);
	assert_int_equal(verify(stick_fd), -EBADMSG);
	assert_int_equal(verify(other_fd), -EBADMSG);
	close(other_fd);
	disk_memory_destroy(other);
}

/* A hash that was kept is found in the archive, and the last one of it without that. */
static void verify_finds_a_kept_hash_in_the_archive(void **state)
{
	char kept[2 * AUDIT_HASH_SIZE + 1];

	(void)state;
	assert_int_equal(move_to(stick_fd, 4, INT64_MAX), 0);
	strcpy(kept, archived.hash);
	assert_int_equal(verify_head(-1, kept), 0);
	assert_int_equal(move_all(), 0);
	assert_int_equal(verify_head(-1, kept), -EBADMSG);
	assert_non_null(strstr(why, "--with FOLDER"));
	assert_int_equal(verify_head(stick_fd, kept), 0);
	assert_int_equal(verify_head(-1, archived.hash), 0);
}

/* Nothing is moved of a log that was edited, onto another file, or into the log's own folder. */
static void archive_refuses_what_would_lose_something(void **state)
{
	(void)state;
	assert_int_equal(move_to(DISK_FD_FOLDER, 1, INT64_MAX), -EINVAL);
	assert_non_null(strstr(why, "another folder"));
	copy(disk, stick, "log.000001");
	flip(stick, "log.000001", 90);
	assert_int_equal(move_all(), -EEXIST);
	assert_non_null(strstr(why, "log.000001 is in the archive and is another file"));
	flip(stick, "log.000001", 90);
	flip(disk, "log.000003", 90);
	assert_int_equal(move_all(), -EBADMSG);
	assert_non_null(strstr(why, "log.000003"));
	flip(disk, "log.000003", 90);
	assert_true(is_there(disk, "log.000001"));
	assert_int_equal(verify(-1), 0);
	assert_int_equal(seen, 1 + RECORDS);
	assert_int_equal(move_all(), 0);
}

/* The owner goes on writing after each archive, into the file that is there or into the next. */
static void owner_goes_on_after_an_archive(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		char object[32];

		snprintf(object, sizeof(object), "object %u", RECORDS + i);
		put(object, i * 53 % 500);
		later_ms += DAY_MS;
		if (i % 4 == 1) {
			assert_int_equal(move_to(stick_fd, i % 3, INT64_MAX), 0);
		}
		assert_int_equal(verify(-1), 0);
		assert_int_equal(verify(stick_fd), 0);
		assert_int_equal(in_order, RECORDS + i + 1);
	}
	audit_close(audit);
	assert_int_equal(audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &audit), 0);
	assert_int_equal(verify(stick_fd), 0);
	assert_int_equal(summary.torn, 0);
}

static unsigned archive_at;

static void archive_while_reading(const struct audit_record *record, void *data)
{
	count(record, data);
	if (record->number == archive_at) {
		struct audit_archived ignored = archived;

		assert_int_equal(move_all(), 0);
		archived = ignored;
	}
}

/* Whoever reads while files are moved gets no wrong alarm and no record twice; with the archive all
 * of them. */
static void verify_bears_an_archive_meanwhile(void **state)
{
	(void)state;
	for (unsigned with = 0; with < 2; with++) {
		for (archive_at = 0; archive_at < RECORDS; archive_at++) {
			struct disk_memory *before = disk, *before_stick = stick;
			struct audit_reading reading = {.folder_fd = DISK_FD_FOLDER,
							.name = "log",
							.with_count = with,
							.visit = archive_while_reading};
			int before_fd = stick_fd;

			disk = disk_memory_fork(before);
			stick = disk_memory_create(true);
			stick_fd = folder_fd_of(stick);
			disk_fd_mount(disk);
			reading.with_fd[0] = stick_fd;
			seen = in_order = 0;
			assert_int_equal(audit_verify(&reading, &summary, why), 0);
			assert_true(seen <= 1 + RECORDS + FILES);
			assert_true(!with || in_order == RECORDS);
			close(stick_fd);
			disk_memory_destroy(disk);
			disk_memory_destroy(stick);
			disk = before;
			stick = before_stick;
			stick_fd = before_fd;
			disk_fd_mount(disk);
		}
	}
}

/* After the power came back: the log verifies, alone and with what is in the archive; all is there;
 * doing it again finishes; a new owner goes on. */
static bool check_state(struct disk_memory *left, struct disk_memory *left_stick)
{
	struct disk_memory *before = disk_fd_mount(left);
	struct audit_record more = {.what = AUDIT_CHANGED, .subject = "browser"};
	struct audit_archived again = archived;
	struct audit *owner = NULL;
	int fd = folder_fd_of(left_stick), before_fd = stick_fd;
	bool good = verify(-1) == 0;

	good = good && verify(fd) == 0 && in_order == RECORDS;
	stick_fd = fd;
	good = good && move_all() == 0;
	stick_fd = before_fd;
	archived = again;
	good = good && verify(-1) == 0 && summary.files == 1;
	good = good && verify(fd) == 0 && in_order == RECORDS;
	good = good && audit_open(DISK_FD_FOLDER, "log", FILE_MAX, &owner) == 0;
	good = good && audit_write(owner, &more) == 0;
	audit_close(owner);
	good = good && verify(-1) == 0 && verify(fd) == 0 && in_order == RECORDS;
	close(fd);
	disk_fd_mount(before);
	return good;
}

static void cut_now(struct disk_memory *changed, enum disk_call call)
{
	char saved[AUDIT_WHY_SIZE];

	(void)changed;
	(void)call;
	memcpy(saved, why, sizeof(saved));
	for (unsigned i = 0; i < cuts; i++) {
		struct disk_cut cut = disk_cut_choose(disk, &seed);
		struct disk_cut stick_cut = disk_cut_choose(stick, &seed);
		struct disk_memory *left = disk_cut_make(disk, &cut);
		struct disk_memory *left_stick = disk_cut_make(stick, &stick_cut);

		states++;
		bad += !check_state(left, left_stick);
		disk_memory_destroy(left);
		disk_memory_destroy(left_stick);
	}
	memcpy(why, saved, sizeof(saved));
}

static void watch(void)
{
	disk->on_change = cut_now;
	stick->on_change = cut_now;
}

/* Cut at every write, flush, rename and removal on both disks, in three ways each. */
static void archive_survives_power_cuts(void **state)
{
	(void)state;
	watch();
	assert_int_equal(move_all(), 0);
	assert_int_equal(bad, 0);
	assert_true(states > 100);
}

/* A flush that said it flushed and did not is noticed by the test above: of the copy, of its name,
 * of the record. (One of the head or of the removal need not be: a file that is back is moved
 * again.) */
static void archive_power_cuts_notice_flushes_that_lie(void **state)
{
	static const struct {
		bool stick;
		enum disk_call call;
		unsigned after;
	} lies[] = {
		{true, DISK_FLUSH, 0},	      {true, DISK_FLUSH, 2},  {true, DISK_FOLDER_FLUSH, 0},
		{true, DISK_FOLDER_FLUSH, 3}, {false, DISK_FLUSH, 2},
	};
	unsigned noticed = 0;

	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct disk_memory *on;

		if (i) {
			setup(state);
		}
		on = lies[i].stick ? stick : disk;
		on->lie_calls = DISK_BIT(lies[i].call);
		on->lie_after = lies[i].after;
		seed = 1;
		cuts = 20;
		watch();
		assert_int_equal(move_all(), 0);
		noticed += bad > 0;
		if (i + 1 < sizeof(lies) / sizeof(lies[0])) {
			teardown(state);
		}
	}
	cuts = CUTS;
	assert_int_equal(noticed, sizeof(lies) / sizeof(lies[0]));
}

/* Each call that can fail, once, on either side: it is said, nothing is lost, and doing it again
 * goes on. */
static void archive_survives_calls_that_fail(void **state)
{
	for (unsigned side = 0; side < 2; side++) {
		bool happened = true;

		for (uint64_t after = 0; happened; after++) {
			struct disk_memory *on;
			int rc;

			if (after || side) {
				teardown(state);
				setup(state);
			}
			on = side ? stick : disk;
			on->fault = (struct disk_fault){
				.calls = DISK_CHANGING_CALLS, .after = after, .error = -EIO};
			rc = move_all();
			happened = on->fault.happened;
			/* What fails while something is undone changes nothing. */
			assert_true(happened ? rc == -EIO || rc == 0 : rc == 0);
			assert_true(rc == 0 || why[0]);
			on->fault.calls = 0;
			check_whole();
			assert_int_equal(move_all(), 0);
			assert_int_equal(verify(-1), 0);
			assert_int_equal(summary.files, 1);
			check_whole();
		}
	}
}

/* Killed at any moment, in the middle of a record too: the owner goes on. */
static void owner_goes_on_after_a_killed_archive(void **state)
{
	bool happened = true;

	for (uint64_t after = 0; happened; after++) {
		struct audit_record more = {.what = AUDIT_CHANGED, .subject = "browser"};

		if (after) {
			teardown(state);
			setup(state);
		}
		disk->seed = after;
		disk->fault = (struct disk_fault){.calls = DISK_CHANGING_CALLS,
						  .after = after,
						  .error = -EIO,
						  .for_ever = true};
		(void)!move_all();
		happened = disk->fault.happened;
		disk->fault.calls = 0;
		for (unsigned i = 0; i < 8; i++) {
			memset(more.text, 'y', i * 71 % 500);
			assert_int_equal(audit_write(audit, &more), 0);
			check_whole();
		}
	}
}

#define ARCHIVE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		ARCHIVE_TEST(archive_moves_all_but_the_last_file),
		ARCHIVE_TEST(archived_is_no_word_of_the_owner),
		ARCHIVE_TEST(archive_keeps_what_is_asked_for),
		ARCHIVE_TEST(archive_goes_by_date),
		ARCHIVE_TEST(archive_checks_what_it_copied),
		ARCHIVE_TEST(verify_takes_only_the_beginning_that_is_named),
		ARCHIVE_TEST(open_refuses_a_beginning_that_was_taken_away),
		ARCHIVE_TEST(verify_reads_the_archive_as_a_part_of_the_log),
		ARCHIVE_TEST(verify_reads_several_archives),
		ARCHIVE_TEST(verify_finds_a_kept_hash_in_the_archive),
		ARCHIVE_TEST(archive_refuses_what_would_lose_something),
		ARCHIVE_TEST(owner_goes_on_after_an_archive),
		ARCHIVE_TEST(verify_bears_an_archive_meanwhile),
		ARCHIVE_TEST(archive_survives_power_cuts),
		ARCHIVE_TEST(archive_power_cuts_notice_flushes_that_lie),
		ARCHIVE_TEST(archive_survives_calls_that_fail),
		ARCHIVE_TEST(owner_goes_on_after_a_killed_archive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
