/* SPDX-License-Identifier: Apache-2.0 */
/** The pen of a log: appends records, one after the other.
 *
 *  A record is lasting before the head says so, and the head is lasting before the next record is
 * begun: so at most one record is ever in doubt. Between audit_writer_begin() and
 * audit_writer_end() nobody else writes: the folder is locked. Whoever begins finds out whether
 * somebody else wrote since, and whether something failed; then the files are read again first.
 *
 *  Functions return 0 or -errno.
 */
#ifndef POLICY_AUDIT_WRITER_H
#define POLICY_AUDIT_WRITER_H

#include "audit_file.h"

struct audit_writer {
	int folder_fd;
	char name[AUDIT_NAME_MAX + 1];
	uint64_t file_max;
	bool owner; /* of the log: there is one at a time, that keeps its head locked */
	int head_fd;
	int fd;		/* of the last file; -1: there is none yet */
	uint32_t first; /* number of the first file, 0: none */
	uint32_t file;	/* of the last one */
	uint64_t size;	/* of its records */
	struct audit_chain chain;
	bool broken; /* something failed: read again first */
};

/** Opens nothing yet. file_max: bytes after which the next file begins. */
void audit_writer_init(struct audit_writer *writer, int folder_fd, const char *name,
		       uint64_t file_max, bool owner);
void audit_writer_fini(struct audit_writer *writer);
/** -EBADMSG: the log was cut or edited; -EBUSY: it has another owner, or somebody else writes. */
int audit_writer_begin(struct audit_writer *writer);
void audit_writer_end(struct audit_writer *writer);
/** Writes and flushes a record, with the time of now. */
int audit_writer_append(struct audit_writer *writer, const struct audit_record *record);
uint64_t audit_writer_boot_ms(void);

#endif
