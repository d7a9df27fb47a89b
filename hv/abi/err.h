/* SPDX-License-Identifier: Apache-2.0 */
/** Error codes of root mode and of the hypercalls; returned negated. */
#ifndef BH_ABI_ERR_H
#define BH_ABI_ERR_H

enum bh_err {
	BH_OK = 0,
	BH_INVAL = 1,    /* an argument has no meaning */
	BH_DENIED = 2,   /* the policy says no */
	BH_NOMEM = 3,    /* no frames left, nothing changed */
	BH_NOENT = 4,    /* no such partition, vcpu or module */
	BH_STATE = 5,    /* not in this state of the partition */
	BH_RANGE = 6,    /* address or size outside what the partition has */
	BH_EXISTS = 7,   /* already there */
	BH_NOSYS = 8,    /* no such hypercall */
	BH_NOSUPP = 9,   /* the CPU or the platform lacks it */
	BH_CORRUPT = 10, /* a table or module fails its own check */
};

#endif
