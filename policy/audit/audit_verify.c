/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a whole log. The head is read first: a writer at work can only be ahead of it.
 *
 *  What is not in the log's folder is looked for in archives. Where the reading begins later than
 * with record 0, a record that follows, ARCHIVED, must name that very place. */
#define _GNU_SOURCE
#include "audit_file.h"
#include "audit_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct verify {
	const struct audit_reading *from;
	bool found; /* the hash that is asked for */
	struct audit_chain begin, chain, head;
	bool named; /* the beginning, by an ARCHIVED */
	bool ended; /* the file that was read is the last one */
	uint32_t first, file;
	uint64_t torn;
	char *why;
};

static int fail(struct verify *v, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct verify *v, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(v->why, AUDIT_WHY_SIZE, format, args);
	va_end(args);
	return code;
}

static int read_head(struct verify *v)
{
	int fd, rc = audit_file_open(v->from->folder_fd, v->from->name, 0, O_RDONLY, &fd);

	if (!rc) {
		rc = audit_head_read(fd, &v->head);
		close(fd);
	}
	return rc;
}

static void find_wanted(struct verify *v, const struct audit_chain *at)
{
	char hex[2 * AUDIT_HASH_SIZE + 1];

	if (v->from->head && !v->found && at->count) {
		audit_record_hex(at->hash, hex);
		v->found = strcmp(hex, v->from->head) == 0;
	}
}

static int check_head(struct verify *v)
{
	if (v->chain.count == v->head.count &&
	    memcmp(v->chain.hash, v->head.hash, AUDIT_HASH_SIZE) != 0) {
		return fail(v, -EBADMSG,
			    "record %" PRIu64 " is another than %s.head says: the log was written "
			    "anew",
			    v->chain.count - 1, v->from->name);
	}
	find_wanted(v, &v->chain);
	return 0;
}

/* A file that is in the log and in an archive is the same one. */
static int check_twins(struct verify *v, int fd, unsigned place)
{
	int rc = 0;

	for (unsigned i = place; !rc && i < v->from->with_count; i++) {
		int twin_fd;

		rc = audit_file_open(v->from->with_fd[i], v->from->name, v->file, O_RDONLY,
				     &twin_fd);
		if (rc == -ENOENT) {
			rc = 0;
			continue;
		}
		if (!rc) {
			rc = audit_file_compare(fd, twin_fd);
			close(twin_fd);
		}
		if (rc == -EBADMSG) {
			return fail(v, rc, "%s.%06u is there twice and differs: one was edited",
				    v->from->name, v->file);
		}
	}
	return rc;
}

/* *ret_place: how many of the archives have been looked into. */
static int open_file(struct verify *v, uint32_t index, int *ret_fd, unsigned *ret_place)
{
	int rc = audit_file_open(v->from->folder_fd, v->from->name, index, O_RDONLY, ret_fd);
	unsigned place = 0;

	for (; rc == -ENOENT && place < v->from->with_count; place++) {
		rc = audit_file_open(v->from->with_fd[place], v->from->name, index, O_RDONLY,
				     ret_fd);
	}
	*ret_place = place;
	return rc;
}

static bool is_last(struct verify *v)
{
	unsigned place;
	int fd, rc = open_file(v, v->file + 1, &fd, &place);

	if (!rc) {
		close(fd);
	}
	return rc == -ENOENT;
}

/* What a power cut leaves at the end is no edit: less than a record, behind all that was
 * acknowledged. */
static int judge_rest(struct verify *v, const struct audit_reader *reader, const char *reason)
{
	size_t rest = reader->filled - reader->at;

	if (rest <= AUDIT_RECORD_MAX && v->chain.count >= v->head.count && v->ended) {
		v->torn = rest;
		return 0;
	}
	return fail(v, -EBADMSG, "%s.%06u, byte %" PRIu64 ", record %" PRIu64 ": %s", v->from->name,
		    v->file, reader->offset, v->chain.count, reason);
}

static void take_record(struct verify *v, const struct audit_record *record)
{
	struct audit_chain archived;

	if (audit_record_get_archived(record, &archived) &&
	    memcmp(&archived, &v->begin, sizeof(archived)) == 0) {
		v->named = true;
	}
	if (v->from->visit) {
		v->from->visit(record, v->from->data);
	}
}

static int read_records(struct verify *v, struct audit_reader *reader, const char **ret_reason)
{
	struct audit_record record;
	int rc;

	*ret_reason = "";
	audit_reader_again(reader);
	while ((rc = audit_reader_next(reader, &v->chain, &record, ret_reason)) == 1) {
		rc = check_head(v);
		if (rc < 0) {
			break;
		}
		take_record(v, &record);
	}
	return rc;
}

/* A file is whole when the next one was there before nothing more was found in it. The last one
 * ends where it ended while it was the last. */
static int read_all(struct verify *v, struct audit_reader *reader)
{
	const char *reason;
	uint64_t before;
	bool last;
	int rc;

	do {
		last = is_last(v);
		before = reader->offset;
		rc = read_records(v, reader, &reason);
		if (rc < 0 && !reason[0]) {
			return rc;
		}
		v->ended = last && is_last(v);
	} while (reader->offset != before || last != v->ended);
	return rc < 0 ? judge_rest(v, reader, reason) : 0;
}

static int read_file(struct verify *v, int fd)
{
	struct audit_reader *reader = malloc(sizeof(*reader));
	int rc;

	if (!reader) {
		return -ENOMEM;
	}
	audit_reader_init(reader, fd);
	rc = read_all(v, reader);
	free(reader);
	return rc;
}

/* The first file of all folders; 0: there is none. */
static int find_first(const struct verify *v, uint32_t *ret_first)
{
	uint32_t first = 0, index;
	int rc = 0;

	for (unsigned i = 0; !rc && i <= v->from->with_count; i++) {
		rc = audit_file_first(i ? v->from->with_fd[i - 1] : v->from->folder_fd,
				      v->from->name, &index);
		if (rc == -ENOENT) {
			rc = 0;
			continue;
		}
		first = !rc && (!first || index < first) ? index : first;
	}
	if (!rc) {
		*ret_first = first;
	}
	return rc;
}

/* Only what is numbered as the first file must begin with the first record. */
static int begin(struct verify *v, int fd)
{
	int rc = v->first > 1 ? audit_scan_begin(fd, &v->begin) : 0;

	v->chain = v->begin;
	find_wanted(v, &v->begin);
	return rc < 0 ? rc : 0;
}

static int read_from_first(struct verify *v)
{
	unsigned place;
	int fd, rc = 0;

	v->begin = (struct audit_chain){.count = 0};
	v->chain = v->begin;
	v->named = false;
	v->torn = 0;
	for (v->file = v->first; !rc && v->file <= AUDIT_FILE_MAX; v->file++) {
		rc = open_file(v, v->file, &fd, &place);
		if (rc < 0) {
			break;
		}
		rc = v->file == v->first ? begin(v, fd) : 0;
		rc = rc ? rc : read_file(v, fd);
		rc = rc ? rc : check_twins(v, fd, place);
		close(fd);
		if (!rc && v->ended) {
			v->file++;
			return -ENOENT; /* no more was there */
		}
	}
	return rc;
}

/* When the next file is not there because it was archived meanwhile, with others perhaps, reading
 * begins anew behind them. */
static int read_files(struct verify *v)
{
	uint32_t first;
	int rc = find_first(v, &v->first);
	bool again = v->first != 0;

	while (!rc && again) {
		again = false;
		rc = read_from_first(v);
		if (rc == -ENOENT) {
			rc = find_first(v, &first);
			again = !rc && first > v->file;
			v->first = again ? first : v->first;
		}
	}
	return rc;
}

static int check_wanted(struct verify *v)
{
	if (!v->from->head || v->found) {
		return 0;
	}
	if (v->begin.count) {
		return fail(v, -EBADMSG,
			    "no record from %" PRIu64 " on has the hash that was kept: name the "
			    "archive too (--with FOLDER), or the log was written anew",
			    v->begin.count);
	}
	return fail(
		v, -EBADMSG,
		"no record has the hash that was kept: the log was cut or written anew after it");
}

static int check_end(struct verify *v)
{
	if (v->chain.count < v->head.count) {
		return fail(v, -EBADMSG,
			    "%" PRIu64 " of %" PRIu64 " records are there: the end was cut off, or "
			    "%s.%06u is missing",
			    v->chain.count, v->head.count, v->from->name, v->file);
	}
	if (v->begin.count && !v->named) {
		return fail(v, -EBADMSG,
			    "it begins with record %" PRIu64
			    ", and no record says that those before "
			    "were archived: files before %s.%06u were taken away",
			    v->begin.count, v->from->name, v->first);
	}
	return check_wanted(v);
}

static void summarize(const struct verify *v, struct audit_summary *summary)
{
	*summary = (struct audit_summary){.records = v->chain.count - v->begin.count,
					  .files = v->first ? v->file - v->first : 0,
					  .torn = v->torn,
					  .archived = v->begin.count};
	audit_record_hex(v->chain.hash, summary->head);
	if (v->begin.count) {
		audit_record_hex(v->begin.hash, summary->archived_hash);
	}
}

int audit_verify(const struct audit_reading *reading, struct audit_summary *ret_summary,
		 char why[AUDIT_WHY_SIZE])
{
	struct verify v = {.from = reading, .file = 1, .why = why};
	bool headless, damaged;
	int rc;

	why[0] = '\0';
	if (!audit_file_is_name(reading->name)) {
		return fail(&v, -EINVAL, "a log is named with a-z, 0-9 and '-', at most %u letters",
			    AUDIT_NAME_MAX);
	}
	rc = read_head(&v);
	headless = rc == -ENOENT;
	damaged = rc == -EBADMSG;
	rc = headless || damaged ? 0 : rc;
	rc = rc ? rc : read_files(&v);
	if (!rc && (headless || damaged)) {
		/* Without a file the log was not begun: the power failed while it was made. */
		return v.first ? fail(&v, -EBADMSG,
				      "%s.head is %s: it is not known where the log ended",
				      reading->name, headless ? "missing" : "damaged")
			       : fail(&v, -ENOENT, "there is no log %s", reading->name);
	}
	rc = rc ? rc : check_end(&v);
	if (rc < 0 && !why[0]) {
		return fail(&v, rc, "the log cannot be read: %s", strerror(-rc));
	}
	if (!rc && ret_summary) {
		summarize(&v, ret_summary);
	}
	return rc;
}
