/* SPDX-License-Identifier: Apache-2.0 */
/** The parts of the judge's driver: what it reads, and what it asks the tables. */
#ifndef POLICY_JUDGE_H
#define POLICY_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JUDGE_PORTS_MAX	    256u
#define JUDGE_ADDRESSES_MAX 256u

struct table;

/** One policy and what is to be asked about it. */
struct judge_case {
	char id[32];
	struct {
		char name[16];
		char *text;
		size_t size;
	} layer[3];
	uint32_t layer_count;
	uint16_t port[JUDGE_PORTS_MAX];
	uint32_t port_count;
	uint8_t address[JUDGE_ADDRESSES_MAX][16];
	uint32_t address_count;
	uint32_t kinds; /* bits */
};

/** Reads the next case, false at the end; ends the program on input that is no case. */
bool judge_read(FILE *in, struct judge_case *ret_case);
void judge_free(struct judge_case *c);

/** Properties of partitions as daemons and root mode would read them. */
void judge_print_parts(const struct table *table);
/** No table is there that root mode could have been started with. */
void judge_forget(void);
/** What root mode's own code makes of the table and of each question to its gate; and
 * whether a machine that runs with the table of the policy before takes it. */
void judge_gate(const void *bytes, size_t size);

#endif
