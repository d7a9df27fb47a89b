/* SPDX-License-Identifier: Apache-2.0 */
/** The inside of the "verify" layer, shared by what serves requests (layer_verify.c) and what opens
 * and seals (verify_seal.c). */
#ifndef VHD_VERIFY_STATE_H
#define VHD_VERIFY_STATE_H

#include "dirty_map.h"
#include "fiber.h"
#include "hash_tree.h"
#include "layer_verify.h"

#define VERIFY_CHUNK ((uint64_t)HASH_TREE_CHUNK)

struct verify {
	struct layer layer;
	struct folder *folder, *seen;
	struct manifest manifest; /* in force */
	struct manifest_subject subject;
	char image[MANIFEST_NAME_MAX]; /* its name */
	struct signer *signer;
	struct hash_tree *tree;
	struct dirty_map map;
	uint8_t *known, *dirty; /* a bit a chunk; dirty includes believed */
	uint8_t *wanted;	/* a bit a page: to be in the map at its next storing */
	bool pinned_wanted;
	struct fiber_mutex marking; /* of the map */
	struct fiber_mutex gate;    /* of the two below */
	unsigned in_flight;	    /* changes */
	bool sealing;
	struct fiber_queue waiting;
	bool broken;  /* sealing failed where nothing is sure any more: no writes */
	bool session; /* the manifest in force is open, and ours to seal */
	uint64_t checked_count, believed_count, bad_count, bad_offset;
};

extern const struct layer_ops verify_ops;

static inline bool verify_get_bit(const uint8_t *bits, uint64_t index)
{
	return bits[index / 8] >> (index % 8) & 1;
}

static inline void verify_set_bit(uint8_t *bits, uint64_t index)
{
	bits[index / 8] |= (uint8_t)(1u << (index % 8));
}

static inline size_t verify_bits_size(uint64_t count)
{
	return (size_t)((count + 7) / 8);
}

/** Bytes of a chunk: the last one may be short. */
static inline size_t verify_chunk_size(const struct verify *verify, uint64_t chunk)
{
	uint64_t rest = verify->layer.size - chunk * VERIFY_CHUNK;

	return (size_t)(rest < VERIFY_CHUNK ? rest : VERIFY_CHUNK);
}

/** The layer's close: seals a session, frees. */
int verify_close(struct layer *layer);

#endif
