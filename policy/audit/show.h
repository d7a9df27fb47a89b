/* SPDX-License-Identifier: Apache-2.0 */
/** Which records `bulkhead audit show` prints, and how. */
#ifndef POLICY_AUDIT_SHOW_H
#define POLICY_AUDIT_SHOW_H

#include "audit.h"

struct show {
	int what;			  /* enum audit_what, -1: all */
	const char *who, *subject, *rule; /* NULL: all */
	int64_t since_ms;		  /* INT64_MIN: all */
	uint64_t last;			  /* only the newest so many of these; 0: all */
	bool json;
	/* The newest that fit, when only the last ones are wanted. */
	struct audit_record *ring;
	uint64_t count; /* that fitted */
};

/** Returns 0 or -ENOMEM. */
int show_begin(struct show *show);
/** For audit_verify(); data: struct show. */
void show_visit(const struct audit_record *record, void *data);
void show_end(struct show *show);

#endif
