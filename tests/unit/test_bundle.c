/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a bundle as a stream: front, sealed records, index, tail. */
#define _GNU_SOURCE

#include "bundle.h"
#include "bundle_frame.h"
#include "bundle_front.h"
#include "bundle_io.h"
#include "bundle_summary.h"
#include "bundle_tail.h"
#include "cpu_baseline.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FRAMES 3u

/* A stream in memory. */
struct memory {
	struct bundle_in in;
	struct bundle_out out;
	uint8_t bytes[1 << 20];
	size_t size, at;
};

static int memory_read(struct bundle_in *in, void *ret_bytes, size_t size, size_t *ret_size)
{
	struct memory *memory = (struct memory *)(void *)in;
	size_t left = memory->size - memory->at;

	size = size < left ? size : left;
	memcpy(ret_bytes, memory->bytes + memory->at, size);
	memory->at += size;
	*ret_size = size;
	return 0;
}

static struct memory *memory_of(struct bundle_out *out)
{
	return (struct memory *)(void *)((char *)out - offsetof(struct memory, out));
}

static int memory_write(struct bundle_out *out, const void *bytes, size_t size)
{
	struct memory *memory = memory_of(out);

	if (size > sizeof(memory->bytes) - memory->size) {
		return -ENOSPC;
	}
	memcpy(memory->bytes + memory->size, bytes, size);
	memory->size += size;
	return 0;
}

static struct memory stream;
static struct bundle_frame *frame;
static uint8_t *sealed;
static const uint8_t secret[64] = "the key of the disk";

static struct bundle_front sample_front(void)
{
	struct bundle_front front = {.luks_size = 8192};
	struct bundle_summary *summary = &front.summary;

	memset(front.id, 1, sizeof(front.id));
	memset(front.salt, 2, sizeof(front.salt));
	strcpy(summary->name, "office.vhd");
	strcpy(summary->from, "desk");
	strcpy(summary->engine, "0.1.0");
	strcpy(summary->roles[0], "desktop");
	strcpy(summary->roles[1], "browser");
	strcpy(summary->firmware, "bios");
	strcpy(summary->base_name, "base.vhd");
	strcpy(summary->cpu_features[0], "aes");
	summary->role_count = 2;
	summary->cpu_feature_count = 1;
	summary->cpu_level = 2;
	summary->engine_format = BUNDLE_VERSION;
	summary->epoch = 3;
	summary->seal = BUNDLE_SEAL_DISK;
	summary->disk_size = 64 << 20;
	summary->data_size = 3 << 12;
	memset(summary->disk_id, 3, sizeof(summary->disk_id));
	return front;
}

/* Frame n: two sectors of text, one of zeros, one copied. */
static void fill_frame(unsigned n)
{
	frame->run_count = 3;
	frame->runs[0] = (struct bundle_run){10 * n + 1, 2, BUNDLE_RUN_DATA};
	frame->runs[1] = (struct bundle_run){10 * n + 5, 1, BUNDLE_RUN_ZERO};
	frame->runs[2] = (struct bundle_run){10 * n + 6, 1, 10 * n + 1};
	frame->data_size = 2 * BUNDLE_SECTOR;
	frame->has_before = true;
	for (unsigned i = 0; i < frame->data_size; i++) {
		frame->before[i] = (uint8_t)(i * 7 + n + (i >> 8));
		frame->data[i] = (uint8_t)(frame->before[i] + (i % 500 == 0));
	}
}

/* Writes a whole bundle into `stream`; returns its offsets: front, manifest, frames, index, tail.
 */
static void write_bundle(size_t ret_offsets[FRAMES + 4])
{
	struct bundle_front front = sample_front();
	uint8_t luks[8192] = "LUKS", tail_bytes[BUNDLE_TAIL_SIZE];
	uint8_t hash[BUNDLE_HASH_SIZE];
	struct bundle_tail tail = {.frame_count = FRAMES};
	struct bundle_index index;
	struct bundle_codec *codec;
	struct bundle_keys keys;
	const uint8_t *record;
	uint8_t *bytes;
	size_t size;

	memset(&stream, 0, sizeof(stream));
	stream.in.read = memory_read;
	stream.out.write = memory_write;
	front.luks = luks;
	assert_int_equal(bundle_front_encode(&front, &bytes, &size), 0);
	assert_int_equal(memory_write(&stream.out, bytes, size), 0);
	free(bytes);
	bundle_front_encode_signature(&front, tail_bytes, &size);
	assert_int_equal(memory_write(&stream.out, tail_bytes, size), 0);
	assert_int_equal(bundle_seal_derive(secret, sizeof(secret), front.salt, front.hash, &keys),
			 0);
	assert_int_equal(bundle_codec_open(&keys, 0, &codec), 0);
	ret_offsets[0] = stream.size;
	assert_int_equal(bundle_codec_pack_manifest(codec, "{}", 2, &record, &size), 0);
	assert_int_equal(memory_write(&stream.out, record, size), 0);
	assert_int_equal(bundle_hash(record, size, NULL, 0, NULL, 0, hash), 0);
	assert_int_equal(bundle_index_init(&index, front.hash, hash), 0);
	for (unsigned i = 0; i < FRAMES; i++) {
		ret_offsets[1 + i] = stream.size;
		fill_frame(i);
		assert_int_equal(bundle_codec_pack(codec, i, frame, &record, &size), 0);
		assert_int_equal(memory_write(&stream.out, record, size), 0);
		assert_int_equal(bundle_hash(record, size, NULL, 0, NULL, 0, hash), 0);
		assert_int_equal(bundle_index_add(&index, hash), 0);
	}
	ret_offsets[1 + FRAMES] = stream.size;
	assert_int_equal(bundle_index_write(&index, &stream.out), 0);
	ret_offsets[2 + FRAMES] = stream.size;
	memcpy(tail.chain, index.chain, sizeof(tail.chain));
	assert_int_equal(bundle_seal_mac(keys.tail, tail.chain, sizeof(tail.chain), tail.mac), 0);
	bundle_tail_encode(&tail, tail_bytes);
	assert_int_equal(memory_write(&stream.out, tail_bytes, sizeof(tail_bytes)), 0);
	ret_offsets[3 + FRAMES] = stream.size;
	bundle_index_fini(&index);
	bundle_codec_close(codec);
}

static int read_frame(struct bundle_codec *codec, const struct bundle_record *record,
		      uint32_t *sector)
{
	int rc = bundle_codec_open_frame(codec, record, sealed, 16384, sector, frame);
	struct bundle_frame *expected;

	if (!rc) {
		expected = malloc(sizeof(*expected));
		assert_non_null(expected);
		memcpy(expected, frame, sizeof(*expected));
		fill_frame((unsigned)record->number); /* gives `before` */
		memcpy(frame->runs, expected->runs, sizeof(frame->runs));
		memset(frame->data, 0, frame->data_size);
		rc = bundle_codec_get_data(codec, frame);
		free(expected);
	}
	return rc;
}

/* Reads all of `stream` as an import does. */
static int read_bundle(void)
{
	struct bundle_index index = {0}, said;
	uint8_t manifest_hash[BUNDLE_HASH_SIZE], hash[BUNDLE_HASH_SIZE], mac[32];
	struct bundle_codec *codec = NULL;
	struct bundle_record record;
	struct bundle_front front;
	struct bundle_keys keys;
	struct bundle_tail tail;
	uint32_t sector = 0;
	size_t text_size;
	uint64_t size;
	char *text;
	int rc;

	stream.at = 0;
	rc = bundle_front_read(&stream.in, &front, &size, NULL);
	if (rc < 0) {
		return rc;
	}
	rc = bundle_seal_derive(secret, sizeof(secret), front.salt, front.hash, &keys);
	rc = rc ? rc : bundle_codec_open(&keys, 0, &codec);
	rc = rc ? rc : bundle_record_read(&stream.in, &record, sealed, manifest_hash);
	rc = rc ? rc : bundle_codec_open_manifest(codec, &record, sealed, &text, &text_size);
	if (!rc) {
		free(text);
		rc = bundle_index_init(&index, front.hash, manifest_hash);
	}
	for (uint64_t n = 0; !rc; n++) {
		rc = bundle_record_read(&stream.in, &record, sealed, hash);
		if (rc || record.kind == BUNDLE_KIND_INDEX) {
			break;
		}
		rc = record.number == n ? read_frame(codec, &record, &sector) : -EBADMSG;
		rc = rc ? rc : bundle_index_add(&index, hash);
	}
	if (!rc) {
		rc = bundle_index_read(&stream.in, record.size, record.number, &said, front.hash,
				       manifest_hash);
	}
	if (!rc) {
		rc = said.count == index.count && memcmp(said.chain, index.chain, 32) == 0
			     ? bundle_tail_read(&stream.in, &tail)
			     : -EBADMSG;
		bundle_index_fini(&said);
	}
	rc = rc ? rc : bundle_seal_mac(keys.tail, index.chain, sizeof(index.chain), mac);
	if (!rc && (memcmp(mac, tail.mac, 32) != 0 || tail.frame_count != index.count ||
		    memcmp(tail.chain, index.chain, sizeof(tail.chain)) != 0)) {
		rc = -EBADMSG;
	}
	bundle_index_fini(&index);
	bundle_codec_close(codec);
	bundle_front_free(&front);
	return rc;
}

static int setup(void **state)
{
	(void)state;
	frame = aligned_alloc(64, sizeof(*frame));
	sealed = malloc(BUNDLE_SEALED_MAX);
	return frame && sealed ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(frame);
	free(sealed);
	return 0;
}

/* A bundle is read back as it was written, the summary word for word. */
static void bundle_reads_what_was_written(void **state)
{
	struct bundle_front front = sample_front(), in;
	size_t offsets[FRAMES + 4];
	uint64_t size;

	(void)state;
	write_bundle(offsets);
	assert_int_equal(read_bundle(), 0);
	assert_memory_equal(frame->data + 1, frame->before + 1, 499);
	stream.at = 0;
	assert_int_equal(bundle_front_read(&stream.in, &in, &size, NULL), 0);
	assert_int_equal(size, offsets[0]);
	front.summary.full = in.summary.full;
	assert_memory_equal(&in.summary, &front.summary, sizeof(front.summary));
	assert_int_equal(in.luks_size, 8192);
	assert_string_equal((char *)in.luks, "LUKS");
	bundle_front_free(&in);
}

/* No bit of a bundle can be flipped without being noticed. */
static void bundle_notices_any_flipped_bit(void **state)
{
	size_t offsets[FRAMES + 4];

	(void)state;
	write_bundle(offsets);
	for (size_t i = 0; i < stream.size; i++) {
		uint8_t bit = (uint8_t)(1u << (i * 5 % 8));

		if (i > offsets[0] + 8 && i % 61) {
			continue; /* after the front a sample of the bytes; tests/vhd has them all
				   */
		}
		stream.bytes[i] ^= bit;
		assert_int_not_equal(read_bundle(), 0);
		stream.bytes[i] ^= bit;
	}
	assert_int_equal(read_bundle(), 0);
}

/* A bundle that is cut off anywhere is not taken; neither is one with more after its tail. */
static void bundle_notices_a_cut(void **state)
{
	size_t offsets[FRAMES + 4], whole;

	(void)state;
	write_bundle(offsets);
	whole = stream.size;
	for (unsigned i = 0; i < FRAMES + 3; i++) {
		stream.size = offsets[i];
		assert_int_not_equal(read_bundle(), 0);
		stream.size = offsets[i] + 5;
		assert_int_not_equal(read_bundle(), 0);
		stream.size = offsets[i] - 1;
		assert_int_not_equal(read_bundle(), 0);
	}
	stream.size = whole + 1;
	assert_int_equal(read_bundle(), -EBADMSG);
}

/* Frames in another order, or one of them twice, are not taken. */
static void bundle_notices_frames_out_of_order(void **state)
{
	size_t offsets[FRAMES + 4], size;
	uint8_t *copy;

	(void)state;
	write_bundle(offsets);
	size = offsets[2] - offsets[1];
	copy = malloc(size);
	assert_non_null(copy);
	memcpy(copy, stream.bytes + offsets[1], size);
	if (offsets[3] - offsets[2] == size) {
		memcpy(stream.bytes + offsets[2], copy, size);
		assert_int_equal(read_bundle(), -EBADMSG);
	}
	free(copy);
}

/* The same contents are sealed to the same bytes; other contents under another nonce. */
static void bundle_seals_alike_only_what_is_alike(void **state)
{
	struct bundle_keys keys;
	uint8_t front_hash[32] = {1}, nonce[3][12], out[3][32 + BUNDLE_TAG_SIZE];
	uint8_t a[32] = "one", b[32] = "other";

	(void)state;
	assert_int_equal(bundle_seal_derive(secret, sizeof(secret), front_hash, front_hash, &keys),
			 0);
	assert_int_equal(bundle_seal_close(&keys, "7", 1, a, 32, nonce[0], out[0]), 0);
	assert_int_equal(bundle_seal_close(&keys, "7", 1, a, 32, nonce[1], out[1]), 0);
	assert_int_equal(bundle_seal_close(&keys, "7", 1, b, 32, nonce[2], out[2]), 0);
	assert_memory_equal(nonce[0], nonce[1], 12);
	assert_memory_equal(out[0], out[1], sizeof(out[0]));
	assert_memory_not_equal(nonce[0], nonce[2], 12);
	assert_int_equal(bundle_seal_open(&keys, "8", 1, nonce[0], out[0], sizeof(out[0]), b),
			 -EBADMSG);
	assert_int_equal(bundle_seal_open(&keys, "7", 1, nonce[0], out[0], sizeof(out[0]), b), 0);
	assert_memory_equal(a, b, 32);
}

/* A base with other contents is told from damage. */
static void bundle_tells_a_wrong_base(void **state)
{
	struct bundle_record record;
	uint8_t front_hash[32] = {1}, hash[32];
	struct bundle_codec *codec;
	struct bundle_keys keys;
	const uint8_t *bytes;
	uint32_t sector = 0;
	size_t size;

	(void)state;
	assert_int_equal(bundle_seal_derive(secret, sizeof(secret), front_hash, front_hash, &keys),
			 0);
	assert_int_equal(bundle_codec_open(&keys, 0, &codec), 0);
	fill_frame(0);
	assert_int_equal(bundle_codec_pack(codec, 0, frame, &bytes, &size), 0);
	memset(&stream, 0, sizeof(stream));
	stream.in.read = memory_read;
	assert_int_equal(memory_write(&stream.out, bytes, size), 0);
	assert_int_equal(bundle_record_read(&stream.in, &record, sealed, hash), 0);
	assert_int_equal(bundle_codec_open_frame(codec, &record, sealed, 100, &sector, frame), 0);
	memset(frame->before, 0x55, frame->data_size);
	assert_int_equal(bundle_codec_get_data(codec, frame), -ESTALE);
	sector = 2;
	assert_int_equal(bundle_codec_open_frame(codec, &record, sealed, 100, &sector, frame),
			 -EBADMSG);
	sector = 0;
	assert_int_equal(bundle_codec_open_frame(codec, &record, sealed, 6, &sector, frame),
			 -EBADMSG);
	bundle_codec_close(codec);
}

/* A passphrase costs what was asked for, within bounds. */
static void bundle_stretch_refuses_an_absurd_cost(void **state)
{
	struct bundle_cost cost = {64, 1, 1}, huge = {4u << 20, 1, 1}, none = {0, 0, 0};
	uint8_t salt[BUNDLE_SALT_SIZE] = {0}, a[32], b[32];

	(void)state;
	assert_int_equal(bundle_seal_stretch("pw", 2, salt, &cost, a), 0);
	assert_int_equal(bundle_seal_stretch("pw", 2, salt, &cost, b), 0);
	assert_memory_equal(a, b, 32);
	assert_int_equal(bundle_seal_stretch("pv", 2, salt, &cost, b), 0);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(bundle_seal_stretch("pw", 2, salt, &huge, b), -EINVAL);
	assert_int_equal(bundle_seal_stretch("pw", 2, salt, &none, b), -EINVAL);
}

/* A summary that lacks a field, or has one out of bounds, is refused; a newer one says so. */
static void bundle_summary_refuses_what_does_not_fit(void **state)
{
	struct bundle_front front = sample_front();
	struct json_object *object = bundle_summary_to_json(&front.summary);
	static const char *const keys[] = {"name",	  "engine", "disk",  "epoch", "seal",
					   "disk_size",	  "state",  "cpu",   "roles", "firmware",
					   "free_needed", "time",   "format"};
	struct bundle_summary in;
	const char *text;

	(void)state;
	assert_non_null(object);
	for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct json_object *value =
			json_object_get(json_object_object_get(object, keys[i]));

		json_object_object_del(object, keys[i]);
		text = json_object_to_json_string(object);
		assert_int_equal(bundle_summary_decode(text, strlen(text), &in, NULL), -EBADMSG);
		json_object_object_add(object, keys[i], value);
	}
	json_object_object_add(object, "name", json_object_new_string("../../etc/passwd"));
	text = json_object_to_json_string(object);
	assert_int_equal(bundle_summary_decode(text, strlen(text), &in, NULL), -EBADMSG);
	json_object_object_add(object, "name", json_object_new_string("a.vhd"));
	json_object_object_add(object, "format", json_object_new_int(2));
	text = json_object_to_json_string(object);
	assert_int_equal(bundle_summary_decode(text, strlen(text), &in, NULL), -EOPNOTSUPP);
	assert_string_equal(in.engine, "0.1.0");
	json_object_put(object);
}

/* What a CPU lacks is named, and this CPU lacks nothing of itself. */
static void cpu_baseline_names_what_is_missing(void **state)
{
	struct cpu_baseline here, needs = {.level = 4}, old = {.level = 1};
	char text[CPU_BASELINE_TEXT];

	(void)state;
	cpu_baseline_get(&here);
	assert_in_range(here.level, 1, 4);
	assert_int_equal(cpu_baseline_missing(&here, &here, text), 0);
	needs.feature = 1ull << cpu_baseline_bit("aes") | 1ull << cpu_baseline_bit("sha_ni");
	assert_int_equal(cpu_baseline_missing(&needs, &old, text), 3);
	assert_string_equal(text, "x86-64-v4 aes sha_ni");
	assert_int_equal(cpu_baseline_bit("nothing"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bundle_reads_what_was_written),
		cmocka_unit_test(bundle_notices_any_flipped_bit),
		cmocka_unit_test(bundle_notices_a_cut),
		cmocka_unit_test(bundle_notices_frames_out_of_order),
		cmocka_unit_test(bundle_seals_alike_only_what_is_alike),
		cmocka_unit_test(bundle_tells_a_wrong_base),
		cmocka_unit_test(bundle_stretch_refuses_an_absurd_cost),
		cmocka_unit_test(bundle_summary_refuses_what_does_not_fit),
		cmocka_unit_test(cpu_baseline_names_what_is_missing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
