/* SPDX-License-Identifier: Apache-2.0 */
/** What a file of a log holds, as a writer wants to know before it goes on. */
#ifndef POLICY_AUDIT_SCAN_H
#define POLICY_AUDIT_SCAN_H

#include "audit_file.h"

struct audit_extent {
	struct audit_chain begin, end;	    /* equal: no record */
	uint64_t size, rest;		    /* bytes of records, and of what is none behind them */
	uint64_t last;			    /* where the last record begins */
	bool head_met;			    /* the record that the head names ends or begins here */
	uint8_t head_hash[AUDIT_HASH_SIZE]; /* of that record, as it is in the file */
};

/** 1: the file begins with a record, that continues *ret_begin; 0: it does not. Or -errno. */
int audit_scan_begin(int fd, struct audit_chain *ret_begin);
/** begin: where a file without a record would begin. Returns 0 or -errno. */
int audit_scan(int fd, const struct audit_chain *begin, const struct audit_chain *head,
	       struct audit_extent *ret_extent);

#endif
