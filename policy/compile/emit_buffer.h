/* SPDX-License-Identifier: Apache-2.0 */
/** A section of a table while it grows. */
#ifndef POLICY_EMIT_BUFFER_H
#define POLICY_EMIT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** All 0 at the start. After a failure nothing is added any more, and one look at `failed` at the
 *  end is enough. */
struct emit_buffer {
	uint8_t *bytes;
	size_t size, room;
	bool failed; /* no memory, or more than a table can have */
};

/** Adds bytes at the end. */
void emit_buffer_add(struct emit_buffer *buffer, const void *bytes, size_t size);
/** Adds a string with its 0. Returns its offset. */
uint32_t emit_buffer_add_string(struct emit_buffer *buffer, const char *string);
void emit_buffer_fini(struct emit_buffer *buffer);

#endif
