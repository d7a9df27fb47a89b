/* SPDX-License-Identifier: Apache-2.0 */
/** All steps in one call: read, parse, layer, work out, prove. What `bulkhead policy` and its tests
 * stand on. */
#ifndef POLICY_COMPILE_H
#define POLICY_COMPILE_H

#include "cells.h"
#include "source.h"

struct compile {
	struct source_set sources;
	struct text text[TEXT_LAYERS];
	bool has_text[TEXT_LAYERS], has_model, has_cells;
	struct model model;
	struct cells cells;
	struct diag_list diags;
};

/** paths: one file per layer, in any order; the file says which layer it is. include_path NULL: the
 * folder of the first file. checks: PROVE_* of prove.h. Returns 0 (diags may hold warnings) or -1
 * (it holds errors). Always to be ended by compile_fini(). */
int compile_files(const char *const paths[], uint32_t count, const char *include_path,
		  unsigned int checks, struct compile *compile);
/** The same for sources that are in compile->sources already: files first..first + count - 1. */
int compile_sources(struct compile *compile, uint32_t first, uint32_t count, unsigned int checks);
void compile_fini(struct compile *compile);

#endif
