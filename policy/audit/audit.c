/* SPDX-License-Identifier: Apache-2.0 */
/* The log as its owner sees it: what is written at once, what is counted first. */
#define _GNU_SOURCE
#include "audit_repeat.h"
#include "audit_writer.h"

#include <errno.h>
#include <stdlib.h>

struct audit {
	struct audit_writer writer;
	struct audit_repeats repeats;
};

/* What was counted in windows that are over. What cannot be written is still owed. */
static int write_over(struct audit *audit, uint64_t boot_ms)
{
	struct audit_repeat *item;
	struct audit_record owed;
	int rc = 0;

	while (!rc && (item = audit_repeat_over(&audit->repeats, boot_ms))) {
		if (audit_repeat_owed(item, &owed)) {
			rc = audit_writer_append(&audit->writer, &owed);
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
		rc = audit_writer_append(&audit->writer, &owed);
	}
	item->used = rc < 0;
	rc = rc ? rc : audit_writer_append(&audit->writer, record);
	if (!rc) {
		*item = (struct audit_repeat){.record = *record, .since_ms = boot_ms, .used = true};
	}
	return rc;
}

int audit_write(struct audit *audit, const struct audit_record *record)
{
	struct audit_record copy = *record;
	uint64_t boot_ms = audit_writer_boot_ms();
	int rc;

	if ((unsigned)record->what >= AUDIT_WHAT_COUNT || record->what == AUDIT_ARCHIVED) {
		return -EINVAL;
	}
	rc = audit_writer_begin(&audit->writer);
	if (rc < 0) {
		return rc;
	}
	copy.repeats = 0;
	rc = write_over(audit, boot_ms);
	if (!rc) {
		rc = audit_repeat_counts(copy.what) ? write_or_count(audit, &copy, boot_ms)
						    : audit_writer_append(&audit->writer, &copy);
	}
	audit_writer_end(&audit->writer);
	return rc;
}

int audit_write_due(struct audit *audit)
{
	int rc = audit_writer_begin(&audit->writer);

	if (!rc) {
		rc = write_over(audit, audit_writer_boot_ms());
		audit_writer_end(&audit->writer);
	}
	return rc;
}

uint64_t audit_wait_ms(const struct audit *audit)
{
	return audit_repeat_wait_ms(&audit->repeats, audit_writer_boot_ms());
}

/* A log whose beginning is not there must say itself that it was archived. */
static int check_begin(const struct audit *audit)
{
	const struct audit_reading reading = {.folder_fd = audit->writer.folder_fd,
					      .name = audit->writer.name};
	char why[AUDIT_WHY_SIZE];

	return audit->writer.first > 1 ? audit_verify(&reading, NULL, why) : 0;
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
	audit_writer_init(&audit->writer, folder_fd, name,
			  file_max > AUDIT_RECORD_MAX ? file_max : AUDIT_RECORD_MAX, true);
	rc = audit_writer_begin(&audit->writer);
	if (!rc) {
		rc = check_begin(audit);
		rc = rc ? rc : audit_writer_append(&audit->writer, &opened);
		audit_writer_end(&audit->writer);
	}
	if (rc < 0) {
		audit_writer_fini(&audit->writer);
		free(audit);
		return rc;
	}
	*ret_audit = audit;
	return 0;
}

static void write_rest(struct audit *audit)
{
	const struct audit_record closed = {.what = AUDIT_CLOSED};
	struct audit_record owed;
	int rc = 0;

	for (unsigned i = 0; i < AUDIT_REPEAT_MAX && !rc; i++) {
		if (audit_repeat_owed(&audit->repeats.item[i], &owed)) {
			rc = audit_writer_append(&audit->writer, &owed);
		}
	}
	if (!rc) {
		(void)!audit_writer_append(&audit->writer, &closed);
	}
}

void audit_close(struct audit *audit)
{
	if (!audit) {
		return;
	}
	if (audit_writer_begin(&audit->writer) == 0) {
		write_rest(audit);
		audit_writer_end(&audit->writer);
	}
	audit_writer_fini(&audit->writer);
	free(audit);
}
