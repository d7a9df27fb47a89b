/* SPDX-License-Identifier: Apache-2.0 */
/* A log that is written, archived and then damaged as the input says: it verifies, alone and with
 * its archive, if and only if each file is as it was written. The bytes are orders, see obey(). */
#define _GNU_SOURCE
#include "audit_file.h"
#include "bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX   8u
#define RECORDS_MAX 48u
#define FILE_SIZE   8192u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct content {
	uint8_t bytes[FILE_SIZE];
	size_t size;
	bool there;
	struct audit_chain end;
};

static struct content written[FILES_MAX + 1], changed[FILES_MAX + 1], archived[FILES_MAX + 1];
static uint32_t first, last, records;
static struct audit_chain chain;
static int log_fd = -1, archive_fd;
static char path[64] = "/dev/shm/fuzz-audit-log-XXXXXX", to[80];

static int folder(const char *name)
{
	int fd;

	if (mkdir(name, 0700) < 0 && errno != EEXIST) {
		abort();
	}
	fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		abort();
	}
	return fd;
}

static void remove_folders(void)
{
	rmdir(to);
	rmdir(path);
}

static void make_folders(void)
{
	if (!mkdtemp(path)) {
		strcpy(path, "/tmp/fuzz-audit-log-XXXXXX");
		if (!mkdtemp(path)) {
			abort();
		}
	}
	log_fd = folder(path);
	snprintf(to, sizeof(to), "%s/archive", path);
	archive_fd = folder(to);
	atexit(remove_folders);
}

static void append(struct audit_record *record)
{
	struct content *file = &written[last];

	if (records == RECORDS_MAX || file->size + AUDIT_RECORD_MAX > FILE_SIZE) {
		return;
	}
	record->time_ms = 1763769301123 + records++;
	file->size += audit_record_encode(record, &chain, file->bytes + file->size);
	file->end = chain;
}

static void begin_file(void)
{
	if (last < FILES_MAX && written[last].size) {
		written[++last].there = true;
		written[last].end = chain;
	}
}

static void archive_first(void)
{
	struct audit_record record = {.who = "it 0"};
	uint32_t before = records;

	if (first == last) {
		return;
	}
	audit_record_set_archived(&record, &written[first].end);
	append(&record);
	if (records > before) {
		archived[first] = written[first];
		written[first].there = false;
		first++;
	}
}

static void damage(uint8_t how, uint8_t where, uint8_t what)
{
	struct content *file = &changed[first + how / 4 % (last - first + 1)];

	if (!file->size || !file->there) {
		return;
	}
	if (how % 4 == 0) {
		file->bytes[(size_t)where * 37 % file->size] ^= what;
	} else if (how % 4 == 1) {
		file->there = false;
	} else if (how % 4 == 2) {
		file->size -= (size_t)where * 13 % file->size;
	} else if (file > &changed[first]) {
		struct content other = file[-1];

		file[-1] = *file;
		*file = other;
	}
}

/* 0..3: a record with so much text; 4: the next file; 5: the first one is archived; then from 255
 * on damages of three bytes each. */
static void obey(const uint8_t *data, size_t size)
{
	size_t i = 0;

	for (; i < size && data[i] != 255; i++) {
		struct audit_record record = {.what = AUDIT_CHANGED, .subject = "browser"};

		if (data[i] % 6 == 4) {
			begin_file();
		} else if (data[i] % 6 == 5) {
			archive_first();
		} else {
			memset(record.text, 'x', (size_t)data[i] * 2);
			append(&record);
		}
	}
	memcpy(changed, written, sizeof(changed));
	for (i++; i + 2 < size; i += 3) {
		damage(data[i], data[i + 1], data[i + 2]);
	}
}

static void put_file(int fd, uint32_t index, const struct content *content)
{
	char name[AUDIT_FILE_NAME];
	int file_fd;

	audit_file_name("log", index, name);
	file_fd = openat(fd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file_fd < 0 || bytes_write(file_fd, content->bytes, content->size, 0) != 0) {
		abort();
	}
	close(file_fd);
}

static void clean(void)
{
	char name[AUDIT_FILE_NAME];

	for (uint32_t i = 0; i <= FILES_MAX; i++) {
		audit_file_name("log", i, name);
		unlinkat(log_fd, name, 0);
		unlinkat(archive_fd, name, 0);
	}
}

static void write_folders(void)
{
	int fd;

	for (uint32_t i = 1; i <= FILES_MAX; i++) {
		if (changed[i].there) {
			put_file(log_fd, i, &changed[i]);
		}
		if (archived[i].size) {
			put_file(archive_fd, i, &archived[i]);
		}
	}
	if (audit_file_open(log_fd, "log", 0, O_RDWR | O_CREAT, &fd) != 0 ||
	    audit_head_write(fd, &chain) != 0) {
		abort();
	}
	close(fd);
}

static bool is_damaged(void)
{
	for (uint32_t i = first; i <= last; i++) {
		const struct content *a = &written[i], *b = &changed[i];

		/* A last file without a record need not be there. */
		if (a->size &&
		    (!b->there || a->size != b->size || memcmp(a->bytes, b->bytes, a->size) != 0)) {
			return true;
		}
	}
	return false;
}

static void check(unsigned with_count)
{
	struct audit_reading reading = {.folder_fd = log_fd,
					.name = "log",
					.with_fd = {archive_fd},
					.with_count = with_count};
	struct audit_summary summary;
	char why[AUDIT_WHY_SIZE];
	int rc = audit_verify(&reading, &summary, why);

	if (rc != (is_damaged() ? -EBADMSG : 0) ||
	    (rc == 0 && summary.archived + summary.records != records) ||
	    (rc == 0 && with_count && summary.archived)) {
		fprintf(stderr, "%d: %s\n", rc, why);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (log_fd < 0) {
		make_folders();
	}
	memset(written, 0, sizeof(written));
	memset(archived, 0, sizeof(archived));
	chain = (struct audit_chain){.count = 0};
	records = 0;
	first = last = 1;
	written[1].there = true;
	obey(data, size);
	clean();
	write_folders();
	check(0);
	check(1);
	clean();
	return 0;
}
