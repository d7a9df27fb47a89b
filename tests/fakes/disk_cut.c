/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the states that a power cut can leave: the recorded effects, some of them missing or
 * torn. */
#include "disk_cut.h"
#include "disk_memory_state.h"

#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

size_t disk_cut_list(const struct disk_memory *disk, uint64_t *ret_numbers, size_t max)
{
	const struct disk_memory_state *state = disk->state;
	size_t count = 0;

	for (const struct inode *inode = state->inodes; inode; inode = inode->next) {
		for (size_t i = 0; i < inode->effect_count; i++, count++) {
			if (count < max) {
				ret_numbers[count] = inode->effects[i].number;
			}
		}
	}
	for (size_t i = 0; i < state->change_count; i++, count++) {
		if (count < max) {
			ret_numbers[count] = state->changes[i].number;
		}
	}
	qsort(ret_numbers, count < max ? count : max, sizeof(*ret_numbers), compare);
	return count;
}

static bool coin(uint64_t seed, uint64_t number, uint64_t sector)
{
	uint64_t mixed = seed ^ number * 0x9e3779b97f4a7c15 ^ sector * 0xd1342543de82ef95;

	return disk_memory_random(&mixed) & 1;
}

static bool keeps(const struct disk_cut *cut, uint64_t number, uint64_t sector)
{
	switch (cut->kind) {
	case DISK_CUT_KEEP_ALL:
		return true;
	case DISK_CUT_DROP_ONE:
		return number != cut->number;
	case DISK_CUT_KEEP_ONE:
		return number == cut->number;
	case DISK_CUT_TORN:
		return number < cut->number || (number == cut->number && sector < cut->sector);
	case DISK_CUT_EFFECTS:
		return coin(cut->seed, number, 0);
	case DISK_CUT_SECTORS:
		return coin(cut->seed, number, sector);
	case DISK_CUT_DROP_ALL:
		break;
	}
	return false;
}

/* The kept sectors of an effect, in runs. */
static void apply_part(struct sparse *to, const struct effect *effect, const struct disk_cut *cut)
{
	uint64_t at = effect->offset, end = effect->offset + effect->size, sector = 0;

	while (at < end) {
		uint64_t start = at;

		while (at < end && keeps(cut, effect->number, sector)) {
			at = (at / DISK_CUT_SECTOR + 1) * DISK_CUT_SECTOR;
			sector++;
		}
		at = at < end ? at : end;
		if (at > start) {
			struct effect part = *effect;

			part.offset = start;
			part.size = at - start;
			part.bytes =
				effect->bytes ? effect->bytes + (start - effect->offset) : NULL;
			disk_memory_apply_effect(to, &part);
		} else {
			at = (at / DISK_CUT_SECTOR + 1) * DISK_CUT_SECTOR;
			sector++;
		}
	}
}

static bool is_size(const struct effect *effect)
{
	return effect->kind == EFFECT_SIZE || effect->kind == EFFECT_GROWTH;
}

/* The number of the last change of size that is kept, 0: none. */
static uint64_t choose_size(const struct inode *inode, const struct disk_cut *cut)
{
	uint64_t number = 0, count = 0, seed = cut->seed;

	for (size_t i = 0; cut->size != DISK_CUT_SIZE_OLD && i < inode->effect_count; i++) {
		if (!is_size(&inode->effects[i])) {
			continue;
		}
		count++;
		if (cut->size == DISK_CUT_SIZE_NEW ||
		    disk_memory_random(&seed) % (count + 1) == 0) {
			number = inode->effects[i].number;
		}
	}
	return number;
}

/* Sizes come in order, data of any moment: what lies past the end at last is gone. */
static uint64_t cut_by_size(struct sparse *to, const struct inode *from, const struct disk_cut *cut)
{
	uint64_t last = choose_size(from, cut), size = from->lasting.size;

	for (size_t i = 0; i < from->effect_count; i++) {
		const struct effect *effect = &from->effects[i];

		if (!is_size(effect)) {
			apply_part(to, effect, cut);
		} else if (effect->number <= last) {
			size = effect->size;
			sparse_resize(to, size);
		}
	}
	return size;
}

/* The end of the last sector of the effect that is kept. */
static uint64_t end_of_kept(const struct effect *effect, const struct disk_cut *cut)
{
	uint64_t end = 0, at = effect->offset;

	for (uint64_t sector = 0; at < effect->offset + effect->size; sector++) {
		at = (at / DISK_CUT_SECTOR + 1) * DISK_CUT_SECTOR;
		end = keeps(cut, effect->number, sector) ? at : end;
	}
	return end < effect->offset + effect->size ? end : effect->offset + effect->size;
}

/* The size follows the data; only a resize is kept or lost by itself. */
static uint64_t cut_by_data(struct sparse *to, const struct inode *from, const struct disk_cut *cut)
{
	uint64_t size = from->lasting.size, end;

	for (size_t i = 0; i < from->effect_count; i++) {
		const struct effect *effect = &from->effects[i];

		switch (effect->kind) {
		case EFFECT_WRITE:
			apply_part(to, effect, cut);
			end = end_of_kept(effect, cut);
			size = end > size ? end : size;
			break;
		case EFFECT_ZERO:
			apply_part(to, effect, cut);
			break;
		case EFFECT_SIZE:
			if (keeps(cut, effect->number, 0)) {
				size = effect->size;
				sparse_resize(to, size);
			}
			break;
		case EFFECT_GROWTH:
			break;
		}
	}
	return size;
}

static void cut_inode(struct inode *to, const struct inode *from, const struct disk_cut *cut)
{
	uint64_t size;

	sparse_copy(&to->now, &from->lasting);
	size = cut->size == DISK_CUT_SIZE_DATA ? cut_by_data(&to->now, from, cut)
					       : cut_by_size(&to->now, from, cut);
	sparse_resize(&to->now, size);
	sparse_copy(&to->lasting, &to->now);
}

static void cut_names(const struct disk_memory *disk, const struct disk_cut *cut,
		      struct disk_memory *on, struct names *names)
{
	const struct disk_memory_state *state = disk->state;

	for (size_t i = 0; i < state->lasting.count; i++) {
		disk_memory_set_name(on, names, state->lasting.list[i].text,
				     state->lasting.list[i].inode);
	}
	for (size_t i = 0; i < state->change_count; i++) {
		bool kept = keeps(cut, state->changes[i].number, 0);

		if (kept) {
			disk_memory_apply_change(on, names, &state->changes[i]);
		} else if (!cut->names_apart && cut->kind != DISK_CUT_KEEP_ONE) {
			break;
		}
	}
}

struct disk_memory *disk_cut_make(const struct disk_memory *disk, const struct disk_cut *cut)
{
	struct disk_memory *after = disk_memory_create(true);
	struct names names = {0};

	/* The names hold inodes of the old disk for a moment. */
	cut_names(disk, cut, (struct disk_memory *)disk, &names);
	for (size_t i = 0; i < names.count; i++) {
		struct inode *inode = disk_memory_add_inode(after);

		cut_inode(inode, names.list[i].inode, cut);
		disk_memory_set_name(after, &after->state->now, names.list[i].text, inode);
		disk_memory_set_name(after, &after->state->lasting, names.list[i].text, inode);
	}
	while (names.count) {
		disk_memory_set_name((struct disk_memory *)disk, &names, names.list[0].text, NULL);
	}
	free(names.list);
	return after;
}

struct disk_cut disk_cut_choose(const struct disk_memory *disk, uint64_t *seed)
{
	uint64_t numbers[256];
	size_t count = disk_cut_list(disk, numbers, 256);
	uint64_t dice = disk_memory_random(seed);
	struct disk_cut cut = {
		.kind = (enum disk_cut_kind)(dice % (DISK_CUT_SECTORS + 1)),
		.size = (enum disk_cut_size)(dice / 16 % 4),
		.sector = dice / 64 % 17,
		.names_apart = dice / 4096 % 4 == 0,
		.seed = disk_memory_random(seed),
	};

	/* Random sectors find most; the middle of a long write is torn as often as its start. */
	if (dice / 16384 % 2) {
		cut.kind = DISK_CUT_SECTORS;
	}
	if (dice / 32768 % 4 == 0) {
		cut.sector *= 128;
	}
	if (count) {
		cut.number = numbers[cut.seed % (count < 256 ? count : 256)];
	}
	return cut;
}

const char *disk_cut_describe(const struct disk_cut *cut, char *ret_text, size_t size)
{
	static const char *const kinds[] = {"none kept",     "all kept", "one dropped",
					    "one kept",	     "torn",	 "random effects",
					    "random sectors"};
	static const char *const sizes[] = {"new size", "old size", "size of data", "random size"};

	snprintf(ret_text, size, "%s, %s, number %llu, sector %llu, seed %llx%s", kinds[cut->kind],
		 sizes[cut->size], (unsigned long long)cut->number, (unsigned long long)cut->sector,
		 (unsigned long long)cut->seed, cut->names_apart ? ", names apart" : "");
	return ret_text;
}
