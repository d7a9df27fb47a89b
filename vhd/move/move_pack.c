/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the choice between data, zeros and copies, and where a frame ends. */
#include "move_pack.h"
#include "bundle_io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK	 64u /* sectors read at once */
#define SEEN_MAX (1u << 21)
#define SEEN_MIN (1u << 12)

/* Where a sector with that hash came. The hash only proposes: contents decide. */
struct seen {
	uint64_t hash; /* 0: free */
	uint32_t sector;
};

struct move_pack {
	const struct move_volume *volume, *base;
	const struct move_delta *delta;
	size_t run;    /* of the delta, that is next */
	uint32_t used; /* sectors of it that are in frames */
	uint64_t done;
	struct seen *seen;
	size_t seen_room, seen_count; /* room: a power of two */
	uint8_t plain[CHUNK * BUNDLE_SECTOR], held[CHUNK * BUNDLE_SECTOR];
	uint8_t other[BUNDLE_SECTOR];
};

int move_pack_open(const struct move_volume *volume, const struct move_volume *base,
		   const struct move_delta *delta, struct move_pack **ret_pack)
{
	struct move_pack *pack = calloc(1, sizeof(*pack));
	struct seen *seen = calloc(SEEN_MIN, sizeof(*seen));

	if (!pack || !seen) {
		free(pack);
		free(seen);
		return -ENOMEM;
	}
	pack->volume = volume;
	pack->base = base;
	pack->delta = delta;
	pack->seen = seen;
	pack->seen_room = SEEN_MIN;
	*ret_pack = pack;
	return 0;
}

void move_pack_close(struct move_pack *pack)
{
	if (pack) {
		free(pack->seen);
		free(pack);
	}
}

static uint64_t hash_of(const uint8_t *sector)
{
	uint64_t hash = 0x9e3779b97f4a7c15u;

	for (unsigned i = 0; i < BUNDLE_SECTOR; i += 8) {
		uint64_t word;

		memcpy(&word, sector + i, sizeof(word));
		hash = (hash ^ word) * 0xff51afd7ed558ccdu;
		hash ^= hash >> 32;
	}
	return hash ? hash : 1;
}

static struct seen *slot_of(struct seen *seen, size_t room, uint64_t hash)
{
	size_t at = hash & (room - 1);

	while (seen[at].hash && seen[at].hash != hash) {
		at = (at + 1) & (room - 1);
	}
	return &seen[at];
}

/* Keeps the table at most half full; stops to learn when it is as large as it may be. */
static int remember(struct move_pack *pack, uint64_t hash, uint32_t sector)
{
	if (2 * pack->seen_count >= pack->seen_room) {
		size_t room = 2 * pack->seen_room;
		struct seen *seen;

		if (room > SEEN_MAX) {
			return 0;
		}
		seen = calloc(room, sizeof(*seen));
		if (!seen) {
			return -ENOMEM;
		}
		for (size_t i = 0; i < pack->seen_room; i++) {
			if (pack->seen[i].hash) {
				*slot_of(seen, room, pack->seen[i].hash) = pack->seen[i];
			}
		}
		free(pack->seen);
		pack->seen = seen;
		pack->seen_room = room;
	}
	*slot_of(pack->seen, pack->seen_room, hash) = (struct seen){hash, sector};
	pack->seen_count++;
	return 0;
}

/* Gives the source of a sector's contents: BUNDLE_RUN_DATA, _ZERO or a sector that came. */
static int find_source(struct move_pack *pack, uint32_t sector, const uint8_t *plain,
		       const uint8_t *held, uint32_t *ret_source)
{
	uint64_t hash;
	struct seen *seen;
	int rc;

	*ret_source = BUNDLE_RUN_DATA;
	if (bundle_is_zero(held, BUNDLE_SECTOR)) {
		*ret_source = BUNDLE_RUN_ZERO;
		return 0;
	}
	hash = hash_of(plain);
	seen = slot_of(pack->seen, pack->seen_room, hash);
	if (!seen->hash) {
		return remember(pack, hash, sector);
	}
	rc = move_volume_read(pack->volume, seen->sector, 1, pack->other);
	if (!rc && memcmp(pack->other, plain, BUNDLE_SECTOR) == 0) {
		*ret_source = seen->sector;
	}
	return rc;
}

/* False: the frame is full. */
static bool put(struct bundle_frame *frame, uint32_t sector, uint32_t source, const uint8_t *plain)
{
	struct bundle_run *last = frame->run_count ? &frame->runs[frame->run_count - 1] : NULL;
	bool goes_on = last && last->sector + last->count == sector &&
		       (source >= BUNDLE_RUN_ZERO ? last->source == source
						  : last->source < BUNDLE_RUN_ZERO &&
							    last->source + last->count == source &&
							    source < last->sector);

	if ((!goes_on && frame->run_count == BUNDLE_RUN_MAX) ||
	    (source == BUNDLE_RUN_DATA && frame->data_size == BUNDLE_FRAME_MAX)) {
		return false;
	}
	if (goes_on) {
		last->count++;
	} else {
		frame->runs[frame->run_count++] = (struct bundle_run){sector, 1, source};
	}
	if (source == BUNDLE_RUN_DATA) {
		memcpy(frame->data + frame->data_size, plain, BUNDLE_SECTOR);
		frame->data_size += BUNDLE_SECTOR;
	}
	return true;
}

/* Puts up to CHUNK sectors of a run. ret_full: the frame took no more. */
static int put_chunk(struct move_pack *pack, struct bundle_frame *frame, uint32_t sector,
		     uint32_t count, bool *ret_full)
{
	const uint8_t *held = pack->volume->luks_size ? pack->held : pack->plain;
	uint32_t source;
	int rc = move_volume_read(pack->volume, sector, count, pack->plain);

	if (!rc && held != pack->plain) {
		rc = move_volume_read_payload(pack->volume, sector, count, pack->held);
	}
	for (uint32_t i = 0; !rc && i < count; i++) {
		const uint8_t *plain = pack->plain + (size_t)i * BUNDLE_SECTOR;

		rc = find_source(pack, sector + i, plain, held + (size_t)i * BUNDLE_SECTOR,
				 &source);
		if (source == sector + i) {
			source = BUNDLE_RUN_DATA; /* remembered when it did not fit before */
		}
		if (!rc && !put(frame, sector + i, source, plain)) {
			*ret_full = true;
			break;
		}
		pack->used += !rc;
		pack->done += !rc;
	}
	return rc;
}

/* The base's contents at the same sectors, as a dictionary for the frame's data. */
static int read_before(const struct move_volume *base, struct bundle_frame *frame)
{
	uint8_t *at = frame->before;
	int rc = 0;

	for (unsigned i = 0; !rc && i < frame->run_count; i++) {
		if (frame->runs[i].source == BUNDLE_RUN_DATA) {
			rc = move_volume_read(base, frame->runs[i].sector, frame->runs[i].count,
					      at);
			at += (size_t)frame->runs[i].count * BUNDLE_SECTOR;
		}
	}
	return rc;
}

int move_pack_next(struct move_pack *pack, struct bundle_frame *ret_frame, uint64_t *ret_done)
{
	bool full = false;
	int rc = 0;

	ret_frame->run_count = 0;
	ret_frame->data_size = 0;
	ret_frame->has_before = pack->base != NULL;
	while (!rc && !full && pack->run < pack->delta->count) {
		const struct move_delta_run *run = &pack->delta->runs[pack->run];
		uint32_t left = run->count - pack->used;

		rc = put_chunk(pack, ret_frame, run->sector + pack->used,
			       left < CHUNK ? left : CHUNK, &full);
		if (pack->used == run->count) {
			pack->run++;
			pack->used = 0;
		}
	}
	if (!rc && pack->base) {
		rc = read_before(pack->base, ret_frame);
	}
	*ret_done = pack->done;
	return rc;
}
