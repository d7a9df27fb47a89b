/* SPDX-License-Identifier: Apache-2.0 */
/** Records of decisions. */
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loop.h"
#include "say.h"

#define LOG_NAME  "audit"
#define LOG_OTHER "audit-new" /* when the first one was cut or edited */
#define FILE_MAX  (4u << 20)
#define AGAIN_MS  10000u

static struct audit *audit;
static struct loop_timer timer; /* until what was only counted is written */

static void write_due(void *data)
{
	int ret = audit_write_due(audit);
	uint64_t wait = audit_wait_ms(audit);

	(void)data;
	if (ret) {
		say("not in the audit log: how often equal decisions were taken: %s",
		    strerror(-ret));
	}
	if (wait != UINT64_MAX) {
		loop_timer_set(&timer, ret ? AGAIN_MS : wait + 1);
	}
}

int record_open(int folder_fd)
{
	int ret = audit_open(folder_fd, LOG_NAME, FILE_MAX, &audit);

	if (ret == -EBADMSG) {
		say("the audit log was cut or edited: see bulkhead audit verify; a new one begins");
		ret = audit_open(folder_fd, LOG_OTHER, FILE_MAX, &audit);
	}
	if (ret) {
		audit = NULL;
		say("no audit log: %s", strerror(-ret));
	}
	return ret;
}

void record_close(void)
{
	loop_timer_stop(&timer);
	audit_close(audit);
	audit = NULL;
}

static void put(char *field, size_t size, const char *text)
{
	snprintf(field, size, "%s", text ? text : "");
}

int record_write(enum audit_what what, const char *who, const char *subject, const char *object,
		 const char *rule, const char *text)
{
	struct audit_record record = {.what = what};
	const char *word = audit_what_word(what);
	uint64_t wait = UINT64_MAX;
	int ret = -ENOENT;

	put(record.who, sizeof(record.who), who);
	put(record.subject, sizeof(record.subject), subject);
	put(record.object, sizeof(record.object), object);
	put(record.rule, sizeof(record.rule), rule);
	put(record.text, sizeof(record.text), text);
	if (audit) {
		ret = audit_write(audit, &record);
		wait = audit_wait_ms(audit);
	}
	if (wait != UINT64_MAX && !timer.due_us) {
		timer.fire = write_due;
		loop_timer_set(&timer, wait + 1);
	}
	if (ret) {
		say("not in the audit log: %s by %s: %s %s %s %s", word ? word : "?", record.who,
		    record.subject, record.object, record.rule, record.text);
	}
	return ret;
}
