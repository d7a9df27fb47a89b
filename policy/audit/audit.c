/* SPDX-License-Identifier: Apache-2.0 */
/* The writer of a log. A record is lasting before the head says so, and the head is lasting before
 * the next record is begun: so at most one record is ever in doubt. After any error the files are
 * read again before the next record. */
#define _GNU_SOURCE
#include "audit_file.h"
#include "audit_repeat.h"
#include "audit_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct audit {
	int folder_fd;
	char name[AUDIT_NAME_MAX + 1];
	uint64_t file_max;
	int head_fd;
	int fd;	       /* of the last file; -1: there is none yet */
	uint32_t file; /* its number, 0: none */
	uint64_t size; /* of its records */
	struct audit_chain chain;
	bool broken; /* something failed: read again first */
	struct audit_repeats repeats;
};

static uint64_t now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* A head is there before the first record, and lasting. */
static int open_head(struct audit *audit)
{
	int rc = audit_file_open(audit->folder_fd, audit->name, 0, O_RDWR | O_CREAT,
				 &audit->head_fd);

	if (rc < 0) {
		return rc;
	}
	if (flock(audit->head_fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	}
	return 0;
}

static int open_last(struct audit *audit)
{
	int fd, rc;

	for (uint32_t i = 1; i <= AUDIT_FILE_MAX; i++) {
		rc = audit_file_open(audit->folder_fd, audit->name, i, O_RDWR, &fd);
		if (rc == -ENOENT) {
			return 0;
		}
		if (rc < 0) {
			return rc;
		}
		if (audit->fd >= 0) {
			close(audit->fd);
		}
		audit->fd = fd;
		audit->file = i;
	}
	return -EFBIG;
}

/* The end of the file before the last one: where a last one without a record begins. */
static int scan_before(struct audit *audit, const struct audit_chain *head,
		       struct audit_chain *ret_chain)
{
	const struct audit_chain zero = {.count = 0};
	struct audit_extent extent;
	int fd, rc;

	if (audit->file <= 1) {
		*ret_chain = zero;
		return 0;
	}
	rc = audit_file_open(audit->folder_fd, audit->name, audit->file - 1, O_RDONLY, &fd);
	if (rc < 0) {
		return rc;
	}
	rc = audit_scan(fd, &zero, head, &extent);
	close(fd);
	if (!rc && extent.rest) {
		rc = -EBADMSG;
	}
	if (!rc) {
		*ret_chain = extent.end;
	}
	return rc;
}

static int cut_torn(struct audit *audit, const struct audit_extent *extent)
{
	if (extent->rest == 0) {
		return 0;
	}
	if (extent->rest > AUDIT_RECORD_MAX) {
		return -EBADMSG;
	}
	if (ftruncate(audit->fd, (off_t)extent->size) < 0 || fdatasync(audit->fd) < 0) {
		return -errno;
	}
	return 0;
}

/* Whatever was read may be in memory alone: left by a writer that was killed, or by a flush that
 * failed, after which only writing again helps. It is made lasting before the head names it. */
static int settle(struct audit *audit, const struct audit_extent *extent,
		  const struct audit_chain *head)
{
	uint8_t bytes[AUDIT_RECORD_MAX];
	uint64_t size = extent->size - extent->last;
	ssize_t got;

	if (extent->end.count > head->count && size <= sizeof(bytes)) {
		got = pread(audit->fd, bytes, (size_t)size, (off_t)extent->last);
		if (got != (ssize_t)size) {
			return got < 0 ? -errno : -EIO;
		}
		return audit_file_write(audit->fd, bytes, (size_t)size, extent->last);
	}
	return fdatasync(audit->fd) < 0 ? -errno : 0;
}

static int read_last(struct audit *audit, const struct audit_chain *head, uint64_t *ret_torn)
{
	struct audit_chain before = {.count = 0};
	struct audit_extent extent = {.head_met = false};
	int rc;

	if (audit->fd < 0) { /* no record was ever lasting */
		*ret_torn = 0;
		return head->count ? -EBADMSG : 0;
	}
	rc = scan_before(audit, head, &before);
	rc = rc ? rc : audit_scan(audit->fd, &before, head, &extent);
	if (rc < 0) {
		return rc;
	}
	if (!extent.head_met || memcmp(extent.head_hash, head->hash, AUDIT_HASH_SIZE) != 0 ||
	    memcmp(&extent.begin, &before, sizeof(before)) != 0) {
		return -EBADMSG;
	}
	rc = cut_torn(audit, &extent);
	rc = rc ? rc : settle(audit, &extent, head);
	if (!rc) {
		audit->chain = extent.end;
		audit->size = extent.size;
		*ret_torn = extent.rest;
	}
	return rc;
}

static void close_files(struct audit *audit)
{
	if (audit->fd >= 0) {
		close(audit->fd);
	}
	if (audit->head_fd >= 0) {
		close(audit->head_fd);
	}
	audit->fd = -1;
	audit->head_fd = -1;
	audit->file = 0;
	audit->size = 0;
	audit->chain = (struct audit_chain){.count = 0};
}

/* A head that was never written whole belongs to a log without records. */
static int read_head(struct audit *audit, struct audit_chain *ret_head)
{
	int rc = audit_head_read(audit->head_fd, ret_head);

	if (rc == -EBADMSG && audit->fd < 0) {
		*ret_head = (struct audit_chain){.count = 0};
		rc = 0;
	}
	return rc;
}

static int next_file(struct audit *audit)
{
	int fd, rc = audit->file < AUDIT_FILE_MAX ? 0 : -EFBIG;

	rc = rc ? rc
		: audit_file_open(audit->folder_fd, audit->name, audit->file + 1,
				  O_RDWR | O_CREAT | O_EXCL, &fd);
	if (rc < 0) {
		return rc;
	}
	if (fsync(audit->folder_fd) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	if (audit->fd >= 0) {
		close(audit->fd);
	}
	audit->fd = fd;
	audit->file++;
	audit->size = 0;
	return 0;
}

static int append(struct audit *audit, const struct audit_record *record, uint64_t boot_ms)
{
	struct audit_record copy = *record;
	struct audit_chain chain = audit->chain;
	uint8_t bytes[AUDIT_RECORD_MAX];
	size_t size;
	int rc = 0;

	copy.time_ms = (int64_t)now_ms(CLOCK_REALTIME);
	copy.boot_ms = boot_ms;
	size = audit_record_encode(&copy, &chain, bytes);
	if (audit->fd < 0 || (audit->size && size > audit->file_max - audit->size)) {
		rc = next_file(audit);
	}
	if (!rc) {
		rc = audit_file_write(audit->fd, bytes, size, audit->size);
		if (rc < 0) { /* the head does not know of it: it may go */
			(void)!ftruncate(audit->fd, (off_t)audit->size);
		}
	}
	rc = rc ? rc : audit_head_write(audit->head_fd, &chain);
	if (rc < 0) {
		audit->broken = true;
		return rc;
	}
	audit->chain = chain;
	audit->size += size;
	return 0;
}

static int resume(struct audit *audit)
{
	struct audit_record repaired = {.what = AUDIT_REPAIRED, .who = "bulkheadd"};
	struct audit_chain head = {.count = 0};
	uint64_t torn = 0;
	int rc;

	close_files(audit);
	rc = open_head(audit);
	rc = rc ? rc : open_last(audit);
	rc = rc ? rc : read_head(audit, &head);
	rc = rc ? rc : read_last(audit, &head, &torn);
	if (rc < 0) {
		return rc;
	}
	rc = fsync(audit->folder_fd) < 0 ? -errno : 0;
	rc = rc ? rc : audit_head_write(audit->head_fd, &audit->chain);
	if (rc < 0) {
		return rc;
	}
	audit->broken = false;
	if (torn) {
		snprintf(repaired.text, sizeof(repaired.text),
			 "%" PRIu64 " bytes of a torn record were cut off", torn);
		return append(audit, &repaired, now_ms(CLOCK_BOOTTIME));
	}
	return 0;
}

/* What was counted in windows that are over. What cannot be written is still owed. */
static int write_over(struct audit *audit, uint64_t boot_ms)
{
	struct audit_repeat *item;
	struct audit_record owed;
	int rc = 0;

	while (!rc && (item = audit_repeat_over(&audit->repeats, boot_ms))) {
		if (audit_repeat_owed(item, &owed)) {
			rc = append(audit, &owed, boot_ms);
		}
		item->used = rc < 0;
	}
	return rc;
}

static int write_or_count(struct audit *audit, const struct audit_record *record, uint64_t boot_ms)
{
	struct audit_repeat *item = audit_repeat_find(&audit->repeats, record);
	struct audit_record owed;
	int rc = 0;

	if (item) {
		item->count++;
		return 0;
	}
	item = audit_repeat_room(&audit->repeats);
	if (audit_repeat_owed(item, &owed)) {
		rc = append(audit, &owed, boot_ms);
	}
	item->used = rc < 0;
	rc = rc ? rc : append(audit, record, boot_ms);
	if (!rc) {
		*item = (struct audit_repeat){.record = *record, .since_ms = boot_ms, .used = true};
	}
	return rc;
}

int audit_write(struct audit *audit, const struct audit_record *record)
{
	uint64_t boot_ms = now_ms(CLOCK_BOOTTIME);
	struct audit_record copy = *record;
	int rc = audit->broken ? resume(audit) : 0;

	if (rc < 0) {
		return rc;
	}
	if ((unsigned)record->what >= AUDIT_WHAT_COUNT) {
		return -EINVAL;
	}
	rc = write_over(audit, boot_ms);
	if (rc < 0) {
		return rc;
	}
	copy.repeats = 0;
	return audit_repeat_counts(copy.what) ? write_or_count(audit, &copy, boot_ms)
					      : append(audit, &copy, boot_ms);
}

int audit_write_due(struct audit *audit)
{
	int rc = audit->broken ? resume(audit) : 0;

	return rc ? rc : write_over(audit, now_ms(CLOCK_BOOTTIME));
}

uint64_t audit_wait_ms(const struct audit *audit)
{
	return audit_repeat_wait_ms(&audit->repeats, now_ms(CLOCK_BOOTTIME));
}

int audit_open(int folder_fd, const char *name, uint64_t file_max, struct audit **ret_audit)
{
	const struct audit_record opened = {.what = AUDIT_OPENED};
	struct audit *audit;
	int rc;

	if (!audit_file_is_name(name)) {
		return -EINVAL;
	}
	audit = calloc(1, sizeof(*audit));
	if (!audit) {
		return -ENOMEM;
	}
	audit->folder_fd = folder_fd;
	strcpy(audit->name, name);
	audit->file_max = file_max > AUDIT_RECORD_MAX ? file_max : AUDIT_RECORD_MAX;
	audit->fd = -1;
	audit->head_fd = -1;
	rc = resume(audit);
	rc = rc ? rc : audit_write(audit, &opened);
	if (rc < 0) {
		close_files(audit);
		free(audit);
		return rc;
	}
	*ret_audit = audit;
	return 0;
}

void audit_close(struct audit *audit)
{
	const struct audit_record closed = {.what = AUDIT_CLOSED};
	struct audit_record owed;

	if (!audit) {
		return;
	}
	for (unsigned i = 0; i < AUDIT_REPEAT_MAX && !audit->broken; i++) {
		if (audit_repeat_owed(&audit->repeats.item[i], &owed)) {
			(void)!append(audit, &owed, now_ms(CLOCK_BOOTTIME));
		}
	}
	if (!audit->broken) {
		(void)!append(audit, &closed, now_ms(CLOCK_BOOTTIME));
	}
	close_files(audit);
	free(audit);
}
