/* SPDX-License-Identifier: Apache-2.0 */
/** The record of decisions: who, what, by which rule, when. Appended, chained, never rewritten.
 *
 *  A log is a folder of files NAME.000001, NAME.000002, ... Each record is length-prefixed and
 * holds the SHA-256 of the one before it, across files too; NAME.head holds number and hash of the
 * last one. A cut, an edit, a swap or a missing file is found by audit_verify(); a tail that was
 * cut together with its head is found by whoever kept an earlier head. A torn last record after a
 * power cut is cut off by the next writer, which records that. Old files may be moved to an
 * archive: the log then says itself which records are gone, and what the hash of the last of them
 * is. Formats in docs/SPEC-policy.md.
 */
#ifndef POLICY_AUDIT_H
#define POLICY_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Where bulkheadd keeps its log. */
#define AUDIT_FOLDER "/var/lib/bulkhead"
#define AUDIT_LOG    "audit"

#define AUDIT_TEXT_MAX	 512u
#define AUDIT_WHY_SIZE	 200u
#define AUDIT_HASH_SIZE	 32u
#define AUDIT_NAME_MAX	 32u	 /* letters a-z, digits and '-' of a log's name */
#define AUDIT_WITH_MAX	 16u	 /* folders of archives */
#define AUDIT_REPEAT_MS	 600000u /* so long a repeated decision is only counted */
#define AUDIT_REPEAT_MAX 64u	 /* different ones that are remembered */

enum audit_what {
	AUDIT_OPENED, /* a writer begins */
	AUDIT_CLOSED,
	AUDIT_DENIED,  /* the first of a row of equal ones; later ones are counted */
	AUDIT_ASKED,   /* a question was put; text: the answer */
	AUDIT_ALLOWED, /* counted too */
	AUDIT_APPLIED, /* a policy: object = its hash */
	AUDIT_CONFIRMED,
	AUDIT_REVERTED,
	AUDIT_REFUSED,	/* a policy that changed nothing, text: why; counted too */
	AUDIT_CHANGED,	/* start, stop, ... of a partition */
	AUDIT_REPAIRED, /* torn bytes were cut off */
	AUDIT_ARCHIVED, /* a file is somewhere else now; object: what was in it and before it */
};
#define AUDIT_WHAT_COUNT 12u

/** All strings are closed by a 0 and may hold any other bytes. */
struct audit_record {
	uint64_t number;  /* from 0, without gaps */
	int64_t time_ms;  /* since 1970, as the clock said */
	uint64_t boot_ms; /* since the machine started */
	enum audit_what what;
	uint64_t repeats; /* how many equal ones were only counted before it */
	char who[64];	  /* "user 1000", "bulkheadd" */
	char subject[64]; /* "browser", "policy" */
	char object[128]; /* "desktop clipboard text" */
	char rule[32];	  /* id, "no-rule" or empty */
	char text[AUDIT_TEXT_MAX];
};

struct audit;

/** Opens a log for writing, makes it when there is none, records OPENED. folder_fd is borrowed.
 * file_max: bytes after which the next file begins. Returns 0 or -errno; -EBADMSG: the log was cut
 * or edited: keep it for audit_verify() and open another name; -EBUSY: somebody writes it. */
int audit_open(int folder_fd, const char *name, uint64_t file_max, struct audit **ret_audit);
/** Records what was counted, and CLOSED. NULL is fine. */
void audit_close(struct audit *audit);
/** Writes and flushes a record; number, times and repeats are filled in. The first of equal
 * ALLOWED, DENIED or REFUSED (same who, subject, object, rule and text) is written at once; those
 * that follow within AUDIT_REPEAT_MS are only counted. Returns 0 or -errno: then do not do what was
 * to be recorded; the next call tries the disk again. */
int audit_write(struct audit *audit, const struct audit_record *record);
/** Writes the counts whose time is over; audit_write() and audit_close() do it too. 0 or -errno. */
int audit_write_due(struct audit *audit);
/** How long audit_write_due() has nothing to do; UINT64_MAX: nothing is counted. */
uint64_t audit_wait_ms(const struct audit *audit);

/** A log to be read: that of a folder, or one whose archived files lie in other folders. */
struct audit_reading {
	int folder_fd;
	const char *name;
	int with_fd[AUDIT_WITH_MAX]; /* where what is not in the folder is looked for */
	unsigned with_count;
	const char *head; /* 64 hex digits that must be the hash of some record, or NULL */
	void (*visit)(const struct audit_record *record, void *data); /* may be NULL */
	void *data;
};

/** What audit_verify() found. */
struct audit_summary {
	uint64_t records; /* that were read */
	uint32_t files;
	uint64_t torn; /* bytes of an unfinished record at the end; the next writer cuts them off */
	char head[2 * AUDIT_HASH_SIZE + 1];	     /* hash of the last record, in hexadecimal */
	uint64_t archived;			     /* records before those that were read */
	char archived_hash[2 * AUDIT_HASH_SIZE + 1]; /* of the last of them; empty: none */
};

/** Reads all records in order, also while somebody writes or archives. Returns 0; -EBADMSG and the
 * place in `why`; -ENOENT: there is no such log; or another -errno of reading. ret_summary may be
 * NULL. */
int audit_verify(const struct audit_reading *reading, struct audit_summary *ret_summary,
		 char why[AUDIT_WHY_SIZE]);

/** What is to be archived: of all files but the last the oldest, as long as both hold. */
struct audit_archive {
	uint32_t keep;	     /* so many files stay; at least 1 */
	int64_t before_ms;   /* none of the file's records is of this time or later */
	const char *who;     /* for the records */
	const char *to_name; /* the same: how people call the folder */
	int to_fd;
};

struct audit_archived {
	uint32_t files;
	uint64_t records;		    /* of the log that are archived now, from 0 on */
	char hash[2 * AUDIT_HASH_SIZE + 1]; /* of the last of these */
};

/** Moves files of a log, also while its owner writes: one by one each is copied, flushed, read back
 * and compared; then the log records ARCHIVED; then the file is removed. The log must verify. After
 * an error or a power cut some of the files are moved; doing it again goes on. Returns 0 or -errno
 * and why; -EEXIST: another file of that name is in the archive. */
int audit_archive(int folder_fd, const char *name, const struct audit_archive *archive,
		  struct audit_archived *ret_archived, char why[AUDIT_WHY_SIZE]);

/** "denied"; NULL when out of range. */
const char *audit_what_word(enum audit_what what);
/** Escapes as \" \\ \xNN all that is not printable ASCII; ret_text has room for 4 times the text
 * and 1. */
void audit_escape(const char *text, char *ret_text);
/** "2025-11-21", "2025-11-21T23:55", "...:01", "...:01.123", with or without Z, always UTC;
 * -EINVAL: it is none of these. */
int audit_parse_time(const char *text, int64_t *ret_time_ms);
/** One line; every byte that is not printable ASCII is escaped. */
void audit_print(const struct audit_record *record, FILE *out);

#endif
