/* SPDX-License-Identifier: Apache-2.0 */
/* Owns memory that doubles. */
#include "emit_buffer.h"

#include <stdlib.h>
#include <string.h>

#include "table.h"

static bool grow(struct emit_buffer *buffer, size_t size)
{
	size_t room = buffer->room == 0 ? 4096 : buffer->room;
	uint8_t *bytes;

	if (size > TABLE_SIZE_MAX - buffer->size) {
		return false;
	}
	while (room < buffer->size + size) {
		room *= 2;
	}
	bytes = realloc(buffer->bytes, room);
	if (bytes == NULL) {
		return false;
	}
	buffer->bytes = bytes;
	buffer->room = room;
	return true;
}

void emit_buffer_add(struct emit_buffer *buffer, const void *bytes, size_t size)
{
	if (!buffer->failed && buffer->room - buffer->size < size) {
		buffer->failed = !grow(buffer, size);
	}
	if (!buffer->failed && size > 0) {
		memcpy(buffer->bytes + buffer->size, bytes, size);
		buffer->size += size;
	}
}

uint32_t emit_buffer_add_string(struct emit_buffer *buffer, const char *string)
{
	uint32_t at = (uint32_t)buffer->size;

	emit_buffer_add(buffer, string, strlen(string) + 1);
	return at;
}

void emit_buffer_fini(struct emit_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct emit_buffer){0};
}
