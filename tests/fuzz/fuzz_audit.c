/* SPDX-License-Identifier: Apache-2.0 */
/* A file of an audit log, and its head, of any content: each record that is taken would be written
 * the same, and its line holds printable ASCII only; a date that is taken is printed the same. */
#define _GNU_SOURCE
#include "audit_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const struct audit_record *record)
{
	static char line[8192];
	FILE *out = fmemopen(line, sizeof(line), "w");
	size_t i = 0;

	audit_print(record, out);
	fclose(out);
	for (; line[i] >= ' ' && line[i] <= '~'; i++) {
	}
	if (line[i] != '\n' || line[i + 1]) {
		abort();
	}
}

/* What it says is archived is said in one way only. */
static void check_archived(const struct audit_record *record)
{
	struct audit_record again = *record;
	struct audit_chain chain;

	if (audit_record_get_archived(record, &chain)) {
		audit_record_set_archived(&again, &chain);
		if (chain.count == 0 || strcmp(again.object, record->object) != 0) {
			abort();
		}
	}
}

/* The same bytes as words of a record that no hash protects, and as a date. */
static void check_words(const uint8_t *data, size_t size)
{
	struct audit_record record = {.what = AUDIT_ARCHIVED};
	char printed[512] = "";
	int64_t ms, again;
	FILE *out;

	size = size < sizeof(record.object) ? size : sizeof(record.object) - 1;
	memcpy(record.object, data, size);
	check_archived(&record);
	if (audit_parse_time(record.object, &record.time_ms) != 0) {
		return;
	}
	ms = record.time_ms;
	out = fmemopen(printed, sizeof(printed), "w");
	audit_print(&record, out);
	fclose(out);
	*strchrnul(printed, ' ') = '\0';
	if (audit_parse_time(printed, &again) != 0 || again != ms) {
		abort();
	}
}

static void check_records(const uint8_t *data, size_t size)
{
	uint8_t again[AUDIT_RECORD_MAX], hash[AUDIT_HASH_SIZE];
	struct audit_record record;
	struct audit_chain chain;
	int used;

	while ((used = audit_record_decode(data, size, &record, &chain, hash)) > 0) {
		if ((size_t)used > size ||
		    audit_record_encode(&record, &chain, again) != (size_t)used ||
		    memcmp(again, data, (size_t)used) != 0 ||
		    memcmp(chain.hash, hash, sizeof(hash)) != 0) {
			abort();
		}
		check_line(&record);
		check_archived(&record);
		data += used;
		size -= (size_t)used;
	}
}

/* The same bytes through the file functions: as a file and as a head. */
static void check_file(const uint8_t *data, size_t size)
{
	static struct audit_reader reader;
	struct audit_chain chain = {.count = 0};
	struct audit_record record;
	const char *why;
	static int fd = -1;
	uint64_t rest;

	if (fd < 0) {
		fd = memfd_create("log", MFD_CLOEXEC);
	}
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
		abort();
	}
	audit_reader_init(&reader, fd);
	while (audit_reader_next(&reader, &chain, &record, &why) == 1) {
	}
	if (audit_reader_rest(&reader, &rest) < 0 || reader.offset + rest != size) {
		abort();
	}
	(void)!audit_head_read(fd, &chain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_records(data, size);
	check_words(data, size);
	check_file(data, size);
	return 0;
}
