/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the part that root mode reads, and the bounds that it sets. */
#include "emit_private.h"

#include <string.h>

#include "module.h"

#define PART_DEVICES_MAX 4u /* slots that a runner has for real devices */

#define RAM_STEP (2ull << 20)

static const struct bound {
	enum text_key key;
	uint64_t low, high, step;
	const char *what;
} bounds[] = {
	{TEXT_MEMORY, RAM_STEP, 3ull << 30, RAM_STEP, "2 MiB to 3 GiB in steps of 2 MiB"},
	{TEXT_VCPUS, 1, BH_VCPU_MAX, 1, "1 to 8"},
	{TEXT_CPU_WEIGHT, 1, 10000, 1, "1 to 10000"},
	{TEXT_CPU_CAP, 0, 100u * BH_VCPU_MAX, 1, "1 % to 800 %"},
	{TEXT_DOORBELLS, 0, BH_DOORBELL_MAX, 1, "0 to 16"},
};

uint64_t emit_number(const struct model *model, uint32_t part, enum text_key key)
{
	const struct model_value *value = &model->part[part].key[key];

	return value->given ? value->number : 0;
}

static void check_bounds(struct emit *emit, uint32_t part)
{
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		const struct bound *bound = &bounds[i];
		uint64_t number = emit_number(emit->model, part, bound->key);
		char hint[64] = "it can be ";

		if (number < bound->low || number > bound->high || number % bound->step != 0) {
			strcat(hint, bound->what);
			diag_add(emit->diags, DIAG_ERROR,
				 emit->model->part[part].key[bound->key].origin.pos, hint,
				 "root mode cannot give partition '%s' this %s",
				 emit->model->node[part].name, text_key_word(bound->key));
		}
	}
}

static void add_part(struct emit *emit, uint32_t id)
{
	const struct model *model = emit->model;
	const bool control = id == MODEL_CONTROL;
	const uint16_t ends =
		!control && emit_number(model, id, TEXT_BACKENDS) != 0 ? 1u << MODEL_CONTROL : 0;
	struct bh_policy_part part = {
		.ram_size = emit_number(model, id, TEXT_MEMORY),
		.vcpu_count = (uint32_t)emit_number(model, id, TEXT_VCPUS),
		.weight = (uint32_t)emit_number(model, id, TEXT_CPU_WEIGHT),
		.flags = control ? BH_POLICY_CONTROL : 0,
		.doorbell_count = (uint32_t)emit_number(model, id, TEXT_DOORBELLS),
		.cap = (uint32_t)emit_number(model, id, TEXT_CPU_CAP),
		.map_by = ends,
		.ring_to = ends,
		.irq_from = ends,
	};

	check_bounds(emit, id);
	memcpy(part.name, model->node[id].name, strlen(model->node[id].name));
	emit_buffer_add(&emit->root, &part, sizeof(part));
}

static void add_module(struct emit *emit, uint32_t id)
{
	const struct emit_module *from = &emit->module[id];
	struct bh_policy_module module = {.size = from->size, .crc32c = from->crc32c};
	const char *why = NULL;

	if (!module_check_role(from->role)) {
		why = "a role is 1 to 15 of a-z, 0-9 and -, and is not 'policy'";
	} else if (from->size == 0) {
		why = "the file is empty";
	}
	for (uint32_t i = 0; i < id && why == NULL; i++) {
		if (strcmp(emit->module[i].role, from->role) == 0) {
			why = "the role is given twice";
		}
	}
	if (why != NULL) {
		diag_add(emit->diags, DIAG_ERROR, (struct diag_pos){0}, why,
			 "boot module '%s' cannot be in a table", from->role);
		return;
	}
	memcpy(module.role, from->role, strlen(from->role));
	emit_buffer_add(&emit->root, &module, sizeof(module));
}

/* The partition that owns a role, MODEL_CONTROL: none does. */
static uint32_t find_owner(const struct model *model, uint32_t role)
{
	for (uint32_t part = MODEL_CONTROL + 1; part < model->part_count; part++) {
		const struct model_value *owns = &model->part[part].key[TEXT_OWNS];

		if (owns->given && owns->nodes >> role & 1) {
			return part;
		}
	}
	return MODEL_CONTROL;
}

/* Whether a PCI function could fit both. */
static bool overlap(const struct text_match *a, const struct text_match *b)
{
	return a->bus == TEXT_BUS_PCI && b->bus == TEXT_BUS_PCI &&
	       ((a->class_code ^ b->class_code) & a->class_mask & b->class_mask) == 0 &&
	       (a->vendor == UINT32_MAX || b->vendor == UINT32_MAX || a->vendor == b->vendor) &&
	       (a->product == UINT32_MAX || b->product == UINT32_MAX || a->product == b->product);
}

/* Whether root mode, which gives each owned role the first function that is left, could give this
 * role one of an earlier role: it knows none that nobody owns, and of a class it takes one only. */
static bool takes_from(const struct model *model, uint32_t role, const struct text_match *match,
		       uint32_t earlier, const struct text_match *other)
{
	const uint32_t owner = find_owner(model, earlier);
	const bool wider = other->vendor == UINT32_MAX && match->vendor != UINT32_MAX;

	return overlap(other, match) &&
	       (owner == MODEL_CONTROL || (wider && owner != find_owner(model, role)));
}

/* A function belongs to the first role that it fits. */
static void check_earlier(struct emit *emit, uint32_t role, const struct text_match *match)
{
	const struct model *model = emit->model;

	for (uint32_t i = model->part_count; i < role; i++) {
		const struct text_role *other = model->node[i].role;
		const uint32_t owner = find_owner(model, i);

		for (uint32_t k = 0; other != NULL && k < other->match_count; k++) {
			if (takes_from(model, role, match, i, &other->match[k])) {
				diag_add(emit->diags, DIAG_ERROR, model->node[role].origin.pos,
					 "let both have classes or makers apart, or one owner",
					 "a device of role '%s', which %s owns, can be of role "
					 "'%s' before, which %s owns",
					 model->node[role].name,
					 model->node[find_owner(model, role)].name,
					 model->node[i].name,
					 owner == MODEL_CONTROL ? "none" : model->node[owner].name);
				return;
			}
		}
	}
}

static uint32_t add_devices(struct emit *emit, uint32_t role)
{
	const struct model *model = emit->model;
	const struct text_role *text = model->node[role].role;
	const uint32_t owner = find_owner(model, role);
	uint32_t count = 0;

	for (uint32_t i = 0; owner != MODEL_CONTROL && text != NULL && i < text->match_count; i++) {
		const struct text_match *match = &text->match[i];
		struct bh_policy_device device = {
			.class_code = match->class_code,
			.class_mask = match->class_mask,
			.vendor = (uint16_t)match->vendor, /* any: 0xffff in both */
			.device = (uint16_t)match->product,
			.part = (uint16_t)owner,
		};

		if (match->bus != TEXT_BUS_PCI) {
			continue;
		}
		check_earlier(emit, role, match);
		memcpy(device.role, model->node[role].name, strlen(model->node[role].name));
		emit_buffer_add(&emit->root, &device, sizeof(device));
		count++;
	}
	return count;
}

static void check_owners(struct emit *emit)
{
	const struct model *model = emit->model;

	for (uint32_t part = 1; part < model->part_count; part++) {
		model_set owned = model->part[part].key[TEXT_OWNS].nodes;
		uint32_t count = 0;

		for (; owned != 0; owned &= owned - 1) {
			const struct text_role *role = model->node[__builtin_ctzll(owned)].role;

			count += role != NULL && role->match_count > 0 &&
				 role->match[0].bus == TEXT_BUS_PCI;
		}
		if (count > PART_DEVICES_MAX) {
			diag_add(emit->diags, DIAG_ERROR,
				 model->part[part].key[TEXT_OWNS].origin.pos,
				 "let it own fewer roles",
				 "a partition has room for %u PCI devices; '%s' owns %u roles",
				 PART_DEVICES_MAX, model->node[part].name, count);
		}
	}
}

int emit_root(struct emit *emit)
{
	const struct model *model = emit->model;
	struct bh_policy root = {
		.magic = BH_POLICY_MAGIC,
		.version = BH_POLICY_VERSION,
		.part_count = model->part_count,
		.module_count = emit->module_count,
		.flags = model->iommu_required ? BH_POLICY_IOMMU_REQUIRED : 0,
		.serial = emit->serial,
	};
	uint32_t device_count = 0;

	emit_buffer_add(&emit->root, &root, sizeof(root));
	for (uint32_t i = 0; i < model->part_count; i++) {
		add_part(emit, i);
	}
	for (uint32_t i = 0; i < emit->module_count; i++) {
		add_module(emit, i);
	}
	for (uint32_t i = model->part_count; i < model->node_count; i++) {
		device_count += add_devices(emit, i);
	}
	if (device_count > BH_POLICY_DEVICE_MAX) {
		diag_add(emit->diags, DIAG_ERROR, (struct diag_pos){0},
			 "let partitions own fewer roles, or roles with fewer PCI devices",
			 "root mode can assign 8 devices; this policy names %u", device_count);
	}
	check_owners(emit);
	if (emit->root.failed) {
		return -1;
	}
	root.device_count = (uint16_t)device_count;
	root.size = (uint32_t)emit->root.size;
	memcpy(emit->root.bytes, &root, sizeof(root));
	return 0;
}
