/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions of a policy: the first match of each layer, what a later layer may do, and rows that
 * are disjoint, sorted and shared. */
#include "cells.h"
#include "made_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct made_model made;
static struct cells cells;
enum { a = MADE_MODEL_A, b, c };

static int setup(void **state)
{
	(void)state;
	made_model_init_abc(&made);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cells_fini(&cells);
	return 0;
}

static struct text_rule *add(enum text_layer layer, bool open, enum text_verdict verdict)
{
	return made_model_rule(&made, layer, open, verdict, TEXT_NETWORK, BIT(a), BIT(b));
}

static void build(void)
{
	cells_fini(&cells);
	assert_int_equal(cells_build(&made.model, &cells), 0);
}

static const struct cells_row *ask(uint16_t port)
{
	return cells_find(&cells, TEXT_NETWORK, a, b, 1, port);
}

/* What no rule names has no row. */
static void cells_have_no_row_without_rule(void **state)
{
	(void)state;
	build();
	assert_null(ask(80));
	assert_int_equal(cells.row_count, 0);
}

/* The first rule of a layer that matches decides, type by type and port by port. */
static void cells_first_match_decides(void **state)
{
	struct text_rule *rule = NULL;

	(void)state;
	rule = add(TEXT_VENDOR, false, TEXT_DENY);
	rule->port_lo = rule->port_hi = 80;
	rule->types = 1;
	(void)add(TEXT_VENDOR, false, TEXT_ALLOW);
	(void)add(TEXT_VENDOR, false, TEXT_ASK);
	build();
	assert_int_equal(ask(79)->verdict, TEXT_ALLOW);
	assert_int_equal(ask(80)->verdict, TEXT_DENY);
	assert_int_equal(ask(80)->rule, 0);
	assert_int_equal(ask(81)->rule, 1);
	assert_int_equal(cells_find(&cells, TEXT_NETWORK, a, b, 2, 80)->rule, 1);
	assert_int_equal(ask(0)->rule, 1);
	assert_int_equal(ask(65535)->rule, 1);
	assert_true(cells.reached[0]);
	assert_true(cells.reached[1]);
	assert_false(cells.reached[2]);
}

/* A rule holds for its own direction and partitions only. */
static void cells_keep_to_their_ends(void **state)
{
	(void)state;
	(void)add(TEXT_VENDOR, false, TEXT_ALLOW);
	build();
	assert_null(cells_find(&cells, TEXT_NETWORK, b, a, 1, 80));
	assert_null(cells_find(&cells, TEXT_NETWORK, a, c, 1, 80));
	assert_null(cells_find(&cells, TEXT_CHANNEL, a, b, 1, 80));
}

/* What a layer says for good, the next one can tighten and not loosen. */
static void cells_later_layer_only_tightens_what_is_fixed(void **state)
{
	(void)state;
	(void)add(TEXT_VENDOR, false, TEXT_ASK);
	(void)add(TEXT_IT, false, TEXT_ALLOW);
	build();
	assert_int_equal(ask(1)->verdict, TEXT_ASK);
	assert_int_equal(ask(1)->rule, 0);
	assert_false(cells.reached[1]);
	made.text[1].verdict = TEXT_DENY;
	build();
	assert_int_equal(ask(1)->verdict, TEXT_DENY);
	assert_int_equal(ask(1)->rule, 1);
	assert_true(cells.reached[1]);
}

/* What a layer says as a default, the next one replaces, limits and all. */
static void cells_next_layer_replaces_a_default(void **state)
{
	(void)state;
	add(TEXT_VENDOR, true, TEXT_DENY)->limits.size_max = 5;
	(void)add(TEXT_IT, false, TEXT_ALLOW);
	(void)add(TEXT_USER, false, TEXT_ASK);
	build();
	assert_int_equal(ask(1)->verdict, TEXT_ASK);
	assert_int_equal(ask(1)->limits.size_max, 0);
	made.text[2].verdict = TEXT_ALLOW;
	build();
	assert_int_equal(ask(1)->rule, 1);
}

/* A layer that is silent about a default closes it for the one after. */
static void cells_silence_keeps_and_closes(void **state)
{
	(void)state;
	(void)add(TEXT_VENDOR, true, TEXT_ASK);
	(void)add(TEXT_USER, false, TEXT_ALLOW);
	build();
	assert_int_equal(ask(1)->verdict, TEXT_ALLOW);
	made.model.has_layer[TEXT_IT] = true;
	build();
	assert_int_equal(ask(1)->verdict, TEXT_ASK);
}

/* What the first layer does not name stays denied, whatever later ones say. */
static void cells_silence_of_the_first_layer_denies(void **state)
{
	(void)state;
	made.model.has_layer[TEXT_VENDOR] = true;
	(void)add(TEXT_IT, false, TEXT_ALLOW);
	build();
	assert_null(ask(1));
	assert_false(cells.reached[0]);
	made.model.has_layer[TEXT_VENDOR] = false;
	build();
	assert_int_equal(ask(1)->verdict, TEXT_ALLOW);
}

/* Each limit becomes the smaller one that was given; quarantine and read-only stay. */
static void cells_limits_only_shrink(void **state)
{
	struct text_limits *limits = NULL;

	(void)state;
	limits = &add(TEXT_VENDOR, false, TEXT_ALLOW)->limits;
	*limits = (struct text_limits){.size_max = 10, .count_max = 3, .quarantine = true};
	limits = &add(TEXT_IT, false, TEXT_ALLOW)->limits;
	*limits = (struct text_limits){
		.size_max = 20, .rate_max = 7, .count_max = 2, .seconds_max = 9, .readonly = true};
	build();
	limits = &cells.row[0].limits;
	assert_int_equal(cells.row[0].rule, 0);
	assert_int_equal(limits->size_max, 10);
	assert_int_equal(limits->rate_max, 7);
	assert_int_equal(limits->count_max, 2);
	assert_int_equal(limits->seconds_max, 9);
	assert_true(limits->quarantine);
	assert_true(limits->readonly);
	assert_true(cells.reached[1]);
}

/* Cells that come to the same rows have them once. */
static void cells_share_equal_rows(void **state)
{
	model_set all = BIT(a) | BIT(b) | BIT(c);

	(void)state;
	(void)made_model_rule(&made, TEXT_VENDOR, false, TEXT_ASK, TEXT_FILE, BIT(a), BIT(b));
	(void)made_model_rule(&made, TEXT_VENDOR, false, TEXT_DENY, TEXT_FILE, all, all);
	build();
	assert_int_equal(cells.row_count, 2);
	assert_int_equal(cells_cell(&cells, TEXT_FILE, b, a)->row,
			 cells_cell(&cells, TEXT_FILE, c, c)->row);
}

/* The meaning of layers, read from the document, for one question. */
static void decide_slowly(uint32_t from, uint32_t to, uint32_t type, uint32_t port,
			  struct cells_row *ret_row)
{
	struct cells_row row = {.verdict = TEXT_DENY, .rule = CELLS_NO_RULE};
	bool open = true;

	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		const struct model_rule *hit = NULL;
		uint32_t i = 0;

		for (i = 0; i < made.model.rule_count && !hit; i++) {
			const struct model_rule *r = &made.rule[i];

			if (r->layer == layer && r->text->kind == TEXT_NETWORK &&
			    (r->from & BIT(from)) && (r->to & BIT(to)) && (r->text->types & type) &&
			    r->text->port_lo <= port && r->text->port_hi >= port) {
				hit = r;
			}
		}
		if (!made.model.has_layer[layer]) {
			continue;
		}
		if (!hit) {
			open = false;
		} else if (open) {
			row.verdict = hit->text->verdict;
			row.rule = i - 1;
			row.limits = hit->text->limits;
			open = hit->open;
		} else {
			uint64_t size = hit->text->limits.size_max;

			if (hit->text->verdict < row.verdict) {
				row.verdict = hit->text->verdict;
				row.rule = i - 1;
			}
			if (size && (!row.limits.size_max || size < row.limits.size_max)) {
				row.limits.size_max = size;
			}
		}
	}
	*ret_row = row;
}

static void check_rows(uint32_t from, uint32_t to)
{
	const struct cells_cell *cell = cells_cell(&cells, TEXT_NETWORK, from, to);

	for (uint32_t i = cell->row; i < cell->row + cell->count; i++) {
		const struct cells_row *row = &cells.row[i], *last = row - 1;

		assert_true(row->types != 0);
		assert_true(row->port_lo <= row->port_hi);
		assert_true(row->verdict <= cells.row[cell->loosest].verdict);
		if (i > cell->row && row->port_lo == last->port_lo) {
			assert_int_equal(row->port_hi, last->port_hi);
			assert_true((row->types & -row->types) > (last->types & -last->types));
			assert_int_equal(row->types & last->types, 0);
		} else if (i > cell->row) {
			assert_true(row->port_lo > last->port_hi);
		}
	}
}

static void check_question(uint32_t from, uint32_t to, uint32_t type, uint16_t port)
{
	const struct cells_row *row = cells_find(&cells, TEXT_NETWORK, from, to, type, port);
	struct cells_row want;

	decide_slowly(from, to, type, port, &want);
	if (!row) {
		assert_int_equal(want.rule, CELLS_NO_RULE);
		return;
	}
	assert_int_equal(row->verdict, want.verdict);
	assert_int_equal(row->rule, want.rule);
	assert_int_equal(row->limits.size_max, want.limits.size_max);
}

static void make_random(void)
{
	uint32_t layers = 1 + (uint32_t)rand() % 7;

	(void)setup(NULL);
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		uint32_t count = layers & 1u << layer ? (uint32_t)rand() % 8 : 0;

		made.model.has_layer[layer] = layers & 1u << layer;
		while (count--) {
			struct text_rule *rule = made_model_rule(
				&made, layer, rand() % 2, (enum text_verdict)(rand() % 3),
				rand() % 8 ? TEXT_NETWORK : TEXT_CHANNEL, (model_set)rand() % 16,
				(model_set)rand() % 16);
			uint16_t x = (uint16_t)(rand() % 2 ? rand() % 12 : 65530 + rand() % 6);
			uint16_t y = (uint16_t)(rand() % 2 ? rand() % 12 : 65530 + rand() % 6);

			rule->limits.size_max = (uint64_t)rand() % 3;
			if (rand() % 3) {
				rule->types = 1 + (uint32_t)rand() % text_types_all(rule->kind);
				rule->port_lo = x < y ? x : y;
				rule->port_hi = x < y ? y : x;
			}
		}
	}
}

/* Random policies come to what the document says for each question, at every border of ports. */
static void cells_agree_with_the_document(void **state)
{
	(void)state;
	srand(5);
	for (uint32_t round = 0; round < 200; round++) {
		make_random();
		build();
		for (uint32_t pair = 0; pair < 16; pair++) {
			check_rows(pair / 4, pair % 4);
			for (uint32_t i = 0; i < 24 * 3; i++) {
				uint32_t port = i / 3 < 14 ? i / 3 : 65512 + i / 3;

				check_question(pair / 4, pair % 4, 1u << i % 3, (uint16_t)port);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(cells_have_no_row_without_rule, setup, teardown),
		cmocka_unit_test_setup_teardown(cells_first_match_decides, setup, teardown),
		cmocka_unit_test_setup_teardown(cells_keep_to_their_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(cells_later_layer_only_tightens_what_is_fixed,
						setup, teardown),
		cmocka_unit_test_setup_teardown(cells_next_layer_replaces_a_default, setup,
						teardown),
		cmocka_unit_test_setup_teardown(cells_silence_keeps_and_closes, setup, teardown),
		cmocka_unit_test_setup_teardown(cells_silence_of_the_first_layer_denies, setup,
						teardown),
		cmocka_unit_test_setup_teardown(cells_limits_only_shrink, setup, teardown),
		cmocka_unit_test_setup_teardown(cells_share_equal_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(cells_agree_with_the_document, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
