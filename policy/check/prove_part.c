/* SPDX-License-Identifier: Apache-2.0 */
/* Partitions fit the machine and each other: memory, CPU, order of start, disks. */
#include <string.h>

#include "prove_private.h"

#define NODE_BIT(node)	(1ull << (node))
#define MEMORY_GRAIN	(2ull << 20)
#define MEMORY_PART_MAX (3ull << 30) /* RAM of a guest ends where its devices begin */
#define PERCENT_ALL	100u

static const struct model_value *value_of(const struct prove *prove, uint32_t part,
					  enum text_key key)
{
	return &prove->model->part[part].key[key];
}

void prove_memory(struct prove *prove)
{
	for (uint32_t part = 0; part < prove->model->part_count; part++) {
		const struct model_value *memory = value_of(prove, part, TEXT_MEMORY);

		if (memory->number == 0 || memory->number % MEMORY_GRAIN != 0) {
			diag_add(prove->diags, DIAG_ERROR, memory->origin.pos,
				 "write it as a number of MiB that is even",
				 "memory of %s is no multiple of 2 MiB", prove_name(prove, part));
		} else if (memory->number > MEMORY_PART_MAX) {
			diag_add(prove->diags, DIAG_ERROR, memory->origin.pos, "give it 3 GiB",
				 "%s has more than 3 GiB, the most that a partition can have",
				 prove_name(prove, part));
		}
	}
}

/* What a partition weighs when all of its vcpus run. */
static uint64_t pull_of(const struct prove *prove, uint32_t part)
{
	return value_of(prove, part, TEXT_CPU_WEIGHT)->number *
	       value_of(prove, part, TEXT_VCPUS)->number;
}

static void prove_guarantee(struct prove *prove, uint32_t part, uint64_t all)
{
	const struct model_value *guarantee = value_of(prove, part, TEXT_CPU_GUARANTEE);
	const struct model_value *cap = value_of(prove, part, TEXT_CPU_CAP);
	uint64_t share = pull_of(prove, part) * PERCENT_ALL;

	if (guarantee->number == 0) {
		return;
	}
	if (cap->number != 0 && cap->number < guarantee->number) {
		diag_add(prove->diags, DIAG_ERROR, guarantee->origin.pos,
			 "raise the cap or lower the guarantee",
			 "%s cannot get %u%% of one CPU with a cap of %u%%",
			 prove_name(prove, part), (unsigned int)guarantee->number,
			 (unsigned int)cap->number);
		diag_add(prove->diags, DIAG_NOTE, cap->origin.pos, NULL, "the cap");
	}
	if (share < guarantee->number * all) {
		diag_add(prove->diags, DIAG_ERROR, guarantee->origin.pos,
			 "raise its cpu weight, or lower that of others: a share is weight times "
			 "vcpus, of the sum of all partitions",
			 "%s is guaranteed %u%% of the machine, and its weight gives it %u%%",
			 prove_name(prove, part), (unsigned int)guarantee->number,
			 (unsigned int)(share / all));
	}
}

void prove_cpu(struct prove *prove)
{
	uint64_t all = 0;

	for (uint32_t part = 0; part < prove->model->part_count; part++) {
		all += pull_of(prove, part);
	}
	for (uint32_t part = 0; part < prove->model->part_count; part++) {
		prove_guarantee(prove, part, all);
	}
}

/* Partitions that start before `part`, over any number of steps. */
static model_set waits_for(const struct prove *prove, uint32_t part)
{
	model_set seen = 0, next = value_of(prove, part, TEXT_AFTER)->nodes;

	while (next) {
		uint32_t node = (uint32_t)__builtin_ctzll(next);

		seen |= NODE_BIT(node);
		next |= value_of(prove, node, TEXT_AFTER)->nodes;
		next &= ~seen;
	}
	return seen;
}

/* Partitions that wait for `part` and that it waits for, itself among them if there are any. */
static model_set circle_of(const struct prove *prove, uint32_t part)
{
	model_set circle = 0;

	for (model_set left = waits_for(prove, part); left; left &= left - 1) {
		uint32_t node = (uint32_t)__builtin_ctzll(left);

		circle |= waits_for(prove, node) & NODE_BIT(part) ? NODE_BIT(node) : 0;
	}
	return circle;
}

static void refuse_circle(struct prove *prove, uint32_t part, model_set circle)
{
	diag_add(prove->diags, DIAG_ERROR, value_of(prove, part, TEXT_AFTER)->origin.pos,
		 "take one 'after' of the circle away", "%s would wait for itself to start",
		 prove_name(prove, part));
	for (model_set left = circle; left; left &= left - 1) {
		uint32_t node = (uint32_t)__builtin_ctzll(left);
		const struct model_value *after = value_of(prove, node, TEXT_AFTER);

		for (model_set next = after->nodes & circle; next; next &= next - 1) {
			diag_add(prove->diags, DIAG_NOTE, after->origin.pos, NULL,
				 "%s starts after %s", prove_name(prove, node),
				 prove_name(prove, (uint32_t)__builtin_ctzll(next)));
		}
	}
}

static void prove_startable(struct prove *prove, uint32_t part, model_set before)
{
	if (value_of(prove, part, TEXT_START)->number == TEXT_START_NEVER) {
		return;
	}
	for (; before; before &= before - 1) {
		uint32_t node = (uint32_t)__builtin_ctzll(before);
		const struct model_value *start = value_of(prove, node, TEXT_START);

		if (node == MODEL_CONTROL || start->number != TEXT_START_NEVER) {
			continue;
		}
		diag_add(prove->diags, DIAG_ERROR, value_of(prove, part, TEXT_AFTER)->origin.pos,
			 "let that one start, or this one not wait for it",
			 "%s cannot start: it waits for %s, which never starts",
			 prove_name(prove, part), prove_name(prove, node));
		diag_add(prove->diags, DIAG_NOTE, start->origin.pos, NULL, "said here");
	}
}

void prove_order(struct prove *prove)
{
	model_set told = 0;

	for (uint32_t part = 0; part < prove->model->part_count; part++) {
		model_set circle = circle_of(prove, part);

		if (!circle) {
			prove_startable(prove, part, waits_for(prove, part));
		} else if (!(told & NODE_BIT(part))) {
			refuse_circle(prove, part, circle);
			told |= circle;
		}
	}
}

static bool writes(const struct model_disk *disk)
{
	return !(disk->flags & (TEXT_DISK_READONLY | TEXT_DISK_THROWAWAY));
}

/* Who has an encrypted disk must not be able to put what it holds on a plain one. */
static void prove_encryption(struct prove *prove, uint32_t number)
{
	const struct model_part *part = &prove->model->part[number];
	const struct model_disk *secret = NULL;

	for (uint32_t i = 0; i < part->disk_count && !secret; i++) {
		secret = part->disk[i].flags & TEXT_DISK_ENCRYPTED ? &part->disk[i] : NULL;
	}
	for (uint32_t i = 0; i < part->disk_count && secret; i++) {
		const struct model_disk *disk = &part->disk[i];

		if ((disk->flags & TEXT_DISK_ENCRYPTED) || !writes(disk)) {
			continue;
		}
		diag_add(prove->diags, DIAG_ERROR, disk->origin.pos,
			 "write 'encrypted', 'read-only' or 'throw-away' behind this disk",
			 "%s has an encrypted disk and could write its secrets to this plain one",
			 prove_name(prove, number));
		diag_add(prove->diags, DIAG_NOTE, secret->origin.pos, NULL, "the encrypted one");
	}
}

static void prove_writers(struct prove *prove, uint32_t first, uint32_t second)
{
	const struct model_part *a = &prove->model->part[first];
	const struct model_part *b = &prove->model->part[second];

	for (uint32_t i = 0; i < a->disk_count; i++) {
		for (uint32_t j = 0; j < b->disk_count; j++) {
			if (!writes(&a->disk[i]) || !writes(&b->disk[j]) ||
			    strcmp(a->disk[i].file, b->disk[j].file) != 0) {
				continue;
			}
			diag_add(prove->diags, DIAG_ERROR, b->disk[j].origin.pos,
				 "give each its own disk, or make it read-only for one of them",
				 "%s and %s would both write this disk", prove_name(prove, first),
				 prove_name(prove, second));
			diag_add(prove->diags, DIAG_NOTE, a->disk[i].origin.pos, NULL,
				 "the other one");
		}
	}
}

void prove_disks(struct prove *prove)
{
	for (uint32_t part = 0; part < prove->model->part_count; part++) {
		prove_encryption(prove, part);
		for (uint32_t first = 0; first < part; first++) {
			prove_writers(prove, first, part);
		}
	}
}
