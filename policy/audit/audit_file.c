/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a log; see audit_file.h. */
#define _GNU_SOURCE
#include "audit_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"

bool audit_file_is_name(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return size > 0 && size <= AUDIT_NAME_MAX && !name[size] && name[0] != '-';
}

void audit_file_name(const char *name, uint32_t index, char ret_name[AUDIT_FILE_NAME])
{
	if (index) {
		snprintf(ret_name, AUDIT_FILE_NAME, "%.32s.%06u", name, index);
	} else {
		snprintf(ret_name, AUDIT_FILE_NAME, "%.32s.head", name);
	}
}

int audit_file_open(int folder_fd, const char *name, uint32_t index, int flags, int *ret_fd)
{
	char file[AUDIT_FILE_NAME];
	struct stat st;
	int fd, rc;

	audit_file_name(name, index, file);
	fd = openat(folder_fd, file, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0640);
	if (fd < 0) {
		return -errno;
	}
	rc = fstat(fd, &st) < 0 ? -errno : 0;
	if (!rc && !S_ISREG(st.st_mode)) {
		rc = -EINVAL;
	}
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

/* 0: not the name of a file of this log. */
static uint32_t index_of(const char *name, const char *file)
{
	char again[AUDIT_FILE_NAME];
	const char *dot = strrchr(file, '.');
	unsigned long index = dot ? strtoul(dot + 1, NULL, 10) : 0;

	if (index == 0 || index > AUDIT_FILE_MAX) {
		return 0;
	}
	audit_file_name(name, (uint32_t)index, again);
	return strcmp(file, again) == 0 ? (uint32_t)index : 0;
}

int audit_file_first(int folder_fd, const char *name, uint32_t *ret_index)
{
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	uint32_t first = 0;
	struct dirent *entry;
	int rc = dir ? 0 : -errno;

	if (!dir) {
		if (fd >= 0) {
			close(fd);
		}
		return rc;
	}
	while ((errno = 0, entry = readdir(dir))) {
		uint32_t index = index_of(name, entry->d_name);

		first = index && (!first || index < first) ? index : first;
	}
	rc = errno ? -errno : first ? 0 : -ENOENT;
	closedir(dir);
	if (!rc) {
		*ret_index = first;
	}
	return rc;
}

int audit_file_write(int fd, const void *bytes, size_t size, uint64_t offset)
{
	int rc = bytes_write(fd, bytes, size, offset);

	return rc ? rc : fdatasync(fd) < 0 ? -errno : 0;
}

void audit_reader_again(struct audit_reader *reader)
{
	reader->at = 0;
	reader->filled = 0;
}

int audit_file_compare(int fd, int other_fd)
{
	uint8_t bytes[4096], other[4096];
	uint64_t offset = 0;
	ssize_t got, got_other;

	do {
		got = bytes_read(fd, bytes, sizeof(bytes), offset);
		got_other = bytes_read(other_fd, other, sizeof(other), offset);
		if (got < 0 || got_other < 0) {
			return (int)(got < 0 ? got : got_other);
		}
		if (got != got_other || memcmp(bytes, other, (size_t)got) != 0) {
			return -EBADMSG;
		}
		offset += (uint64_t)got;
	} while (got > 0);
	return 0;
}

void audit_reader_init(struct audit_reader *reader, int fd)
{
	reader->fd = fd;
	reader->offset = 0;
	reader->at = 0;
	reader->filled = 0;
}

static int fill(struct audit_reader *reader)
{
	size_t kept = reader->filled - reader->at;
	ssize_t got;

	memmove(reader->bytes, reader->bytes + reader->at, kept);
	reader->at = 0;
	reader->filled = kept;
	got = bytes_read(reader->fd, reader->bytes + kept, sizeof(reader->bytes) - kept,
			 reader->offset + kept);
	if (got < 0) {
		return (int)got;
	}
	reader->filled += (size_t)got;
	return 0;
}

static int check_chain(const struct audit_chain *chain, const struct audit_chain *before,
		       const char **ret_why)
{
	if (before->count != chain->count) {
		*ret_why = "another record stood here";
		return -EBADMSG;
	}
	if (memcmp(before->hash, chain->hash, AUDIT_HASH_SIZE) != 0) {
		*ret_why = "the record before it is another than was written";
		return -EBADMSG;
	}
	return 0;
}

int audit_reader_next(struct audit_reader *reader, struct audit_chain *chain,
		      struct audit_record *ret_record, const char **ret_why)
{
	uint8_t hash[AUDIT_HASH_SIZE];
	struct audit_chain before;
	int rc = 0, size;

	if (reader->filled - reader->at < AUDIT_RECORD_MAX) {
		rc = fill(reader);
	}
	if (rc < 0 || reader->at == reader->filled) {
		return rc;
	}
	size = audit_record_decode(reader->bytes + reader->at, reader->filled - reader->at,
				   ret_record, &before, hash);
	if (size <= 0) {
		*ret_why = size ? "the record was edited or damaged" : "the record is cut off";
		return -EBADMSG;
	}
	if (chain) {
		rc = check_chain(chain, &before, ret_why);
		if (rc < 0) {
			return rc;
		}
		chain->count++;
		memcpy(chain->hash, hash, sizeof(hash));
	}
	reader->at += (size_t)size;
	reader->offset += (size_t)size;
	return 1;
}

int audit_reader_rest(const struct audit_reader *reader, uint64_t *ret_rest)
{
	struct stat st;

	if (fstat(reader->fd, &st) < 0) {
		return -errno;
	}
	*ret_rest =
		(uint64_t)st.st_size > reader->offset ? (uint64_t)st.st_size - reader->offset : 0;
	return 0;
}
