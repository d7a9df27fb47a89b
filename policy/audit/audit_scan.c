/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a log, looked through; see audit_scan.h. */
#define _GNU_SOURCE
#include "audit_scan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

static void meet_head(struct audit_extent *extent, const struct audit_chain *at,
		      const struct audit_chain *head)
{
	if (at->count == head->count) {
		extent->head_met = true;
		memcpy(extent->head_hash, at->hash, AUDIT_HASH_SIZE);
	}
}

static int scan_records(struct audit_reader *reader, const struct audit_chain *head,
			struct audit_extent *extent)
{
	struct audit_record record;
	const char *why;
	int rc;

	while ((rc = audit_reader_next(reader, &extent->end, &record, &why)) == 1) {
		meet_head(extent, &extent->end, head);
		extent->last = extent->size;
		extent->size = reader->offset;
	}
	if (rc == 0 || rc == -EBADMSG) {
		rc = audit_reader_rest(reader, &extent->rest);
	}
	return rc;
}

int audit_scan_begin(int fd, struct audit_chain *ret_begin)
{
	uint8_t bytes[AUDIT_RECORD_MAX], hash[AUDIT_HASH_SIZE];
	struct audit_record record;
	ssize_t got = bytes_read(fd, bytes, sizeof(bytes), 0);
	struct audit_chain begin;

	if (got < 0) {
		return (int)got;
	}
	if (audit_record_decode(bytes, (size_t)got, &record, &begin, hash) > 0) {
		*ret_begin = begin;
		return 1;
	}
	return 0;
}

int audit_scan(int fd, const struct audit_chain *begin, const struct audit_chain *head,
	       struct audit_extent *ret_extent)
{
	struct audit_reader *reader = malloc(sizeof(*reader));
	struct audit_extent extent = {.begin = *begin};
	int rc = reader ? audit_scan_begin(fd, &extent.begin) : -ENOMEM;

	if (rc >= 0) {
		extent.end = extent.begin;
		meet_head(&extent, &extent.begin, head);
		audit_reader_init(reader, fd);
		rc = scan_records(reader, head, &extent);
	}
	free(reader);
	if (!rc) {
		*ret_extent = extent;
	}
	return rc;
}
