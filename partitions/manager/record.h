/* SPDX-License-Identifier: Apache-2.0 */
/** The daemon's pen for the audit log: without a log, or with one that cannot be written, decisions
 * go to the daemon's own log, and are said to be missing in the other one. */
#ifndef MANAGER_RECORD_H
#define MANAGER_RECORD_H

#include "policy/audit/audit.h"

#define RECORD_RESERVE (16u << 20) /* bytes: four files of the log */

/** folder_fd is borrowed and must stay open. Returns 0 or -errno after saying why. */
int record_open(int folder_fd);
void record_close(void);
/** NULL stands for an empty field. Returns 0, or -errno: it is not on the disk. */
int record_write(enum audit_what what, const char *who, const char *subject, const char *object,
		 const char *rule, const char *text);

struct record_room {
	uint64_t free; /* bytes for the log, where the file system says */
	bool low;      /* less than RECORD_RESERVE */
	int error;     /* of the newest record, -errno; 0: it is on the disk */
};

/** Also says it in the daemon's log when room gets low, or is there again. */
void record_look(struct record_room *ret_room);

#endif
