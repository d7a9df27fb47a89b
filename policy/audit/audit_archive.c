/* SPDX-License-Identifier: Apache-2.0 */
/* Old files of a log are moved to an archive, one at a time and the oldest first, so that at every
 * moment the log begins where one of its own records says. A file is lasting in the archive before
 * that record is written, and the record before the file is removed.
 *
 *  The owner of the log need not know: it finds records that it did not write, as after a power
 * cut.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_scan.h"
#include "audit_writer.h"
#include "bytes.h"

#define COPY_SIZE 65536u

struct job {
	int folder_fd;
	const char *name;
	const struct audit_archive *archive;
	uint32_t file;		   /* that is moved now */
	struct audit_chain behind; /* its end */
	char file_name[AUDIT_FILE_NAME];
	char *why;
};

static int fail(struct job *job, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(struct job *job, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(job->why, AUDIT_WHY_SIZE, format, args);
	va_end(args);
	return code;
}

static int check_folders(struct job *job)
{
	struct stat from, to;

	if (fstat(job->folder_fd, &from) < 0 || fstat(job->archive->to_fd, &to) < 0) {
		return -errno;
	}
	if (from.st_dev == to.st_dev && from.st_ino == to.st_ino) {
		return fail(job, -EINVAL, "the archive must be another folder than the log's");
	}
	return 0;
}

/* Two runs may archive one log, but not to one folder. Not every file system has locks. */
static int lock_archive(struct job *job)
{
	if (flock(job->archive->to_fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		return fail(job, -EBUSY, "somebody else archives to that folder now");
	}
	return 0;
}

static int copy_bytes(int from_fd, int to_fd)
{
	uint8_t *bytes = malloc(COPY_SIZE);
	uint64_t offset = 0;
	ssize_t got = 0;
	int rc = bytes ? 0 : -ENOMEM;

	while (!rc && (got = bytes_read(from_fd, bytes, COPY_SIZE, offset)) != 0) {
		rc = got < 0 ? (int)got : bytes_write(to_fd, bytes, (size_t)got, offset);
		offset += rc ? 0 : (uint64_t)got;
	}
	free(bytes);
	return rc;
}

/* What is read back comes from the disk, where the kernel can be asked for that. */
static int compare_lasting(int from_fd, int to_fd)
{
	if (fsync(to_fd) < 0) {
		return -errno;
	}
	(void)posix_fadvise(to_fd, 0, 0, POSIX_FADV_DONTNEED);
	return audit_file_compare(from_fd, to_fd);
}

static int copy_new(struct job *job, int from_fd)
{
	char part[AUDIT_FILE_NAME + 8];
	int to_fd = job->archive->to_fd;
	int fd, rc;

	snprintf(part, sizeof(part), "%s.part", job->file_name);
	fd = openat(to_fd, part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd < 0) {
		return -errno;
	}
	rc = ftruncate(fd, 0) < 0 ? -errno : 0;
	rc = rc ? rc : copy_bytes(from_fd, fd);
	rc = rc ? rc : compare_lasting(from_fd, fd);
	close(fd);
	if (!rc && renameat(to_fd, part, to_fd, job->file_name) < 0) {
		rc = -errno;
	}
	return rc == -EBADMSG ? fail(job, -EIO, "%s reads back as something else than was written",
				     job->file_name)
			      : rc;
}

/* A copy of earlier, when the power failed before the file was removed, is taken if it is one. */
static int copy_file(struct job *job, int from_fd)
{
	int fd, rc = audit_file_open(job->archive->to_fd, job->name, job->file, O_RDWR, &fd);

	if (rc == -ENOENT) {
		rc = copy_new(job, from_fd);
	} else if (!rc) {
		rc = compare_lasting(from_fd, fd);
		close(fd);
		if (rc == -EBADMSG) {
			return fail(job, -EEXIST,
				    "%s is in the archive and is another file: take another folder",
				    job->file_name);
		}
	}
	if (!rc && fsync(job->archive->to_fd) < 0) {
		rc = -errno;
	}
	return rc;
}

/* Where the file ends, and the newest time in it. */
static int read_file(struct job *job, int fd, int64_t *ret_newest_ms)
{
	struct audit_reader *reader = malloc(sizeof(*reader));
	struct audit_record record;
	int64_t newest = INT64_MIN;
	const char *reason;
	int rc;

	if (!reader) {
		return -ENOMEM;
	}
	rc = audit_scan_begin(fd, &job->behind);
	audit_reader_init(reader, fd);
	while (rc >= 0 && (rc = audit_reader_next(reader, &job->behind, &record, &reason)) == 1) {
		newest = record.time_ms > newest ? record.time_ms : newest;
	}
	free(reader);
	if (!rc) {
		*ret_newest_ms = newest;
	}
	return rc;
}

/* What is in the archive now is what the log's next file continues, whatever was copied. */
static int check_copy(struct job *job)
{
	const struct audit_chain behind = job->behind;
	int64_t newest_ms;
	int fd, rc = audit_file_open(job->archive->to_fd, job->name, job->file, O_RDONLY, &fd);

	if (rc < 0) {
		return rc;
	}
	rc = read_file(job, fd, &newest_ms);
	close(fd);
	if (rc == -EBADMSG || (!rc && memcmp(&behind, &job->behind, sizeof(behind)) != 0)) {
		return fail(job, -EBADMSG, "%s was edited while it was copied", job->file_name);
	}
	return rc;
}

/* Whoever writes now or wrote in between: the file is still the first one, and is not the last. */
static int check_first(struct job *job, const struct audit_writer *writer)
{
	struct audit_chain next;
	int fd, rc;

	if (writer->first != job->file || writer->file == job->file) {
		return -EAGAIN;
	}
	rc = audit_file_open(job->folder_fd, job->name, job->file + 1, O_RDONLY, &fd);
	if (rc < 0) {
		return rc;
	}
	rc = audit_scan_begin(fd, &next);
	close(fd);
	if (rc == 0) {
		next = writer->chain;
	}
	if (rc >= 0 && memcmp(&next, &job->behind, sizeof(next)) != 0) {
		return fail(job, -EBADMSG, "%s.%06u does not go on where %s ends", job->name,
			    job->file + 1, job->file_name);
	}
	return rc < 0 ? rc : 0;
}

static int remove_file(struct job *job, struct audit_writer *writer)
{
	struct audit_record record = {.what = AUDIT_ARCHIVED};
	int rc;

	snprintf(record.who, sizeof(record.who), "%s", job->archive->who);
	snprintf(record.subject, sizeof(record.subject), "%s", job->file_name);
	snprintf(record.text, sizeof(record.text), "%s", job->archive->to_name);
	audit_record_set_archived(&record, &job->behind);
	rc = audit_writer_append(writer, &record);
	if (!rc && unlinkat(job->folder_fd, job->file_name, 0) < 0) {
		rc = -errno;
	}
	if (!rc && fsync(job->folder_fd) < 0) {
		rc = -errno;
	}
	return rc;
}

/* The record goes into the last file whatever its size: none is closed by what closes others. */
static int remove_copied(struct job *job)
{
	struct audit_writer writer;
	int rc;

	audit_writer_init(&writer, job->folder_fd, job->name, UINT64_MAX, false);
	rc = audit_writer_begin(&writer);
	if (!rc) {
		rc = check_first(job, &writer);
		rc = rc ? rc : remove_file(job, &writer);
		audit_writer_end(&writer);
	}
	audit_writer_fini(&writer);
	return rc;
}

static int has_more(const struct job *job, uint32_t files)
{
	int fd, rc = audit_file_open(job->folder_fd, job->name, job->file + files, O_RDONLY, &fd);

	if (!rc) {
		close(fd);
	}
	return rc == -ENOENT ? 0 : rc < 0 ? rc : 1;
}

/* 1: the first file was moved; 0: it stays. */
static int move_first(struct job *job)
{
	uint32_t keep = job->archive->keep ? job->archive->keep : 1;
	int64_t newest_ms;
	int fd, rc = audit_file_first(job->folder_fd, job->name, &job->file);

	rc = rc ? rc : has_more(job, keep);
	if (rc <= 0) {
		return rc;
	}
	audit_file_name(job->name, job->file, job->file_name);
	rc = audit_file_open(job->folder_fd, job->name, job->file, O_RDONLY, &fd);
	if (rc < 0) {
		return rc == -ENOENT ? -EAGAIN : rc; /* another run was faster */
	}
	rc = read_file(job, fd, &newest_ms);
	if (!rc && newest_ms >= job->archive->before_ms) {
		close(fd);
		return 0;
	}
	rc = rc ? rc : copy_file(job, fd);
	close(fd);
	rc = rc ? rc : check_copy(job);
	rc = rc ? rc : remove_copied(job);
	return rc ? rc : 1;
}

static int move_files(struct job *job, struct audit_archived *archived)
{
	int rc;

	while ((rc = move_first(job)) > 0 || rc == -EAGAIN) {
		if (rc > 0) {
			archived->files++;
			archived->records = job->behind.count;
			audit_record_hex(job->behind.hash, archived->hash);
		}
	}
	return rc;
}

int audit_archive(int folder_fd, const char *name, const struct audit_archive *archive,
		  struct audit_archived *ret_archived, char why[AUDIT_WHY_SIZE])
{
	const struct audit_reading reading = {.folder_fd = folder_fd, .name = name};
	struct job job = {.folder_fd = folder_fd, .name = name, .archive = archive, .why = why};
	struct audit_archived archived = {.files = 0};
	struct audit_summary summary;
	int rc = audit_verify(&reading, &summary, why);

	if (rc < 0) {
		return rc;
	}
	archived.records = summary.archived;
	memcpy(archived.hash, summary.archived_hash, sizeof(archived.hash));
	rc = check_folders(&job);
	rc = rc ? rc : lock_archive(&job);
	if (!rc) {
		rc = move_files(&job, &archived);
		(void)!flock(archive->to_fd, LOCK_UN);
	}
	if (rc < 0) {
		return why[0] ? rc
			      : fail(&job, rc, "%s: %s", job.file_name[0] ? job.file_name : name,
				     strerror(-rc));
	}
	*ret_archived = archived;
	return 0;
}
