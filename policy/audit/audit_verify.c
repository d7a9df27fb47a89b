/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a whole log. The head is read first: a writer at work can only be ahead of it. */
#define _GNU_SOURCE
#include "audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct verify {
	int folder_fd;
	const char *name;
	const char *wanted; /* hash that a record must have, or NULL */
	bool found;
	void (*visit)(const struct audit_record *record, void *data);
	void *data;
	struct audit_chain chain, head;
	uint32_t file;
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
	int fd, rc = audit_file_open(v->folder_fd, v->name, 0, O_RDONLY, &fd);

	if (!rc) {
		rc = audit_head_read(fd, &v->head);
		close(fd);
	}
	return rc;
}

static int check_head(struct verify *v)
{
	char hex[2 * AUDIT_HASH_SIZE + 1];

	if (v->chain.count == v->head.count &&
	    memcmp(v->chain.hash, v->head.hash, AUDIT_HASH_SIZE) != 0) {
		return fail(v, -EBADMSG,
			    "record %" PRIu64 " is another than %s.head says: the log was written "
			    "anew",
			    v->chain.count - 1, v->name);
	}
	if (v->wanted && !v->found) {
		audit_record_hex(v->chain.hash, hex);
		v->found = strcmp(hex, v->wanted) == 0;
	}
	return 0;
}

static bool is_last(const struct verify *v)
{
	int fd, rc = audit_file_open(v->folder_fd, v->name, v->file + 1, O_RDONLY, &fd);

	if (!rc) {
		close(fd);
	}
	return rc == -ENOENT;
}

/* What a power cut leaves at the end is no edit: less than a record, behind all that was
 * acknowledged. */
static int judge_rest(struct verify *v, const struct audit_reader *reader, const char *reason)
{
	uint64_t rest;
	int rc = audit_reader_rest(reader, &rest);

	if (rc < 0) {
		return rc;
	}
	if (rest <= AUDIT_RECORD_MAX && v->chain.count >= v->head.count && is_last(v)) {
		v->torn = rest;
		return 0;
	}
	return fail(v, -EBADMSG, "%s.%06u, byte %" PRIu64 ", record %" PRIu64 ": %s", v->name,
		    v->file, reader->offset, v->chain.count, reason);
}

static int read_file(struct verify *v, int fd)
{
	struct audit_reader *reader = malloc(sizeof(*reader));
	struct audit_record record;
	const char *reason = "";
	int rc;

	if (!reader) {
		return -ENOMEM;
	}
	audit_reader_init(reader, fd);
	while ((rc = audit_reader_next(reader, &v->chain, &record, &reason)) == 1) {
		rc = check_head(v);
		if (rc < 0) {
			break;
		}
		if (v->visit) {
			v->visit(&record, v->data);
		}
	}
	if (rc == -EBADMSG && reason[0]) {
		rc = judge_rest(v, reader, reason);
	}
	free(reader);
	return rc;
}

static int read_files(struct verify *v)
{
	int fd, rc = 0;

	for (v->file = 1; !rc && v->file <= AUDIT_FILE_MAX; v->file++) {
		rc = audit_file_open(v->folder_fd, v->name, v->file, O_RDONLY, &fd);
		if (rc < 0) {
			break;
		}
		rc = read_file(v, fd);
		close(fd);
	}
	if (rc == -ENOENT) {
		rc = 0;
	}
	return rc;
}

static int check_end(struct verify *v)
{
	if (v->chain.count < v->head.count) {
		return fail(v, -EBADMSG,
			    "%" PRIu64 " of %" PRIu64 " records are there: the end was cut off, or "
			    "%s.%06u is missing",
			    v->chain.count, v->head.count, v->name, v->file);
	}
	if (v->wanted && !v->found) {
		return fail(v, -EBADMSG,
			    "no record has the hash that was kept: the log was cut or written "
			    "anew after it");
	}
	return 0;
}

int audit_verify(int folder_fd, const char *name, const char *head,
		 void (*visit)(const struct audit_record *record, void *data), void *data,
		 struct audit_summary *ret_summary, char why[AUDIT_WHY_SIZE])
{
	struct verify v = {.folder_fd = folder_fd,
			   .name = name,
			   .wanted = head,
			   .visit = visit,
			   .data = data,
			   .why = why};
	bool headless, damaged;
	int rc;

	why[0] = '\0';
	if (!audit_file_is_name(name)) {
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
		return v.file > 1 ? fail(&v, -EBADMSG,
					 "%s.head is %s: it is not known where the log ended", name,
					 headless ? "missing" : "damaged")
				  : fail(&v, -ENOENT, "there is no log %s", name);
	}
	rc = rc ? rc : check_end(&v);
	if (rc < 0 && !why[0]) {
		return fail(&v, rc, "the log cannot be read: %s", strerror(-rc));
	}
	if (!rc && ret_summary) {
		ret_summary->records = v.chain.count;
		ret_summary->files = v.file - 1;
		ret_summary->torn = v.torn;
		audit_record_hex(v.chain.hash, ret_summary->head);
	}
	return rc;
}
