/* SPDX-License-Identifier: Apache-2.0 */
/* A bundle of any content: what can be read without a secret (with its hash as it is, or put
 * right), a summary alone, and what one who has the secret could have sealed. The first byte
 * chooses. */
#define _GNU_SOURCE

#include "bundle_frame.h"
#include "bundle_front.h"
#include "bundle_io.h"
#include "bundle_summary.h"
#include "bundle_tail.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	struct bundle_in in;
	const uint8_t *bytes;
	size_t size;
};

static int memory_read(struct bundle_in *in, void *ret_bytes, size_t size, size_t *ret_size)
{
	struct memory *memory = (struct memory *)(void *)in;

	size = size < memory->size ? size : memory->size;
	memcpy(ret_bytes, memory->bytes, size);
	memory->bytes += size;
	memory->size -= size;
	*ret_size = size;
	return 0;
}

static uint8_t *sealed;
static struct bundle_frame *frame;
static struct bundle_codec *codec;
static struct bundle_keys keys;

static int make(void)
{
	const uint8_t salt[BUNDLE_SALT_SIZE] = {0};

	sealed = malloc(BUNDLE_SEALED_MAX);
	frame = aligned_alloc(64, sizeof(*frame));
	return sealed && frame && bundle_seal_derive(salt, 32, salt, salt, &keys) == 0
		       ? bundle_codec_open(&keys, 0, &codec)
		       : -1;
}

/* As move_verify() reads it. */
static void read_clear(struct memory *memory)
{
	uint8_t hash[BUNDLE_HASH_SIZE];
	struct bundle_record record;
	struct bundle_index index;
	struct bundle_front front;
	struct bundle_tail tail;
	uint64_t read;

	if (bundle_front_read(&memory->in, &front, &read, NULL) < 0) {
		return;
	}
	while (bundle_record_read(&memory->in, &record, sealed, hash) == 0) {
		if (record.kind == BUNDLE_KIND_INDEX) {
			if (bundle_index_read(&memory->in, record.size, record.number, &index,
					      front.hash, hash) == 0) {
				bundle_index_fini(&index);
				(void)!bundle_tail_read(&memory->in, &tail);
			}
			break;
		}
	}
	bundle_front_free(&front);
}

/* Puts the hash of the front right, as a forger would. */
static void read_forged(const uint8_t *data, size_t size)
{
	uint8_t *bytes = malloc(size + BUNDLE_HASH_SIZE);
	struct memory memory = {{memory_read}, bytes, size + BUNDLE_HASH_SIZE};
	uint64_t front;

	if (bytes && size >= BUNDLE_HEAD_SIZE) {
		front = (uint64_t)BUNDLE_HEAD_SIZE + bundle_get32(data + 12) +
			bundle_get32(data + 80);
		if (front <= size) {
			memcpy(bytes, data, front);
			if (bundle_hash(bytes, front, NULL, 0, NULL, 0, bytes + front) == 0) {
				memcpy(bytes + front + BUNDLE_HASH_SIZE, data + front,
				       size - front);
				read_clear(&memory);
			}
		}
	}
	free(bytes);
}

static void read_summary(const uint8_t *data, size_t size)
{
	struct bundle_summary summary, again;
	struct json_object *object;
	const char *text;

	if (bundle_summary_decode(data, size, &summary, NULL) < 0) {
		return;
	}
	object = bundle_summary_to_json(&summary);
	text = object ? json_object_to_json_string(object) : NULL;
	if (text && bundle_summary_decode(text, strlen(text), &again, NULL) < 0) {
		abort();
	}
	json_object_put(object);
}

static void check_frame(uint32_t first, uint32_t next)
{
	uint64_t data = 0;

	for (unsigned i = 0; i < frame->run_count; i++) {
		const struct bundle_run *run = &frame->runs[i];

		if (run->sector < first || run->count > 1000 - run->sector) {
			abort();
		}
		data += run->source == BUNDLE_RUN_DATA ? run->count : 0;
		first = run->sector + run->count;
	}
	if (data * BUNDLE_SECTOR != frame->data_size || first != next) {
		abort();
	}
}

static void open_sealed(const uint8_t *data, size_t size)
{
	struct bundle_record record = {BUNDLE_KIND_FRAME, (uint32_t)size + BUNDLE_TAG_SIZE, 7, {0}};
	uint8_t head[BUNDLE_RECORD_SIZE];
	uint32_t sector = 5;

	bundle_record_encode(&record, head);
	if (size > BUNDLE_SEALED_MAX - BUNDLE_TAG_SIZE ||
	    bundle_seal_close(&keys, head, 16, data, size, record.nonce, sealed) < 0) {
		return;
	}
	if (bundle_codec_open_frame(codec, &record, sealed, 1000, &sector, frame) == 0) {
		check_frame(5, sector);
		memset(frame->before, 0x11, frame->data_size);
		(void)!bundle_codec_get_data(codec, frame);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory memory = {{memory_read}, data + 1, size - 1};

	if (!size || (!sealed && make() < 0)) {
		return 0;
	}
	switch (data[0] & 3) {
	case 0:
		open_sealed(data + 1, size - 1);
		break;
	case 1:
		read_clear(&memory);
		break;
	case 2:
		read_summary(data + 1, size - 1);
		break;
	default:
		read_forged(data + 1, size - 1);
	}
	return 0;
}
