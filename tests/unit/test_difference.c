/* SPDX-License-Identifier: Apache-2.0 */
/** Two policies compared by what they decide. */
#include "difference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "policy_layers.h"

#define HEAD                                                                                       \
	"policy vendor \"V\" version 1\nzone net = 0.0.0.0/0\n"                                    \
	"partition control\nmemory 256 MiB\npartition one\nmemory 256 MiB\n"
#define TOP HEAD "partition two\nmemory 256 MiB\n"

static struct difference difference;

static int teardown(void **state)
{
	difference_fini(&difference);
	return 0;
}

static void compare(const char *old_text, const char *new_text)
{
	struct compile *old = policy_layers(old_text, NULL), *new = policy_layers(new_text, NULL);

	assert_int_equal(difference_build(old, new, &difference), 0);
	policy_layers_free(old);
	policy_layers_free(new);
}

/* A line of that section begins so. */
static void assert_said(enum difference_section section, const char *start)
{
	for (uint32_t i = 0; i < difference.count; i++) {
		if (difference.line[i].section == section &&
		    !strncmp(difference.line[i].text, start, strlen(start))) {
			return;
		}
	}
	for (uint32_t i = 0; i < difference.count; i++) {
		print_error("%u %s\n", difference.line[i].section, difference.line[i].text);
	}
	fail_msg("no line begins with %s", start);
}

/* Other words for the same decisions are no difference. */
static void difference_sees_through_words(void **state)
{
	compare(TOP "a: allow clipboard one -> two types text\nb: allow clipboard one -> two types "
		    "image\n",
		TOP "c: allow clipboard one -> two types image, text\n");
	assert_int_equal(difference.count, 0);
}

/* The four ways in which a flow can change. */
static void difference_sorts_flows(void **state)
{
	compare(TOP "a: allow clipboard one -> two types text\nb: ask file one -> two\n"
		    "c: allow link one -> two\nd: ask print one -> two\n",
		TOP "a: ask clipboard one -> two types text\nb: allow file one -> two\n"
		    "d: ask print one -> two\ne: allow folder one -> two\n");
	assert_int_equal(difference.count, 4);
	assert_said(DIFFERENCE_ASKED, "one -> two: clipboard types text; rule a");
	assert_said(DIFFERENCE_UNASKED, "one -> two: file; rule b");
	assert_said(DIFFERENCE_IMPOSSIBLE, "one -> two: link; no rule");
	assert_said(DIFFERENCE_POSSIBLE, "one -> two: folder; rule e");
}

/* A limit that changes is told with the one before. */
static void difference_tells_limits(void **state)
{
	compare(TOP "a: allow file one -> two up to 1 MiB\n",
		TOP "a: allow file one -> two up to 2 MiB quarantine\n");
	assert_int_equal(difference.count, 1);
	assert_said(DIFFERENCE_LIMIT, "one -> two: file, up to 2 MiB quarantine, was up to 1 MiB");
}

/* Data that gets somewhere over two flows is told with the way. */
static void difference_follows_data(void **state)
{
	compare(TOP "a: allow file one -> two\n",
		TOP "a: allow file one -> two\nb: allow network two -> net\n");
	assert_said(DIFFERENCE_POSSIBLE, "two -> net: network; rule b");
	assert_said(DIFFERENCE_REACH, "one -> net: one -> two by rule a");
}

/* Properties, rights and assertions have sections of their own. */
static void difference_tells_facts_rights_and_assertions(void **state)
{
	compare(TOP "never one -> two\n",
		HEAD "partition two\nmemory 512 MiB\nclass limited\nnever two -> one\n");
	assert_said(DIFFERENCE_FACT, "two: memory 512 MiB, was memory 256 MiB");
	assert_said(DIFFERENCE_FACT, "two: class limited, was class user");
	assert_said(DIFFERENCE_RIGHT_TAKEN, "user: start, stop, pause, reset, attach two");
	assert_said(DIFFERENCE_UNPROVED, "never one -> two");
	assert_said(DIFFERENCE_PROVED, "never two -> one");
}

/* A partition that is new or gone takes its flows with it. */
static void difference_knows_partitions_by_name(void **state)
{
	compare(TOP "a: allow file one -> two\n",
		HEAD "partition three\nmemory 256 MiB\na: allow file one -> three\n");
	assert_said(DIFFERENCE_POSSIBLE, "one -> three: file");
	assert_said(DIFFERENCE_IMPOSSIBLE, "one -> two: file");
	assert_said(DIFFERENCE_FACT, "gone: partition two");
	assert_said(DIFFERENCE_FACT, "new: partition three");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(difference_sees_through_words, teardown),
		cmocka_unit_test_teardown(difference_sorts_flows, teardown),
		cmocka_unit_test_teardown(difference_tells_limits, teardown),
		cmocka_unit_test_teardown(difference_follows_data, teardown),
		cmocka_unit_test_teardown(difference_tells_facts_rights_and_assertions, teardown),
		cmocka_unit_test_teardown(difference_knows_partitions_by_name, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
