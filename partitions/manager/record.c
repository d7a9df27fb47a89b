/* SPDX-License-Identifier: Apache-2.0 */
/** Records of decisions. */
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "loop.h"
#include "say.h"

#define LOG_NAME  "audit"
#define LOG_OTHER "audit-new" /* when the first one was cut or edited */
#define FILE_MAX  (4u << 20)
#define AGAIN_MS  10000u

static struct audit *audit;
static int folder_fd;
static int last_error; /* of the newest record, -errno */
static bool was_low;
static struct loop_timer timer; /* until what was only counted is written */

static void write_due(void *data)
{
	int ret = audit ? audit_write_due(audit) : 0;
	uint64_t wait = audit ? audit_wait_ms(audit) : UINT64_MAX;

	(void)data;
	if (ret) {
		say("not in the audit log: how often equal decisions were taken: %s",
		    strerror(-ret));
	}
	if (wait != UINT64_MAX) {
		loop_timer_set(&timer, ret ? AGAIN_MS : wait + 1);
	}
}

/* Some file systems, those of memory that have no limit, do not say. */
static bool find_free(uint64_t *ret_free)
{
	struct statvfs st;

	if (!audit || fstatvfs(folder_fd, &st) < 0 || st.f_blocks == 0) {
		return false;
	}
	*ret_free = (uint64_t)st.f_bavail * st.f_frsize;
	return true;
}

void record_look(struct record_room *ret_room)
{
	struct record_room room = {.error = audit ? last_error : -ENOENT};

	room.low = find_free(&room.free) && room.free < RECORD_RESERVE;
	if (room.low != was_low) {
		was_low = room.low;
		say(room.low ? "the audit log has less than %u MiB left: what cannot be recorded "
			       "is refused; make room, or bulkhead audit archive"
			     : "the audit log has %u MiB again",
		    RECORD_RESERVE >> 20);
	}
	*ret_room = room;
}

static int begin_anew(void)
{
	say("the audit log was cut or edited: see bulkhead audit verify; a new one begins");
	return audit_open(folder_fd, LOG_OTHER, FILE_MAX, &audit);
}

int record_open(int fd)
{
	struct record_room room;
	int ret;

	folder_fd = fd;
	was_low = false;
	ret = audit_open(folder_fd, LOG_NAME, FILE_MAX, &audit);
	if (ret == -EBADMSG) {
		ret = begin_anew();
	}
	if (ret) {
		audit = NULL;
		say("no audit log: %s", strerror(-ret));
	}
	last_error = ret;
	record_look(&room);
	return ret;
}

/* What is found when somebody else wrote is judged as at a start. */
static int write_record(const struct audit_record *record)
{
	int ret = audit ? audit_write(audit, record) : -ENOENT;

	if (ret == -EBADMSG) {
		audit_close(audit);
		audit = NULL;
		ret = begin_anew();
		ret = ret ? ret : audit_write(audit, record);
	}
	last_error = ret;
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
	struct record_room room;
	uint64_t wait;
	int ret;

	put(record.who, sizeof(record.who), who);
	put(record.subject, sizeof(record.subject), subject);
	put(record.object, sizeof(record.object), object);
	put(record.rule, sizeof(record.rule), rule);
	put(record.text, sizeof(record.text), text);
	ret = write_record(&record);
	wait = audit ? audit_wait_ms(audit) : UINT64_MAX;
	if (wait != UINT64_MAX && !timer.due_us) {
		timer.fire = write_due;
		loop_timer_set(&timer, wait + 1);
	}
	if (ret) {
		say("not in the audit log: %s by %s: %s %s %s %s", word ? word : "?", record.who,
		    record.subject, record.object, record.rule, record.text);
	}
	record_look(&room);
	return ret;
}
