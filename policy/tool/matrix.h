/* SPDX-License-Identifier: Apache-2.0 */
/** Who reaches whom: for each pair of nodes the flows between them, and where data gets to over
 * others. Printed as text, CSV, JSON and as a picture. */
#ifndef POLICY_MATRIX_H
#define POLICY_MATRIX_H

#include <json-c/json.h>
#include <stdio.h>

#include "closure.h"
#include "compile.h"

enum matrix_way { MATRIX_NONE, MATRIX_OVER, MATRIX_OWNS, MATRIX_DISK, MATRIX_BACK };

struct matrix_cell {
	enum text_verdict loosest[TEXT_KINDS];
	bool partial[TEXT_KINDS]; /* not all of its types and ports */
	uint32_t count;		  /* kinds that are not denied */
	enum matrix_way way;	  /* no flow here, but data gets there */
	uint32_t over;		  /* MATRIX_OVER: the node before */
};

struct matrix {
	const struct compile *compile;
	bool all; /* keys, pixels and denied flows too */
	uint32_t row[MODEL_NODES_MAX], column[MODEL_NODES_MAX];
	uint32_t row_count, column_count;
	struct matrix_cell *cell; /* [from * nodes + to] */
	uint32_t nodes;
};

/** Returns 0 or -ENOMEM. The policy must outlive the matrix. */
int matrix_build(const struct compile *compile, bool all, struct matrix *ret_matrix);
void matrix_fini(struct matrix *matrix);
const struct matrix_cell *matrix_at(const struct matrix *matrix, uint32_t from, uint32_t to);
/** How data gets there without a flow: "over internet", "owns"; empty: it does not. */
void matrix_way_text(const struct matrix *matrix, const struct matrix_cell *cell, char text[32]);
/** Kinds that this matrix shows. */
bool matrix_shows(const struct matrix *matrix, unsigned int kind);

void matrix_print_text(const struct matrix *matrix, FILE *out);
/** One line per part of a flow: from,to,kind,types,ports,verdict,rule,layer,place,limits. Returns
 * 0 or -ENOMEM, as the next one. */
int matrix_print_csv(const struct matrix *matrix, FILE *out);
int matrix_add_json(const struct matrix *matrix, struct json_object *list);
void picture_print(const struct matrix *matrix, FILE *out);

#endif
