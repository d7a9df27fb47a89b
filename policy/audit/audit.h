/* SPDX-License-Identifier: Apache-2.0 */
/** The record of decisions: who, what, by which rule, when. Appended, chained, never rewritten.
 *
 *  A log is a folder of files NAME.000001, NAME.000002, ... Each record is length-prefixed and
 * holds the SHA-256 of the one before it, across files too; NAME.head holds number and hash of the
 * last one. A cut, an edit, a swap or a missing file is found by audit_verify(); a tail that was
 * cut together with its head is found by whoever kept an earlier head. A torn last record after a
 * power cut is cut off by the next writer, which records that. Formats in docs/SPEC-policy.md.
 */
#ifndef POLICY_AUDIT_H
#define POLICY_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define AUDIT_TEXT_MAX 512u
#define AUDIT_WHY_SIZE 160u

enum audit_what {
	AUDIT_OPENED, /* a writer begins */
	AUDIT_CLOSED,
	AUDIT_DENIED,
	AUDIT_ASKED,   /* a question was put; text: the answer */
	AUDIT_ALLOWED, /* the first of a row of equal ones; later ones are counted */
	AUDIT_APPLIED, /* a policy: object = its hash */
	AUDIT_CONFIRMED,
	AUDIT_REVERTED,
	AUDIT_REFUSED,	/* a policy that changed nothing, text: why */
	AUDIT_CHANGED,	/* start, stop, ... of a partition */
	AUDIT_REPAIRED, /* torn bytes were cut off */
};

struct audit_record {
	uint64_t number;  /* from 0, without gaps */
	int64_t time_ms;  /* since 1970, as the clock said */
	uint64_t boot_ms; /* since the machine started */
	enum audit_what what;
	uint64_t repeats; /* ALLOWED: how many went before unrecorded */
	char who[64];	  /* "user 1000", "bulkheadd" */
	char subject[64]; /* "browser", "policy" */
	char object[128]; /* "desktop clipboard text" */
	char rule[32];	  /* id, "no-rule" or empty */
	char text[AUDIT_TEXT_MAX];
};

struct audit;

/** folder_fd is borrowed. file_max: bytes after which the next file begins. Returns 0 or -errno. */
int audit_open(int folder_fd, const char *name, uint64_t file_max, struct audit **ret_audit);
void audit_close(struct audit *audit);
/** Writes and flushes a record; number, times and repeats are filled in. A repeated ALLOWED (same
 * who, subject, object and rule) is only counted. Returns 0 or -errno; after an error nothing was
 * recorded. */
int audit_write(struct audit *audit, const struct audit_record *record);
/** Reads all records in order. visit may be NULL. Returns 0, or -EBADMSG and the place in `why`.
 * head: 64 hex digits that must be the hash of some record, or NULL. */
int audit_verify(int folder_fd, const char *name, const char *head,
		 void (*visit)(const struct audit_record *record, void *data), void *data,
		 char why[AUDIT_WHY_SIZE]);
/** One line; every byte that is not printable ASCII is escaped. */
void audit_print(const struct audit_record *record, FILE *out);

#endif
