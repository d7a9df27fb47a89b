/* SPDX-License-Identifier: Apache-2.0 */
/** From a proved model to the bytes of a table: root mode's part and the daemons' part
 *  (docs/SPEC-policy.md).
 *
 *  The same model, serial and modules give the same bytes.
 */
#ifndef POLICY_EMIT_H
#define POLICY_EMIT_H

#include "cells.h"
#include "source.h"

/** A boot module that root mode must find. */
struct emit_module {
	const char *role;
	uint64_t size;
	uint32_t crc32c;
};

/** Partitions without a kernel of ours count too. sources: for the names of files, as they are
 *  without their folders. Returns 0 and memory for free(), or -1 after an error in `diags` (a table
 *  that root mode would refuse is refused here, with a place in the text); -ENOMEM. */
int emit_table(const struct model *model, const struct cells *cells,
	       const struct source_set *sources, uint64_t serial, const struct emit_module *modules,
	       uint32_t module_count, struct diag_list *diags, void **ret_bytes, size_t *ret_size);

#endif
