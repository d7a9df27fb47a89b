/* SPDX-License-Identifier: Apache-2.0 */
/* The pen of a log; see audit_writer.h. */
#define _GNU_SOURCE
#include "audit_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "audit_scan.h"
#include "bytes.h"

#define LOCK_TRIES   1000u /* five seconds: who writes holds the lock for a record and its flush */
#define LOCK_WAIT_US 5000u

static uint64_t now_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t audit_writer_boot_ms(void)
{
	return now_ms(CLOCK_BOOTTIME);
}

/* A head is there before the first record, and lasting. It stays open, so that its owner never lets
 * go of the lock: a process that is forked at that moment would keep it. */
static int open_head(struct audit_writer *writer)
{
	int fd, rc = 0;

	if (writer->head_fd >= 0) {
		return 0;
	}
	rc = audit_file_open(writer->folder_fd, writer->name, 0, O_RDWR | O_CREAT, &fd);
	if (rc < 0) {
		return rc;
	}
	if (writer->owner && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
		close(fd);
		return rc;
	}
	writer->head_fd = fd;
	return 0;
}

static int open_last(struct audit_writer *writer)
{
	int fd, rc = audit_file_first(writer->folder_fd, writer->name, &writer->first);

	if (rc < 0) {
		return rc == -ENOENT ? 0 : rc;
	}
	for (uint32_t i = writer->first; i <= AUDIT_FILE_MAX; i++) {
		rc = audit_file_open(writer->folder_fd, writer->name, i, O_RDWR, &fd);
		if (rc == -ENOENT) {
			return 0;
		}
		if (rc < 0) {
			return rc;
		}
		if (writer->fd >= 0) {
			close(writer->fd);
		}
		writer->fd = fd;
		writer->file = i;
	}
	return -EFBIG;
}

/* The end of the file before the last one: where a last one without a record begins. */
static int scan_before(struct audit_writer *writer, const struct audit_chain *head,
		       struct audit_chain *ret_chain)
{
	const struct audit_chain zero = {.count = 0};
	struct audit_extent extent;
	int fd, rc;

	if (writer->file == writer->first) {
		*ret_chain = zero;
		return 0;
	}
	rc = audit_file_open(writer->folder_fd, writer->name, writer->file - 1, O_RDONLY, &fd);
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

static int cut_torn(struct audit_writer *writer, const struct audit_extent *extent)
{
	if (extent->rest == 0) {
		return 0;
	}
	if (extent->rest > AUDIT_RECORD_MAX) {
		return -EBADMSG;
	}
	if (ftruncate(writer->fd, (off_t)extent->size) < 0 || fdatasync(writer->fd) < 0) {
		return -errno;
	}
	return 0;
}

/* Whatever was read may be in memory alone: left by a writer that was killed, or by a flush that
 * failed, after which only writing again helps. It is made lasting before the head names it. */
static int settle(struct audit_writer *writer, const struct audit_extent *extent,
		  const struct audit_chain *head)
{
	uint8_t bytes[AUDIT_RECORD_MAX];
	uint64_t size = extent->size - extent->last;
	ssize_t got;

	if (extent->end.count > head->count && size <= sizeof(bytes)) {
		got = bytes_read(writer->fd, bytes, (size_t)size, extent->last);
		if (got != (ssize_t)size) {
			return got < 0 ? (int)got : -EIO;
		}
		return audit_file_write(writer->fd, bytes, (size_t)size, extent->last);
	}
	return fdatasync(writer->fd) < 0 ? -errno : 0;
}

/* What the record before this file was is in the archive. */
static bool is_archived_before(const struct audit_writer *writer)
{
	return writer->file == writer->first && writer->first > 1;
}

static int read_last(struct audit_writer *writer, const struct audit_chain *head,
		     uint64_t *ret_torn)
{
	struct audit_chain before = {.count = 0};
	struct audit_extent extent = {.head_met = false};
	int rc;

	if (writer->fd < 0) { /* no record was ever lasting */
		*ret_torn = 0;
		return head->count ? -EBADMSG : 0;
	}
	rc = scan_before(writer, head, &before);
	rc = rc ? rc : audit_scan(writer->fd, &before, head, &extent);
	if (rc < 0) {
		return rc;
	}
	if (!extent.head_met || memcmp(extent.head_hash, head->hash, AUDIT_HASH_SIZE) != 0 ||
	    (!is_archived_before(writer) && memcmp(&extent.begin, &before, sizeof(before)) != 0)) {
		return -EBADMSG;
	}
	rc = cut_torn(writer, &extent);
	rc = rc ? rc : settle(writer, &extent, head);
	if (!rc) {
		writer->chain = extent.end;
		writer->size = extent.size;
		*ret_torn = extent.rest;
	}
	return rc;
}

static void close_last(struct audit_writer *writer)
{
	if (writer->fd >= 0) {
		close(writer->fd);
	}
	writer->fd = -1;
	writer->first = 0;
	writer->file = 0;
	writer->size = 0;
	writer->chain = (struct audit_chain){.count = 0};
}

/* A head that was never written whole belongs to a log without records. */
static int read_head(struct audit_writer *writer, struct audit_chain *ret_head)
{
	int rc = audit_head_read(writer->head_fd, ret_head);

	if (rc == -EBADMSG && writer->fd < 0) {
		*ret_head = (struct audit_chain){.count = 0};
		rc = 0;
	}
	return rc;
}

static int next_file(struct audit_writer *writer)
{
	int fd, rc = writer->file < AUDIT_FILE_MAX ? 0 : -EFBIG;

	rc = rc ? rc
		: audit_file_open(writer->folder_fd, writer->name, writer->file + 1,
				  O_RDWR | O_CREAT | O_EXCL, &fd);
	if (rc < 0) {
		return rc;
	}
	if (fsync(writer->folder_fd) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	if (writer->fd >= 0) {
		close(writer->fd);
	}
	writer->fd = fd;
	writer->file++;
	writer->first = writer->first ? writer->first : writer->file;
	writer->size = 0;
	return 0;
}

int audit_writer_append(struct audit_writer *writer, const struct audit_record *record)
{
	struct audit_record copy = *record;
	struct audit_chain chain = writer->chain;
	uint8_t bytes[AUDIT_RECORD_MAX];
	size_t size;
	int rc = 0;

	copy.time_ms = (int64_t)now_ms(CLOCK_REALTIME);
	copy.boot_ms = audit_writer_boot_ms();
	size = audit_record_encode(&copy, &chain, bytes);
	if (writer->fd < 0 || (writer->size && writer->size + size > writer->file_max)) {
		rc = next_file(writer);
	}
	if (!rc) {
		rc = audit_file_write(writer->fd, bytes, size, writer->size);
		if (rc < 0) { /* the head does not know of it: it may go */
			(void)!ftruncate(writer->fd, (off_t)writer->size);
		}
	}
	rc = rc ? rc : audit_head_write(writer->head_fd, &chain);
	if (rc < 0) {
		writer->broken = true;
		return rc;
	}
	writer->chain = chain;
	writer->size += size;
	return 0;
}

static int resume(struct audit_writer *writer)
{
	struct audit_record repaired = {.what = AUDIT_REPAIRED, .who = "bulkheadd"};
	struct audit_chain head = {.count = 0};
	uint64_t torn = 0;
	int rc;

	writer->broken = true;
	close_last(writer);
	rc = open_head(writer);
	rc = rc ? rc : open_last(writer);
	rc = rc ? rc : read_head(writer, &head);
	rc = rc ? rc : read_last(writer, &head, &torn);
	if (rc < 0) {
		return rc;
	}
	rc = fsync(writer->folder_fd) < 0 ? -errno : 0;
	rc = rc ? rc : audit_head_write(writer->head_fd, &writer->chain);
	if (rc < 0) {
		return rc;
	}
	writer->broken = false;
	if (torn) {
		snprintf(repaired.text, sizeof(repaired.text),
			 "%" PRIu64 " bytes of a torn record were cut off", torn);
		return audit_writer_append(writer, &repaired);
	}
	return 0;
}

void audit_writer_init(struct audit_writer *writer, int folder_fd, const char *name,
		       uint64_t file_max, bool owner)
{
	*writer = (struct audit_writer){.folder_fd = folder_fd,
					.file_max = file_max,
					.owner = owner,
					.head_fd = -1,
					.fd = -1,
					.broken = true};
	strcpy(writer->name, name);
}

void audit_writer_fini(struct audit_writer *writer)
{
	close_last(writer);
	if (writer->head_fd >= 0) {
		close(writer->head_fd);
	}
	writer->head_fd = -1;
}

/* Whoever else wrote, if only a part of a record, made the last file longer: only its owner begins
 * a file. One that was removed is found to be missing. */
static bool is_current(const struct audit_writer *writer)
{
	struct stat st;

	return writer->fd >= 0 && fstat(writer->fd, &st) == 0 && st.st_nlink > 0 &&
	       (uint64_t)st.st_size == writer->size;
}

static int lock_folder(int folder_fd)
{
	for (unsigned i = 0; flock(folder_fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return -errno;
		}
		if (i == LOCK_TRIES) {
			return -EBUSY;
		}
		usleep(LOCK_WAIT_US);
	}
	return 0;
}

int audit_writer_begin(struct audit_writer *writer)
{
	int rc = lock_folder(writer->folder_fd);

	if (rc < 0) {
		return rc;
	}
	if (writer->broken || !is_current(writer)) {
		rc = resume(writer);
	}
	if (rc < 0) {
		audit_writer_end(writer);
	}
	return rc;
}

void audit_writer_end(struct audit_writer *writer)
{
	(void)!flock(writer->folder_fd, LOCK_UN);
}
