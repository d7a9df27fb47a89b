/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, as the table of verbs describes it. */
#include "tool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct {
	uint64_t size;
	bool fixed;
	const char *parent;
	int64_t number;
} opt;

static const struct tool_option options[] = {
	{"size", TOOL_SIZE, &opt.size, "SIZE", "size"},
	{"fixed", TOOL_FLAG, &opt.fixed, NULL, "fixed"},
	{"parent", TOOL_TEXT, &opt.parent, "NAME", "parent"},
	{"number", TOOL_NUMBER, &opt.number, "N", "number"},
	{0},
};

const struct tool_verb tool_verbs[] = {
	{.name = "make", .arguments = "DISK", .least = 1, .most = 1, .options = options},
	{.name = "key add", .arguments = "DISK", .least = 1, .most = 1, .flags = TOOL_SECRET},
	{.name = "key list", .arguments = "DISK", .least = 1, .most = 1},
	{.name = NULL},
};

static struct tool tool;

static int parse(const char *a, const char *b, const char *c, const char *d, char *kept[4])
{
	const char *all[] = {a, b, c, d};
	int count = 0;

	memset(&tool, 0, sizeof(tool));
	tool.verb = &tool_verbs[0];
	while (count < 4 && all[count]) {
		kept[count] = (char *)(uintptr_t)all[count];
		count++;
	}
	return tool_parse(&tool, count, kept);
}

/* Options may stand anywhere, with '=' or the next word; what is none is kept in order. */
static void args_take_options_anywhere(void **state)
{
	char *kept[4];

	(void)state;
	assert_int_equal(parse("--size=1G", "a.vhd", "--parent", "b.vhd", kept), 1);
	assert_string_equal(kept[0], "a.vhd");
	assert_int_equal(opt.size, 1 << 30);
	assert_string_equal(opt.parent, "b.vhd");
	assert_int_equal(parse("a.vhd", "--fixed", "--json", NULL, kept), 1);
	assert_true(opt.fixed && tool.json);
}

/* After "--" a name may begin with a dash; "-" alone is a name. */
static void args_end_at_two_dashes(void **state)
{
	char *kept[4];

	(void)state;
	assert_int_equal(parse("--", "--fixed", NULL, NULL, kept), 1);
	assert_string_equal(kept[0], "--fixed");
	assert_int_equal(parse("-", NULL, NULL, NULL, kept), 1);
}

/* Unknown options, missing and wrong values, too few and too many names are refused. */
static void args_refuse_what_is_wrong(void **state)
{
	char *kept[4];

	(void)state;
	assert_int_equal(parse("--colour", "a", NULL, NULL, kept), -1);
	assert_int_equal(parse("a", "--size", NULL, NULL, kept), -1);
	assert_int_equal(parse("a", "--size=big", NULL, NULL, kept), -1);
	assert_int_equal(parse("a", "--number=-2", NULL, NULL, kept), -1);
	assert_int_equal(parse("a", "--fixed=yes", NULL, NULL, kept), -1);
	assert_int_equal(parse(NULL, NULL, NULL, NULL, kept), -1);
	assert_int_equal(parse("a", "b", NULL, NULL, kept), -1);
	assert_int_equal(parse("a", "-x", NULL, NULL, kept), -1);
}

/* A passphrase cannot be given where everybody can read it, and only verbs that need one take a
 * file of it. */
static void args_have_no_passphrase(void **state)
{
	char *kept[4];

	(void)state;
	assert_int_equal(parse("a", "--passphrase", "x", NULL, kept), -1);
	assert_int_equal(parse("a", "--secret-file", "x", NULL, kept), -1);
}

/* A verb is one word or two; half of two is none. */
static void args_find_verbs_of_two_words(void **state)
{
	char *two[] = {(char[]){"key"}, (char[]){"list"}};
	char *half[] = {(char[]){"key"}, (char[]){"a.vhd"}};
	char *longer[] = {(char[]){"makes"}};
	int words;

	(void)state;
	assert_ptr_equal(tool_find_verb(two, 2, &words), &tool_verbs[2]);
	assert_int_equal(words, 2);
	assert_null(tool_find_verb(half, 2, &words));
	assert_null(tool_find_verb(half, 1, &words));
	assert_null(tool_find_verb(longer, 1, &words));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(args_take_options_anywhere),
		cmocka_unit_test(args_end_at_two_dashes),
		cmocka_unit_test(args_refuse_what_is_wrong),
		cmocka_unit_test(args_have_no_passphrase),
		cmocka_unit_test(args_find_verbs_of_two_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
