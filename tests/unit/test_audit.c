/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log in a real folder: what is written reads back, what was cut or edited is found. */
#define _GNU_SOURCE
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/later_clock.h"
#include "fakes/scratch.h"

#define FILE_MAX 1400u
#define SEEN_MAX 128u

static int folder_fd;
static char why[AUDIT_WHY_SIZE];
static struct audit_summary summary;
static struct audit_record seen[SEEN_MAX];
static unsigned seen_count;

static int make(void **state)
{
	(void)state;
	later_ms = 0;
	/* In memory, where flushing takes no time, when there is such a place. */
	assert_true(scratch_make("/dev/shm") == 0 || scratch_make("/tmp") == 0);
	folder_fd = open(scratch_folder, O_RDONLY | O_DIRECTORY);
	return folder_fd < 0;
}

static int clean(void **state)
{
	(void)state;
	close(folder_fd);
	return scratch_remove();
}

static void visit(const struct audit_record *record, void *data)
{
	(void)data;
	assert_true(seen_count < SEEN_MAX);
	seen[seen_count++] = *record;
}

static int verify(const char *head)
{
	const struct audit_reading reading = {
		.folder_fd = folder_fd, .name = "log", .head = head, .visit = visit};

	seen_count = 0;
	return audit_verify(&reading, &summary, why);
}

static struct audit *open_log(void)
{
	struct audit *audit;

	assert_int_equal(audit_open(folder_fd, "log", FILE_MAX, &audit), 0);
	return audit;
}

static struct audit_record record_of(enum audit_what what, const char *object)
{
	struct audit_record record = {
		.what = what, .who = "user 1000", .subject = "browser", .rule = "no-rule"};

	snprintf(record.object, sizeof(record.object), "%s", object);
	return record;
}

static void put(struct audit *audit, enum audit_what what, const char *object)
{
	struct audit_record record = record_of(what, object);

	assert_int_equal(audit_write(audit, &record), 0);
}

static off_t size_of(const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(folder_fd, name, &st, 0), 0);
	return st.st_size;
}

static void flip(const char *name, off_t offset)
{
	int fd = openat(folder_fd, name, O_RDWR);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 0x10;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
	close(fd);
}

static void cut(const char *name, off_t size)
{
	int fd = openat(folder_fd, name, O_RDWR);

	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

/* Twenty denials over several files, then closed. */
static void fill(void)
{
	struct audit *audit = open_log();

	for (unsigned i = 0; i < 20; i++) {
		char object[32];

		snprintf(object, sizeof(object), "desktop network tcp %u", i);
		put(audit, AUDIT_DENIED, object);
	}
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(summary.records, 22);
	assert_true(summary.files >= 3);
}

/* What was written is read in order, over several files and writers. */
static void audit_reads_back_what_was_written(void **state)
{
	struct audit *audit = open_log();

	(void)state;
	put(audit, AUDIT_DENIED, "desktop clipboard text");
	put(audit, AUDIT_ASKED, "desktop file document");
	audit_close(audit);
	audit = open_log();
	put(audit, AUDIT_CHANGED, "start");
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(summary.records, 7);
	assert_int_equal(seen[0].what, AUDIT_OPENED);
	assert_int_equal(seen[1].what, AUDIT_DENIED);
	assert_string_equal(seen[1].who, "user 1000");
	assert_string_equal(seen[1].subject, "browser");
	assert_string_equal(seen[1].object, "desktop clipboard text");
	assert_string_equal(seen[1].rule, "no-rule");
	assert_true(seen[1].time_ms > 1500000000000 && seen[1].boot_ms > 0);
	assert_int_equal(seen[3].what, AUDIT_CLOSED);
	assert_int_equal(seen[5].what, AUDIT_CHANGED);
	assert_int_equal(seen[5].number, 5);
	assert_int_equal(summary.torn, 0);
}

/* The same permission is recorded once and counted; the count is written at the end. */
static void audit_counts_repeated_allows(void **state)
{
	struct audit *audit = open_log();
	unsigned decisions = 0;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		put(audit, AUDIT_ALLOWED, "desktop link https");
		put(audit, AUDIT_ALLOWED, "desktop link http");
	}
	for (unsigned i = 0; i < AUDIT_REPEAT_MAX + 8; i++) {
		char object[32];

		snprintf(object, sizeof(object), "port %u", i % 40);
		put(audit, AUDIT_ALLOWED, object);
	}
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	for (unsigned i = 0; i < seen_count; i++) {
		decisions += seen[i].what == AUDIT_ALLOWED ? 1 + (unsigned)seen[i].repeats : 0;
	}
	assert_int_equal(decisions, 20 + AUDIT_REPEAT_MAX + 8);
	assert_true(seen_count < 2 + 2 * 42 + 2);
}

/* Of more different permissions than are remembered none is lost. */
static void audit_writes_counts_that_give_way(void **state)
{
	struct audit *audit = open_log();

	(void)state;
	put(audit, AUDIT_ALLOWED, "first");
	put(audit, AUDIT_ALLOWED, "first");
	put(audit, AUDIT_ALLOWED, "first");
	usleep(2000);
	for (unsigned i = 0; i < AUDIT_REPEAT_MAX; i++) {
		char object[32];

		snprintf(object, sizeof(object), "other %u", i);
		put(audit, AUDIT_ALLOWED, object);
	}
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(seen_count, 3 + AUDIT_REPEAT_MAX);
	assert_string_equal(seen[1 + AUDIT_REPEAT_MAX].object, "first");
	assert_int_equal(seen[1 + AUDIT_REPEAT_MAX].repeats, 1);
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(summary.records, 4 + AUDIT_REPEAT_MAX);
}

/* Of equal denials and refusals the first is there at once, the others are in a count that is
 * written when the log is closed. */
static void audit_counts_repeated_denials(void **state)
{
	struct audit *audit = open_log();

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		put(audit, AUDIT_DENIED, "start");
		put(audit, AUDIT_REFUSED, "start");
		assert_int_equal(verify(NULL), 0);
		assert_int_equal(seen_count, 3);
	}
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(seen_count, 6);
	assert_int_equal(seen[1].what, AUDIT_DENIED);
	assert_int_equal(seen[2].what, AUDIT_REFUSED);
	for (unsigned i = 3; i < 5; i++) {
		assert_int_equal(seen[i].what, i == 3 ? AUDIT_DENIED : AUDIT_REFUSED);
		assert_string_equal(seen[i].object, "start");
		assert_int_equal(seen[i].repeats, 3);
	}
}

/* Records that differ in a word are not equal, and of other kinds none is counted. */
static void audit_counts_only_what_is_equal(void **state)
{
	struct audit_record record = record_of(AUDIT_DENIED, "start");
	struct audit *audit = open_log();

	(void)state;
	assert_int_equal(audit_write(audit, &record), 0);
	strcpy(record.text, "why");
	assert_int_equal(audit_write(audit, &record), 0);
	strcpy(record.who, "user 1001");
	assert_int_equal(audit_write(audit, &record), 0);
	strcpy(record.rule, "other");
	assert_int_equal(audit_write(audit, &record), 0);
	strcpy(record.subject, "desktop");
	assert_int_equal(audit_write(audit, &record), 0);
	for (unsigned i = 0; i < 2; i++) {
		put(audit, AUDIT_ASKED, "start");
		put(audit, AUDIT_CHANGED, "start");
	}
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(seen_count, 10);
	assert_int_equal(audit_wait_ms(audit), UINT64_MAX);
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(seen_count, 11);
}

/* The count is written when ten minutes are over, whether or not there is another one; the next one
 * is a first one again. */
static void audit_writes_counts_when_their_time_is_over(void **state)
{
	struct audit *audit = open_log();

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		put(audit, AUDIT_DENIED, "start");
	}
	assert_in_range(audit_wait_ms(audit), 1, AUDIT_REPEAT_MS);
	later_ms = AUDIT_REPEAT_MS - 60000;
	assert_in_range(audit_wait_ms(audit), 1, 60000);
	put(audit, AUDIT_DENIED, "start");
	assert_int_equal(audit_write_due(audit), 0);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(seen_count, 2);
	later_ms = AUDIT_REPEAT_MS;
	assert_int_equal(audit_wait_ms(audit), 0);
	assert_int_equal(audit_write_due(audit), 0);
	assert_int_equal(audit_wait_ms(audit), UINT64_MAX);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(seen_count, 3);
	assert_int_equal(seen[2].repeats, 3);
	put(audit, AUDIT_DENIED, "start");
	put(audit, AUDIT_DENIED, "start");
	later_ms += AUDIT_REPEAT_MS;
	put(audit, AUDIT_CHANGED, "stop");
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(seen_count, 6);
	assert_int_equal(seen[3].repeats, 0);
	assert_int_equal(seen[4].what, AUDIT_DENIED);
	assert_int_equal(seen[4].repeats, 0);
	assert_int_equal(seen[5].what, AUDIT_CHANGED);
	audit_close(audit);
}

/* Any changed byte of any file is found, with its place. */
static void audit_verify_finds_each_edit(void **state)
{
	static const char *const names[] = {"log.000001", "log.000002", "log.000003"};

	(void)state;
	fill();
	for (unsigned i = 0; i < 3; i++) {
		for (off_t at = 0; at < size_of(names[i]); at += 7) {
			flip(names[i], at);
			assert_int_equal(verify(NULL), -EBADMSG);
			assert_int_equal(strncmp(why, names[i], strlen(names[i])), 0);
			flip(names[i], at);
		}
	}
	assert_int_equal(verify(NULL), 0);
}

/* Any cut of a file in the middle is found. */
static void audit_verify_finds_each_cut(void **state)
{
	(void)state;
	fill();
	for (off_t size = size_of("log.000001") - 1; size >= 0; size -= 5) {
		cut("log.000001", size);
		assert_int_equal(verify(NULL), -EBADMSG);
	}
}

/* The end of the last file cannot go without the head saying so. */
static void audit_verify_finds_a_cut_tail(void **state)
{
	char last[32];
	struct audit *audit;

	(void)state;
	fill();
	snprintf(last, sizeof(last), "log.%06u", summary.files);
	for (off_t size = size_of(last) - 1; size >= 0; size -= 5) {
		cut(last, size);
		assert_int_equal(verify(NULL), -EBADMSG);
		assert_non_null(strstr(why, "cut off"));
		assert_int_equal(audit_open(folder_fd, "log", FILE_MAX, &audit), -EBADMSG);
	}
	unlinkat(folder_fd, last, 0);
	assert_int_equal(verify(NULL), -EBADMSG);
	assert_non_null(strstr(why, last));
	assert_int_equal(audit_open(folder_fd, "log", FILE_MAX, &audit), -EBADMSG);
}

/* Files that changed places do not chain; a log without its head is not believed. */
static void audit_verify_finds_swapped_and_missing_files(void **state)
{
	struct audit *audit;

	(void)state;
	fill();
	renameat(folder_fd, "log.000001", folder_fd, "x");
	assert_int_equal(verify(NULL), -EBADMSG);
	renameat(folder_fd, "log.000002", folder_fd, "log.000001");
	renameat(folder_fd, "x", folder_fd, "log.000002");
	assert_int_equal(verify(NULL), -EBADMSG);
	renameat(folder_fd, "log.000001", folder_fd, "x");
	renameat(folder_fd, "log.000002", folder_fd, "log.000001");
	renameat(folder_fd, "x", folder_fd, "log.000002");
	assert_int_equal(verify(NULL), 0);
	renameat(folder_fd, "log.head", folder_fd, "x");
	assert_int_equal(verify(NULL), -EBADMSG);
	assert_int_equal(audit_open(folder_fd, "log", FILE_MAX, &audit), -EBADMSG);
}

/* Who kept an earlier head finds a log that was cut and given a new head. */
static void audit_verify_finds_a_log_written_anew(void **state)
{
	char kept[2 * AUDIT_HASH_SIZE + 1];
	struct audit *audit;

	(void)state;
	fill();
	strcpy(kept, summary.head);
	assert_int_equal(verify(kept), 0);
	audit = open_log();
	audit_close(audit);
	assert_int_equal(verify(kept), 0);
	unlinkat(folder_fd, "log.head", 0);
	for (unsigned i = 1; i <= summary.files; i++) {
		char name[32];

		snprintf(name, sizeof(name), "log.%06u", i);
		unlinkat(folder_fd, name, 0);
	}
	later_ms = 1000; /* at the same time it would be the same log */
	fill();
	assert_int_equal(verify(kept), -EBADMSG);
	assert_non_null(strstr(why, "kept"));
}

/* A torn record is told apart from an edit; the next writer cuts it off and says so. */
static void audit_repairs_a_torn_record(void **state)
{
	struct audit *audit;
	char last[32];
	int fd;

	(void)state;
	fill();
	snprintf(last, sizeof(last), "log.%06u", summary.files);
	fd = openat(folder_fd, last, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "half a record", 13), 13);
	close(fd);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(summary.torn, 13);
	audit = open_log();
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	assert_int_equal(summary.torn, 0);
	assert_int_equal(seen[22].what, AUDIT_REPAIRED);
	assert_string_equal(seen[22].text, "13 bytes of a torn record were cut off");
}

/* One writer at a time. */
static void audit_open_is_for_one_writer(void **state)
{
	struct audit *audit = open_log(), *other;

	(void)state;
	assert_int_equal(audit_open(folder_fd, "log", FILE_MAX, &other), -EBUSY);
	audit_close(audit);
	audit = open_log();
	audit_close(audit);
}

static void count_changed(const struct audit_record *record, void *data)
{
	unsigned *next = data;
	char object[32];

	snprintf(object, sizeof(object), "%u", *next);
	*next += record->what == AUDIT_CHANGED && strcmp(record->object, object) == 0;
}

/* In a process of its own: archives until there is no more to read from the pipe. */
static pid_t begin_archiving(const char *to, int *ret_pipe_fd)
{
	struct audit_archive archive = {
		.keep = 1, .before_ms = INT64_MAX, .who = "it 0", .to_name = to};
	struct audit_archived archived;
	int fds[2], own_fd, rc = 0;
	pid_t child;
	char byte;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child) {
		close(fds[0]);
		*ret_pipe_fd = fds[1];
		return child;
	}
	close(fds[1]);
	archive.to_fd = openat(folder_fd, to, O_RDONLY);
	own_fd = open(scratch_folder, O_RDONLY | O_DIRECTORY);
	while (!rc && read(fds[0], &byte, 1) == 1) {
		rc = audit_archive(own_fd, "log", &archive, &archived, why);
	}
	_exit(rc != 0);
}

/* The owner and two that archive are three processes that write one log: each waits for the others'
 * records, and each file goes to one place. */
static void audit_owner_and_archive_take_turns(void **state)
{
	static const char *const to[] = {"to", "there"};
	struct audit_reading reading = {
		.folder_fd = folder_fd, .name = "log", .with_count = 2, .visit = count_changed};
	struct audit *audit = open_log();
	int pipe_fd[2], status;
	unsigned next = 0;
	pid_t child[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(mkdirat(folder_fd, to[i], 0700), 0);
		child[i] = begin_archiving(to[i], &pipe_fd[i]);
	}
	for (unsigned i = 0; i < 300; i++) {
		char object[32];

		snprintf(object, sizeof(object), "%u", i);
		put(audit, AUDIT_CHANGED, object);
		assert_int_equal(write(pipe_fd[0], "", 1), 1);
		assert_int_equal(write(pipe_fd[1], "", 1), 1);
	}
	close(pipe_fd[1]); /* the second one has it, too */
	close(pipe_fd[0]);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(waitpid(child[i], &status, 0), child[i]);
		assert_int_equal(status, 0);
		reading.with_fd[i] = openat(folder_fd, to[i], O_RDONLY);
	}
	audit_close(audit);
	reading.data = &next;
	assert_int_equal(audit_verify(&reading, &summary, why), 0);
	assert_int_equal(next, 300);
	assert_int_equal(summary.torn, 0);
	assert_true(summary.files > 30);
	for (unsigned i = 0; i < 2 * summary.files; i++) {
		char name[32];

		snprintf(name, sizeof(name), "log.%06u", i / 2 + 1);
		unlinkat(reading.with_fd[i % 2], name, 0);
	}
	for (unsigned i = 0; i < 2; i++) {
		close(reading.with_fd[i]);
		assert_int_equal(unlinkat(folder_fd, to[i], AT_REMOVEDIR), 0);
	}
}

/* Two runs do not archive to one folder at a time. */
static void audit_archive_is_alone_in_its_folder(void **state)
{
	struct audit_archive archive = {
		.keep = 1, .before_ms = INT64_MAX, .who = "it 0", .to_name = "to"};
	struct audit_archived archived;
	int other_fd;

	(void)state;
	fill();
	assert_int_equal(mkdirat(folder_fd, "to", 0700), 0);
	archive.to_fd = openat(folder_fd, "to", O_RDONLY);
	other_fd = openat(folder_fd, "to", O_RDONLY);
	assert_int_equal(flock(other_fd, LOCK_EX), 0);
	assert_int_equal(audit_archive(folder_fd, "log", &archive, &archived, why), -EBUSY);
	assert_string_equal(why, "somebody else archives to that folder now");
	close(other_fd);
	close(archive.to_fd);
	assert_int_equal(unlinkat(folder_fd, "to", AT_REMOVEDIR), 0);
}

/* A file that is taken away under its owner is missed at the next record. */
static void audit_write_misses_its_file(void **state)
{
	struct audit_record record = record_of(AUDIT_CHANGED, "start");
	struct audit *audit = open_log();

	(void)state;
	put(audit, AUDIT_CHANGED, "start");
	assert_int_equal(unlinkat(folder_fd, "log.000001", 0), 0);
	assert_int_equal(audit_write(audit, &record), -EBADMSG);
	audit_close(audit);
}

/* Dates are read as they are printed, and shorter; what is no date is none. */
static void audit_parse_time_reads_what_is_printed(void **state)
{
	static const char *const wrong[] = {"",
					    "2025",
					    "2025-1-01",
					    "2025-02-30",
					    "2025-00-10",
					    "2025-01-00",
					    "2025-01-01 ",
					    "2025-01-01T",
					    "now",
					    "2025-01-01T1:00",
					    "2025-01-01ZZ"};
	int64_t ms = 7;

	(void)state;
	for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(audit_parse_time(wrong[i], &ms), -EINVAL);
		assert_int_equal(ms, 7);
	}
	assert_int_equal(audit_parse_time("2025-11-21T23:55:01.123Z", &ms), 0);
	assert_int_equal(ms, 1763769301123);
	assert_int_equal(audit_parse_time("2024-02-29", &ms), 0);
	assert_int_equal(ms, 1709164800000);
	assert_int_equal(audit_parse_time("1969-12-31T23:59Z", &ms), 0);
	assert_int_equal(ms, -60000);
}

/* A name is no path, and a log that is not there is no empty log. */
static void audit_names_are_plain(void **state)
{
	struct audit *audit;

	(void)state;
	assert_int_equal(audit_open(folder_fd, "../log", FILE_MAX, &audit), -EINVAL);
	assert_int_equal(audit_open(folder_fd, "", FILE_MAX, &audit), -EINVAL);
	assert_int_equal(
		audit_verify(&(struct audit_reading){.folder_fd = folder_fd, .name = "a/b"}, NULL,
			     why),
		-EINVAL);
	assert_int_equal(verify(NULL), -ENOENT);
	assert_string_equal(why, "there is no log log");
}

/* The longest strings fit, and what is no printable ASCII is escaped. */
static void audit_print_escapes_everything(void **state)
{
	struct audit_record record = {.number = 5, .time_ms = 1763769301123, .what = AUDIT_DENIED};
	struct audit *audit = open_log();
	char *line = NULL;
	size_t size;
	FILE *out;

	(void)state;
	memset(record.who, 'w', sizeof(record.who) - 1);
	memset(record.subject, 's', sizeof(record.subject) - 1);
	memset(record.object, 'o', sizeof(record.object) - 1);
	memset(record.rule, 'r', sizeof(record.rule) - 1);
	memset(record.text, 't', sizeof(record.text) - 1);
	assert_int_equal(audit_write(audit, &record), 0);
	audit_close(audit);
	assert_int_equal(verify(NULL), 0);
	assert_string_equal(seen[1].text, record.text);
	strcpy(record.who, "a\"b\\c\n\x1b[2J\xc3\xa9");
	record.subject[0] = record.object[0] = record.rule[0] = record.text[0] = '\0';
	record.repeats = 3;
	out = open_memstream(&line, &size);
	audit_print(&record, out);
	fclose(out);
	assert_string_equal(line, "2025-11-21T23:55:01.123Z 5 denied "
				  "who=\"a\\\"b\\\\c\\x0a\\x1b[2J\\xc3\\xa9\" repeats=3\n");
	free(line);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(audit_reads_back_what_was_written, make, clean),
		cmocka_unit_test_setup_teardown(audit_counts_repeated_allows, make, clean),
		cmocka_unit_test_setup_teardown(audit_writes_counts_that_give_way, make, clean),
		cmocka_unit_test_setup_teardown(audit_counts_repeated_denials, make, clean),
		cmocka_unit_test_setup_teardown(audit_counts_only_what_is_equal, make, clean),
		cmocka_unit_test_setup_teardown(audit_writes_counts_when_their_time_is_over, make,
						clean),
		cmocka_unit_test_setup_teardown(audit_verify_finds_each_edit, make, clean),
		cmocka_unit_test_setup_teardown(audit_verify_finds_each_cut, make, clean),
		cmocka_unit_test_setup_teardown(audit_verify_finds_a_cut_tail, make, clean),
		cmocka_unit_test_setup_teardown(audit_verify_finds_swapped_and_missing_files, make,
						clean),
		cmocka_unit_test_setup_teardown(audit_verify_finds_a_log_written_anew, make, clean),
		cmocka_unit_test_setup_teardown(audit_repairs_a_torn_record, make, clean),
		cmocka_unit_test_setup_teardown(audit_open_is_for_one_writer, make, clean),
		cmocka_unit_test_setup_teardown(audit_owner_and_archive_take_turns, make, clean),
		cmocka_unit_test_setup_teardown(audit_archive_is_alone_in_its_folder, make, clean),
		cmocka_unit_test_setup_teardown(audit_write_misses_its_file, make, clean),
		cmocka_unit_test_setup_teardown(audit_parse_time_reads_what_is_printed, make,
						clean),
		cmocka_unit_test_setup_teardown(audit_names_are_plain, make, clean),
		cmocka_unit_test_setup_teardown(audit_print_escapes_everything, make, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
