/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the block table in memory. Invariant: entries differ from the file's only in sectors marked
 * dirty. */
#define _GNU_SOURCE

#include "vhd_bat.h"
#include "vhd_bytes.h"
#include "vhd_footer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define ENTRIES_PER_SECTOR (VHD_SECTOR_SIZE / 4)
#define CHUNK_ENTRIES	   4096u /* of one read or write */

static uint32_t sectors_of(uint32_t count)
{
	return (count + ENTRIES_PER_SECTOR - 1) / ENTRIES_PER_SECTOR;
}

static int allocate(struct vhd_bat *bat, uint32_t count)
{
	uint32_t sectors = sectors_of(count);

	if (count > VHD_BAT_MAX) {
		return -EFBIG;
	}
	bat->entries = malloc(((size_t)sectors + 1) * VHD_SECTOR_SIZE);
	bat->dirty = calloc(1, sectors / 8 + 1);
	if (!bat->entries || !bat->dirty) {
		vhd_bat_fini(bat);
		return -ENOMEM;
	}
	bat->count = count;
	return 0;
}

/* Entries behind the last one are kept unused, whatever the file has there. */
static void fill_rest(struct vhd_bat *bat, uint32_t from)
{
	for (uint32_t i = from; i < sectors_of(bat->count) * ENTRIES_PER_SECTOR; i++) {
		bat->entries[i] = VHD_BAT_UNUSED;
	}
}

int vhd_bat_load(struct vhd_bat *bat, struct file *file, uint64_t offset, uint32_t count)
{
	struct vhd_bat table = {.offset = offset};
	int rc = allocate(&table, count);

	for (uint32_t i = 0; !rc && i < count; i += CHUNK_ENTRIES) {
		uint32_t n = count - i < CHUNK_ENTRIES ? count - i : CHUNK_ENTRIES;

		rc = file_read(file, table.entries + i, (size_t)n * 4, offset + 4ull * i);
		for (uint32_t k = i; !rc && k < i + n; k++) {
			table.entries[k] = be32toh(table.entries[k]);
			table.used_count += table.entries[k] != VHD_BAT_UNUSED;
		}
	}
	if (rc < 0) {
		vhd_bat_fini(&table);
		return rc;
	}
	fill_rest(&table, count);
	*bat = table;
	return 0;
}

void vhd_bat_fini(struct vhd_bat *bat)
{
	free(bat->entries);
	free(bat->dirty);
	memset(bat, 0, sizeof(*bat));
}

/* The blocks of the table, without order. */
struct places {
	uint32_t count, lowest, highest;
	uint32_t block_sectors;
};

static struct places find_places(const struct vhd_bat *bat, uint32_t block_sectors)
{
	struct places places = {0, UINT32_MAX, 0, block_sectors};

	for (uint32_t i = 0; i < bat->count; i++) {
		uint32_t at = bat->entries[i];

		if (at != VHD_BAT_UNUSED) {
			places.count++;
			places.lowest = at < places.lowest ? at : places.lowest;
			places.highest = at > places.highest ? at : places.highest;
		}
	}
	return places;
}

/* Compares each place with the one before it, when `list` has them in order; 0 is none. */
static int check_sorted(const uint32_t *list, uint32_t count, uint32_t block_sectors)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (list[i] && list[i] < end) {
			return -EBADMSG;
		}
		end = list[i] ? (uint64_t)list[i] + block_sectors : end;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

static int check_few(const struct vhd_bat *bat, const struct places *places)
{
	uint32_t *list = malloc((size_t)places->count * 4);
	uint32_t count = 0;
	int rc;

	if (!list) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < bat->count; i++) {
		if (bat->entries[i] != VHD_BAT_UNUSED) {
			list[count++] = bat->entries[i];
		}
	}
	qsort(list, count, sizeof(list[0]), compare);
	rc = check_sorted(list, count, places->block_sectors);
	free(list);
	return rc;
}

/* In a stretch of the file that is no longer than a block only one block can begin. */
static int check_many(const struct vhd_bat *bat, const struct places *places, unsigned shift,
		      uint32_t stretches)
{
	uint32_t *list = calloc(stretches, 4);
	int rc = list ? 0 : -ENOMEM;

	for (uint32_t i = 0; !rc && i < bat->count; i++) {
		uint32_t at = bat->entries[i];

		if (at != VHD_BAT_UNUSED) {
			uint32_t *first = &list[(at >> shift) - (places->lowest >> shift)];

			rc = *first ? -EBADMSG : 0;
			*first = at;
		}
	}
	rc = rc ? rc : check_sorted(list, stretches, places->block_sectors);
	free(list);
	return rc;
}

int vhd_bat_check(const struct vhd_bat *bat, uint32_t block_sectors, struct vhd_bat_room *ret_room)
{
	struct places places = find_places(bat, block_sectors);
	unsigned shift = 31 - (unsigned)__builtin_clz(block_sectors);
	uint32_t stretches;
	int rc;

	if (!places.count) {
		*ret_room = (struct vhd_bat_room){UINT64_MAX, 0};
		return 0;
	}
	if (!places.lowest) {
		return -EBADMSG; /* sector 0 has the footer's copy */
	}
	stretches = (places.highest >> shift) - (places.lowest >> shift) + 1;
	rc = stretches <= VHD_BAT_MAX && stretches / 8 < places.count
		     ? check_many(bat, &places, shift, stretches)
		     : check_few(bat, &places);
	if (!rc) {
		ret_room->first_sector = places.lowest;
		ret_room->end_sector = (uint64_t)places.highest + block_sectors;
	}
	return rc;
}

static void mark(struct vhd_bat *bat, uint32_t sector)
{
	uint8_t bit = (uint8_t)(1u << sector % 8);

	bat->dirty_count += !(bat->dirty[sector / 8] & bit);
	bat->dirty[sector / 8] |= bit;
}

static bool unmark(struct vhd_bat *bat, uint32_t sector)
{
	uint8_t bit = (uint8_t)(1u << sector % 8);
	bool was = bat->dirty[sector / 8] & bit;

	bat->dirty_count -= was;
	bat->dirty[sector / 8] &= (uint8_t)~bit;
	return was;
}

void vhd_bat_set(struct vhd_bat *bat, uint32_t block, uint32_t sector)
{
	bat->used_count -= bat->entries[block] != VHD_BAT_UNUSED;
	bat->used_count += sector != VHD_BAT_UNUSED;
	bat->entries[block] = sector;
	mark(bat, block / ENTRIES_PER_SECTOR);
}

void vhd_bat_mark_all(struct vhd_bat *bat)
{
	for (uint32_t i = 0; i < sectors_of(bat->count); i++) {
		mark(bat, i);
	}
}

/* Takes the next run of dirty sectors from *sector on; 0: there is none. */
static uint32_t take_run(struct vhd_bat *bat, uint32_t *sector)
{
	uint32_t all = sectors_of(bat->count), count = 0;

	while (*sector < all && !bat->dirty[*sector / 8]) {
		*sector = (*sector / 8 + 1) * 8;
	}
	while (*sector < all && !unmark(bat, *sector)) {
		++*sector;
	}
	if (*sector >= all) {
		return 0;
	}
	do {
		count++;
	} while (count < CHUNK_ENTRIES / ENTRIES_PER_SECTOR && *sector + count < all &&
		 unmark(bat, *sector + count));
	return count;
}

int vhd_bat_store(struct vhd_bat *bat, struct file *file)
{
	uint32_t chunk[CHUNK_ENTRIES];
	uint32_t sector = 0, count;

	/* A copy is written: entries may be set while the file waits. */
	while (bat->dirty_count && (count = take_run(bat, &sector)) > 0) {
		uint32_t first = sector * ENTRIES_PER_SECTOR;
		int rc;

		for (uint32_t i = 0; i < count * ENTRIES_PER_SECTOR; i++) {
			chunk[i] = htobe32(bat->entries[first + i]);
		}
		rc = file_write(file, chunk, (size_t)count * VHD_SECTOR_SIZE,
				bat->offset + (uint64_t)sector * VHD_SECTOR_SIZE);
		if (rc < 0) {
			for (uint32_t i = 0; i < count; i++) {
				mark(bat, sector + i);
			}
			return rc;
		}
		sector += count;
	}
	return 0;
}

int vhd_bat_copy(const struct vhd_bat *bat, uint64_t offset, uint32_t count,
		 struct vhd_bat *ret_bat)
{
	struct vhd_bat table = {.offset = offset};
	uint32_t keep = count < bat->count ? count : bat->count;
	int rc = allocate(&table, count);

	if (rc < 0) {
		return rc;
	}
	memcpy(table.entries, bat->entries, (size_t)keep * 4);
	fill_rest(&table, keep);
	for (uint32_t i = 0; i < keep; i++) {
		table.used_count += table.entries[i] != VHD_BAT_UNUSED;
	}
	for (uint32_t i = 0; i < sectors_of(keep); i++) {
		if (bat->dirty[i / 8] & 1u << i % 8) {
			mark(&table, i);
		}
	}
	for (uint32_t i = keep / ENTRIES_PER_SECTOR; i < sectors_of(count); i++) {
		mark(&table, i);
	}
	*ret_bat = table;
	return 0;
}
