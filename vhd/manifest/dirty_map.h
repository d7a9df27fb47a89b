/* SPDX-License-Identifier: Apache-2.0 */
/** Which pages of the hash tree (8 MiB of disk each) were written since the manifest was sealed,
 * kept in the tree's file so that it survives an unclean end: a page is marked there, lastingly,
 * before anything under it is written.
 *
 *  Two slots are written in turn. The newest one of the manifest's epoch counts whose MAC fits; one
 * that a power cut tore had nothing depending on it yet.
 */
#ifndef VHD_DIRTY_MAP_H
#define VHD_DIRTY_MAP_H

#include "file.h"

#define DIRTY_MAP_KEY 32u

struct dirty_map {
	struct file *file;
	uint64_t offset[2]; /* of the slots */
	uint64_t page_count;
	uint8_t key[DIRTY_MAP_KEY]; /* of the MAC; zeros for a manifest without signature */
	uint64_t epoch;		    /* of the manifest that it belongs to */
	uint64_t sequence;
	unsigned slot;	   /* last written or read */
	bool flush_failed; /* ever: the disk must not be written any more */
	bool pinned_dirty; /* the pinned part of the payload was written */
	uint8_t *bits;	   /* as stored last; a bit a page, lowest first */
};

/** Bytes of a slot. */
uint64_t dirty_map_slot_size(uint64_t page_count);

/** A map of nothing. -ENOMEM. */
VHD_MUST_CHECK int dirty_map_init(struct dirty_map *map, struct file *file,
				  const uint64_t offset[2], uint64_t page_count,
				  const uint8_t key[DIRTY_MAP_KEY]);
void dirty_map_fini(struct dirty_map *map);

/** Reads the newest slot of that epoch. -ENOENT: none that is right. */
VHD_MUST_CHECK int dirty_map_load(struct dirty_map *map, uint64_t epoch);

/** Writes these bits for that epoch to the other slot, lasting when 0 is returned; then they are
 * those of the map. */
VHD_MUST_CHECK int dirty_map_store(struct dirty_map *map, uint64_t epoch, const uint8_t *bits,
				   bool pinned_dirty);

#endif
