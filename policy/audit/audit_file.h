/* SPDX-License-Identifier: Apache-2.0 */
/** The files of a log, and its head: two slots of 512 bytes that are written in turn, so that a
 * power cut leaves one of them. The head never says more than what is lasting in the files.
 *
 *  Functions return 0 or -errno.
 */
#ifndef POLICY_AUDIT_FILE_H
#define POLICY_AUDIT_FILE_H

#include "audit_record.h"

#define AUDIT_FILE_MAX	999999u /* number of the last file */
#define AUDIT_FILE_NAME 64u	/* bytes, with the closing 0 */
#define AUDIT_HEAD_SIZE 1024u

bool audit_file_is_name(const char *name);
/** "NAME.000001", and "NAME.head" for 0. */
void audit_file_name(const char *name, uint32_t index, char ret_name[AUDIT_FILE_NAME]);
/** flags as of open(2). Plain files only. */
int audit_file_open(int folder_fd, const char *name, uint32_t index, int flags, int *ret_fd);
/** Number of the first file; -ENOENT: there is none. */
int audit_file_first(int folder_fd, const char *name, uint32_t *ret_index);
/** Lasting when 0 is returned. */
int audit_file_write(int fd, const void *bytes, size_t size, uint64_t offset);

/** -EBADMSG: they differ. */
int audit_file_compare(int fd, int other_fd);

/** A file that is read record by record. */
struct audit_reader {
	int fd;		 /* borrowed */
	uint64_t offset; /* of the next record in the file */
	size_t at, filled;
	uint8_t bytes[16 * AUDIT_RECORD_MAX];
};

void audit_reader_init(struct audit_reader *reader, int fd);
/** 1: a record, which continues the chain (chain NULL: any) and moves it on; 0: the end of the
 * file; -EBADMSG: what follows is no record, *ret_why says why not. */
int audit_reader_next(struct audit_reader *reader, struct audit_chain *chain,
		      struct audit_record *ret_record, const char **ret_why);
/** What follows is read anew: it may be longer by now. */
void audit_reader_again(struct audit_reader *reader);
/** Bytes from the next record to the end of the file. */
int audit_reader_rest(const struct audit_reader *reader, uint64_t *ret_rest);

/** -ENOENT: there is no head; -EBADMSG: both slots are damaged. */
int audit_head_read(int fd, struct audit_chain *ret_chain);
/** Lasting when 0 is returned. */
int audit_head_write(int fd, const struct audit_chain *chain);

#endif
