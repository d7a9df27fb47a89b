/* SPDX-License-Identifier: Apache-2.0 */
/* Real devices: the way to the trusted prompt stays open, and none has two owners. */
#include "prove_private.h"

#define NODE_BIT(node) (1ull << (node))
#define USB_HUMAN      0x030000u /* class of keyboards, among others */

static bool role_is(const struct model_node *node, enum text_bus bus, uint32_t what)
{
	if (node->type != MODEL_ROLE) {
		return false;
	}
	for (uint32_t i = 0; i < node->role->match_count; i++) {
		if (node->role->match[i].bus == bus && (node->role->match[i].what & what)) {
			return true;
		}
	}
	return false;
}

/* The partition that owns a role, or MODEL_PARTS_MAX. */
static uint32_t owner_of(const struct model *model, uint32_t role)
{
	uint32_t part = 0;

	while (part < model->part_count && role < model->node_count &&
	       !(model->part[part].key[TEXT_OWNS].nodes & NODE_BIT(role))) {
		part++;
	}
	return part < model->part_count && role < model->node_count ? part : MODEL_PARTS_MAX;
}

/* The role that devices of this sort are of: the first one that they fit. node_count: none. */
static uint32_t find_role(const struct model *model, enum text_bus bus, uint32_t what)
{
	uint32_t role = 0;

	while (role < model->node_count && !role_is(&model->node[role], bus, what)) {
		role++;
	}
	return role;
}

/* Whether devices of this sort are control's. A second role of the sort does not help: no device
 * would ever be of it. */
static void prove_way(struct prove *prove, enum text_kind kind, enum text_bus bus, uint32_t what,
		      const char *message, const char *hint)
{
	const struct model *model = prove->model;
	const uint32_t role = find_role(model, bus, what);
	const uint32_t from = kind == TEXT_INPUT ? role : MODEL_CONTROL;
	const uint32_t to = kind == TEXT_INPUT ? MODEL_CONTROL : role;
	const uint32_t owner = owner_of(model, role);
	const struct cells_row *row = NULL;

	if (role < model->node_count) {
		row = cells_find(prove->cells, kind, from, to, 1, 0);
	}
	if (row && row->verdict == TEXT_ALLOW && owner == MODEL_PARTS_MAX) {
		return;
	}
	diag_add(prove->diags, DIAG_ERROR, model->node[MODEL_CONTROL].origin.pos, hint, "%s",
		 message);
	if (role < model->node_count && owner != MODEL_PARTS_MAX) {
		diag_add(prove->diags, DIAG_NOTE, model->part[owner].key[TEXT_OWNS].origin.pos,
			 NULL, "%s is %s's own", prove_name(prove, role), prove_name(prove, owner));
	} else if (row && row->verdict != TEXT_ALLOW) {
		diag_add(prove->diags, DIAG_NOTE, model->rule[row->rule].pos, NULL,
			 "rule %s does not allow %s", model->rule[row->rule].text->id,
			 prove_name(prove, role));
	} else if (role < model->node_count) {
		diag_add(prove->diags, DIAG_NOTE, model->node[role].origin.pos, NULL,
			 "no rule allows %s, the first role that they fit",
			 prove_name(prove, role));
	}
}

/* Whether a class says no more than that the device is one of these. */
static bool takes_class(const struct text_role *role, enum text_bus bus, uint32_t code,
			uint32_t mask)
{
	for (uint32_t i = 0; i < role->match_count; i++) {
		const struct text_match *match = &role->match[i];

		if (match->bus == bus && match->vendor == UINT32_MAX &&
		    ((match->class_code ^ code) & match->class_mask & mask) == 0) {
			return true;
		}
	}
	return false;
}

/* Who owns devices by their class gets the first one: the card that the prompt is drawn on, the
 * controller that keyboards hang on. A keyboard may well hang on none. */
static void prove_controllers(struct prove *prove, uint32_t part, uint32_t role)
{
	const struct diag_pos pos = prove->model->part[part].key[TEXT_OWNS].origin.pos;
	const struct text_role *devices = prove->model->node[role].role;

	if ((prove->checks & PROVE_SCREEN) &&
	    takes_class(devices, TEXT_BUS_PCI, 0x030000, 0xff0000)) {
		diag_add(prove->diags, DIAG_ERROR, pos,
			 "name a second card by its vendor and product, as in 'pci 10de:1b06'",
			 "%s owns %s, which may be the card that shows the trusted prompt",
			 prove_name(prove, part), prove_name(prove, role));
	}
	if ((prove->checks & PROVE_KEYBOARD) &&
	    (takes_class(devices, TEXT_BUS_PCI, 0x0c0300, 0xffff00) ||
	     takes_class(devices, TEXT_BUS_USB, USB_HUMAN, 0xff0000))) {
		diag_add(prove->diags, DIAG_WARNING, pos,
			 "use it where the keyboard is not on USB, or name one device by its "
			 "vendor and product",
			 "%s owns %s: a keyboard on USB would not reach the trusted prompt",
			 prove_name(prove, part), prove_name(prove, role));
	}
}

/* Who is handed what people touch, by its class, may be handed the keyboard of the prompt. */
static void prove_handed(struct prove *prove, uint32_t role)
{
	const struct model *model = prove->model;

	for (uint32_t part = 0; part < model->part_count; part++) {
		const struct cells_cell *cell = cells_cell(prove->cells, TEXT_USB, role, part);
		const struct cells_row *row;

		if (cell->count == 0 || prove->cells->row[cell->loosest].verdict == TEXT_DENY) {
			continue;
		}
		row = &prove->cells->row[cell->loosest];
		diag_add(prove->diags, DIAG_WARNING, model->rule[row->rule].pos,
			 "name one device by its vendor and product, as in 'usb 046d:c31c'",
			 "rule %s hands %s to %s: a keyboard on USB would not reach the trusted "
			 "prompt",
			 model->rule[row->rule].text->id, prove_name(prove, role),
			 prove_name(prove, part));
	}
}

void prove_prompt(struct prove *prove)
{
	const struct model *model = prove->model;

	for (uint32_t role = model->part_count; role < model->node_count; role++) {
		if ((prove->checks & PROVE_KEYBOARD) && model->node[role].type == MODEL_ROLE &&
		    takes_class(model->node[role].role, TEXT_BUS_USB, USB_HUMAN, 0xff0000)) {
			prove_handed(prove, role);
		}
	}

	for (uint32_t part = 0; part < model->part_count; part++) {
		for (model_set left = model->part[part].key[TEXT_OWNS].nodes; left;
		     left &= left - 1) {
			prove_controllers(prove, part, (uint32_t)__builtin_ctzll(left));
		}
	}
	if (prove->checks & PROVE_KEYBOARD) {
		prove_way(prove, TEXT_INPUT, TEXT_BUS_INPUT, TEXT_DEVICE_KEYBOARD,
			  "no keyboard reaches the trusted prompt",
			  "add a rule 'allow input ROLE -> control' for a role that is a keyboard");
	}
	if (prove->checks & PROVE_SCREEN) {
		prove_way(prove, TEXT_DISPLAY, TEXT_BUS_OUTPUT, 1,
			  "no screen shows the trusted prompt",
			  "add a rule 'allow display control -> ROLE' for a role that is a screen");
	}
}

static bool same_match(const struct text_match *a, const struct text_match *b)
{
	uint32_t mask = a->class_mask & b->class_mask;
	bool named = a->vendor != UINT32_MAX;

	if (a->bus != b->bus || named != (b->vendor != UINT32_MAX)) {
		return false;
	}
	if (a->bus == TEXT_BUS_INPUT || a->bus == TEXT_BUS_OUTPUT) {
		return a->what & b->what;
	}
	if (named) {
		return a->vendor == b->vendor && a->product == b->product;
	}
	return (a->class_code & mask) == (b->class_code & mask);
}

/* Whether two roles name one device in the same way: by a class within the other, by the same
 * vendor and product, by the same word. */
static bool same_devices(const struct text_role *a, const struct text_role *b)
{
	for (uint32_t i = 0; i < a->match_count; i++) {
		for (uint32_t j = 0; j < b->match_count; j++) {
			if (same_match(&a->match[i], &b->match[j])) {
				return true;
			}
		}
	}
	return false;
}

static void prove_owner_pair(struct prove *prove, uint32_t first, uint32_t second)
{
	const struct model *model = prove->model;
	const struct model_value *a = &model->part[first].key[TEXT_OWNS];
	const struct model_value *b = &model->part[second].key[TEXT_OWNS];

	for (model_set mine = a->nodes; mine; mine &= mine - 1) {
		for (model_set theirs = b->nodes; theirs; theirs &= theirs - 1) {
			uint32_t role = (uint32_t)__builtin_ctzll(mine);
			uint32_t other = (uint32_t)__builtin_ctzll(theirs);

			if (role != other &&
			    !same_devices(model->node[role].role, model->node[other].role)) {
				continue;
			}
			diag_add(prove->diags, DIAG_ERROR, b->origin.pos,
				 "let one of the two own it",
				 "%s owns %s, and %s owns %s%s: a device has one owner",
				 prove_name(prove, second), prove_name(prove, other),
				 prove_name(prove, first), role == other ? "it" : "the same as ",
				 role == other ? " too" : prove_name(prove, role));
			diag_add(prove->diags, DIAG_NOTE, a->origin.pos, NULL, "owned here");
		}
	}
}

/* An owned role stays with its owner: other partitions neither get it nor are asked about it. */
static void prove_unshared(struct prove *prove, uint32_t owner, uint32_t role)
{
	const struct model *model = prove->model;

	for (unsigned int kind = 0; kind < TEXT_KINDS; kind++) {
		for (uint32_t i = 0; i < 2 * model->part_count; i++) {
			uint32_t part = i / 2;
			const struct cells_cell *cell =
				cells_cell(prove->cells, (enum text_kind)kind, i % 2 ? part : role,
					   i % 2 ? role : part);
			const struct cells_row *row = NULL;

			if (part == owner || cell->count == 0) {
				continue;
			}
			row = &prove->cells->row[cell->loosest];
			if (row->verdict == TEXT_DENY) {
				continue;
			}
			diag_add(prove->diags, DIAG_ERROR, model->rule[row->rule].pos,
				 "deny it before this rule, or let nobody own the device",
				 "rule %s gives %s to %s, but %s owns it",
				 model->rule[row->rule].text->id, prove_name(prove, role),
				 prove_name(prove, part), prove_name(prove, owner));
			diag_add(prove->diags, DIAG_NOTE,
				 model->part[owner].key[TEXT_OWNS].origin.pos, NULL, "owned here");
		}
	}
}

void prove_owners(struct prove *prove)
{
	const struct model *model = prove->model;

	for (uint32_t part = 0; part < model->part_count; part++) {
		for (uint32_t first = 0; first < part; first++) {
			prove_owner_pair(prove, first, part);
		}
		for (model_set left = model->part[part].key[TEXT_OWNS].nodes; left;
		     left &= left - 1) {
			prove_unshared(prove, part, (uint32_t)__builtin_ctzll(left));
		}
	}
}
