/* SPDX-License-Identifier: Apache-2.0 */
/** What layers mean: who declares, who may change, whose rule binds whom. */
#include "model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "parse.h"

static struct source_set sources;
static struct diag_list diags;
static struct text text[TEXT_LAYERS];
static struct model model;
static bool built;

static int setup(void **state)
{
	memset(&sources, 0, sizeof(sources));
	memset(&diags, 0, sizeof(diags));
	memset(text, 0, sizeof(text));
	memset(&model, 0, sizeof(model));
	built = false;
	return source_init(&sources, NULL);
}

static int teardown(void **state)
{
	if (built) {
		model_fini(&model);
	}
	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		text_fini(&text[i]);
	}
	diag_fini(&diags);
	source_fini(&sources);
	return 0;
}

#define VENDOR "policy vendor \"V\" version 1\n"
#define IT     "policy it \"I\" version 1\n"
#define USER   "policy user \"U\" version 1\n"
#define BASE                                                                                       \
	VENDOR "partition control\nmemory 256 MiB\n"                                               \
	       "partition one\nmemory 512 MiB\npartition two\nmemory 512 MiB\n"

/* Layers as text; NULL: there is none. */
static int build(const char *vendor, const char *it, const char *user)
{
	const char *const layers[TEXT_LAYERS] = {vendor, it, user};
	const struct text *texts[TEXT_LAYERS] = {NULL};
	int ret;

	for (unsigned int i = 0; i < TEXT_LAYERS; i++) {
		int file;

		if (layers[i] == NULL) {
			continue;
		}
		file = source_add(&sources, text_layer_word((enum text_layer)i), layers[i],
				  strlen(layers[i]), &diags);
		assert_true(file >= 0);
		if (parse_text(&sources, (uint32_t)file, &diags, &text[i]) != 0) {
			diag_print(&diags, &sources, stderr);
			fail();
		}
		texts[i] = &text[i];
	}
	ret = model_build(texts, &diags, &model);
	built = ret == 0;
	return ret;
}

static void assert_built(const char *vendor, const char *it, const char *user)
{
	if (build(vendor, it, user) != 0) {
		diag_print(&diags, &sources, stderr);
		fail();
	}
}

static void assert_refused(const char *vendor, const char *it, const char *user, const char *words)
{
	assert_int_equal(build(vendor, it, user), -1);
	assert_true(diags.count > 0);
	for (size_t i = 0; i < diags.count; i++) {
		if (strstr(diags.item[i].message, words) != NULL) {
			return;
		}
	}
	diag_print(&diags, &sources, stderr);
	fail_msg("no error says '%s'", words);
}

static const struct model_value *value_of(const char *part, enum text_key key)
{
	int node = model_find(&model, part);

	assert_true(node >= 0);
	return &model.part[node].key[key];
}

/* Control is partition 0 and the others follow in the order in which they are named. */
static void model_numbers_partitions_in_order(void **state)
{
	assert_built(BASE, NULL, NULL);
	assert_int_equal(model_find(&model, "control"), MODEL_CONTROL);
	assert_int_equal(model_find(&model, "one"), 1);
	assert_int_equal(model_find(&model, "two"), 2);
	assert_int_equal(model.part_count, 3);
	assert_int_equal(model_find(&model, "three"), -1);
}

/* A name is declared once, whatever it names. */
static void model_refuses_a_name_twice(void **state)
{
	assert_refused(BASE "zone one = 10.0.0.0/8\n", NULL, NULL, "'one' is a partition already");
}

/* A misspelt name is named, and the nearest known one offered. */
static void model_offers_the_nearest_name(void **state)
{
	assert_refused(BASE "r1: allow clipboard one -> tow\n", NULL, NULL, "'tow'");
	assert_string_equal(diags.item[0].hint, "did you mean 'two'?");
}

/* A later layer adds partitions only where the one before lets it. */
static void model_guards_new_partitions(void **state)
{
	assert_refused(BASE, IT "partition three\nmemory 64 MiB\n", NULL, "'three' is not one");
}

static void model_takes_new_partitions_where_open(void **state)
{
	assert_built(BASE "default partitions\n", IT "partition three\nmemory 64 MiB\n", NULL);
	assert_int_equal(model_find(&model, "three"), 3);
}

/* What an earlier layer fixed is only tightened. */
static void model_refuses_more_memory(void **state)
{
	assert_refused(BASE, IT "partition one\nmemory 1 GiB\n", NULL, "cannot loosen");
}

static void model_takes_less_memory(void **state)
{
	assert_built(BASE, IT "partition one\nmemory 256 MiB\n", NULL);
	assert_int_equal(value_of("one", TEXT_MEMORY)->number, 256u << 20);
	assert_int_equal(value_of("one", TEXT_MEMORY)->origin.layer, TEXT_IT);
}

/* `default` opens a value to the next layer that is there, and to no further one. */
static void model_opens_to_the_next_layer_only(void **state)
{
#define OPEN                                                                                       \
	VENDOR "partition control\nmemory 256 MiB\npartition one\ndefault memory 512 MiB\n"        \
	       "user may change memory of one\n"
	assert_refused(OPEN, IT "partition one\nmemory 600 MiB\n",
		       USER "partition one\nmemory 1 GiB\n", "the it layer fixed this");
}

static void model_opens_to_user_without_it(void **state)
{
	assert_built(OPEN, NULL, USER "partition one\nmemory 1 GiB\n");
	assert_int_equal(value_of("one", TEXT_MEMORY)->number, 1u << 30);
}

/* A layer that is silent about an open value closes it. */
static void model_closes_in_silence(void **state)
{
	assert_refused(OPEN, IT, USER "partition one\nmemory 1 GiB\n", "cannot loosen");
}

/* What the declaring layer does not say is fixed at its default. */
static void model_fixes_what_is_not_said(void **state)
{
	assert_refused(BASE, IT "partition one\ndevice keyboard\n", NULL, "cannot loosen");
}

/* No limit is looser than any limit. */
static void model_takes_a_first_limit(void **state)
{
	assert_built(BASE, IT "partition one\ncpu cap 50%\n", NULL);
	assert_int_equal(value_of("one", TEXT_CPU_CAP)->number, 50);
}

static void model_keys_compare_as_specified(void **state)
{
	assert_true(model_key_tightens(TEXT_CLASS, TEXT_CLASS_USER, TEXT_CLASS_IT));
	assert_false(model_key_tightens(TEXT_CLASS, TEXT_CLASS_IT, TEXT_CLASS_USER));
	assert_true(model_key_tightens(TEXT_START, TEXT_START_BOOT, TEXT_START_NEVER));
	assert_false(model_key_tightens(TEXT_START, TEXT_START_MANUAL, TEXT_START_BOOT));
	assert_false(model_key_tightens(TEXT_CPU_CAP, 50, 0));
	assert_true(model_key_tightens(TEXT_DEVICE, 7, 3));
	assert_false(model_key_tightens(TEXT_DEVICE, 3, 7));
	assert_true(model_key_tightens(TEXT_AFTER, 2, 6));
	assert_false(model_key_tightens(TEXT_AFTER, 6, 2));
	assert_false(model_key_tightens(TEXT_COLOUR, 1, 0));
}

/* One layer says a thing once. */
static void model_refuses_a_value_twice(void **state)
{
	assert_refused(BASE "partition one\nmemory 256 MiB\n", NULL, NULL, "twice");
}

/* Memory must be said by somebody. */
static void model_wants_memory(void **state)
{
	assert_refused(VENDOR "partition control\nmemory 256 MiB\npartition one\n", NULL, NULL,
		       "'one' does not say its memory");
}

/* Who answers a question goes by titles: no partition can look like another one. */
static void model_refuses_a_title_twice(void **state)
{
	assert_refused(BASE "partition one\ntitle \"TWO\"\n", NULL, NULL,
		       "titles of 'one' and 'two'");
}

/* Encryption of a disk is added by a later layer and never taken off. */
static void model_keeps_a_disk_encrypted(void **state)
{
	assert_refused(BASE "partition one\ndisk \"/a.vhd\" encrypted\n",
		       IT "partition one\ndisk \"/a.vhd\" read-only\n", NULL, "cannot loosen");
}

static void model_adds_read_only_to_a_disk(void **state)
{
	assert_built(BASE "partition one\ndisk \"/a.vhd\" encrypted\n",
		     IT "partition one\ndisk \"/a.vhd\" encrypted read-only\n", NULL);
	assert_int_equal(model.part[1].disk[0].flags, TEXT_DISK_ENCRYPTED | TEXT_DISK_READONLY);
}

static void model_guards_new_disks(void **state)
{
	assert_refused(BASE, IT "partition one\ndisk \"/b.vhd\"\n", NULL, "cannot add a disk");
}

/* Which of its lines about disks a layer writes first does not matter. */
static void model_adds_a_disk_beside_a_changed_one(void **state)
{
	assert_built(BASE "partition one\ndefault disk \"/a.vhd\"\n",
		     IT "partition one\ndisk \"/a.vhd\" encrypted\ndisk \"/b.vhd\"\n", NULL);
	assert_int_equal(model.part[1].disk_count, 2);
}

/* Rights come from the class. */
static void model_gives_rights_by_class(void **state)
{
	assert_built(BASE "partition two\nclass limited\n", NULL, NULL);
	assert_true(model.right[TEXT_PERSON_USER][1].actions & TEXT_STOP);
	assert_int_equal(model.right[TEXT_PERSON_USER][2].actions, TEXT_SEE);
	assert_true(model.right[TEXT_PERSON_IT][2].actions & TEXT_STOP);
}

/* A tighter class takes away what it does not give. */
static void model_tightens_rights_with_class(void **state)
{
	assert_built(BASE, IT "partition two\nclass it-only\n", NULL);
	assert_int_equal(model.right[TEXT_PERSON_USER][2].actions, 0);
}

/* A later layer takes rights away and gives none that were not left open. */
static void model_guards_rights(void **state)
{
	assert_refused(BASE "partition two\nclass limited\n", IT "user may stop two\n", NULL,
		       "cannot give user this right");
}

static void model_gives_back_open_rights(void **state)
{
	assert_built(BASE "default user may not stop two\n", IT "user may stop two\n", NULL);
	assert_true(model.right[TEXT_PERSON_USER][2].actions & TEXT_STOP);
}

/* The user's layer changes what the policy lets users change. */
static void model_asks_whether_user_may_change(void **state)
{
	assert_refused(BASE, NULL, USER "partition one\nmemory 64 MiB\n",
		       "user may not change memory");
}

/* `any` is what can stand there: partitions but control for a clipboard. */
static void model_any_is_what_fits(void **state)
{
	assert_built(BASE "zone lan = 10.0.0.0/8\nr1: deny clipboard any -> any\n", NULL, NULL);
	assert_int_equal(model.rule[0].from, 0x6);
	assert_int_equal(model.rule[0].to, 0x6);
}

/* A kind has its own ends. */
static void model_refuses_an_end_that_does_not_fit(void **state)
{
	assert_refused(BASE "zone lan = 10.0.0.0/8\nr1: deny clipboard one -> lan\n", NULL, NULL,
		       "clipboard goes to a partition");
}

/* A rule on a zone binds zones that later layers cut out of it. */
static void model_binds_inner_zones(void **state)
{
	assert_built(BASE "zone lan = 10.0.0.0/8\nr1: deny network one -> lan\n",
		     IT "zone office = 10.1.0.0/16\nr2: allow network one -> office\n", NULL);
	assert_int_equal(model.rule[0].to,
			 1u << model_find(&model, "lan") | 1u << model_find(&model, "office"));
	assert_int_equal(model.rule[1].to, 1u << model_find(&model, "office"));
}

/* What a zone carries, later layers' parts of it carry too. */
static void model_carries_for_inner_zones(void **state)
{
	int office, lan, net;

	(void)state;
	assert_built(BASE "zone lan = 10.0.0.0/8\nzone net = 11.0.0.0/8\ncarries lan -> net\n",
		     IT "zone office = 10.1.0.0/16\n", NULL);
	office = model_find(&model, "office");
	lan = model_find(&model, "lan");
	net = model_find(&model, "net");
	assert_true(office > 0 && lan > 0 && net > 0);
	assert_int_equal(model.node[office].carries, 1ull << net);
	assert_int_equal(model.node[lan].carries, 1ull << net);
	assert_int_equal(model.node[net].carries, 0);
	assert_int_equal(model.inner[TEXT_VENDOR][lan], 1ull << office);
	assert_int_equal(model.inner[TEXT_IT][lan], 0);
}

/* An address is in one zone. */
static void model_refuses_a_prefix_twice(void **state)
{
	assert_refused(BASE "zone lan = 10.0.0.0/8\nzone net = 10.0.0.0/8\n", NULL, NULL,
		       "belongs to zone 'lan' already");
}

/* A rule of the user's layer binds no partition that is not the user's. */
static void model_keeps_the_user_layer_to_the_users(void **state)
{
	assert_refused(BASE "partition two\nclass limited\n", NULL,
		       USER "u1: deny clipboard one -> two\n", "cannot bind 'two'");
}

static void model_any_of_the_user_is_the_users(void **state)
{
	assert_built(BASE "partition two\nclass limited\n", NULL,
		     USER "u1: deny clipboard any -> any\n");
	assert_int_equal(model.rule[0].to, 0x2);
}

/* Rule ids are used once, over all layers. */
static void model_refuses_an_id_twice(void **state)
{
	assert_refused(BASE "r1: allow clipboard one -> two\n",
		       IT "r1: deny clipboard one -> two\n", NULL, "rule id 'r1' is taken");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(model_numbers_partitions_in_order),
		TEST(model_refuses_a_name_twice),
		TEST(model_offers_the_nearest_name),
		TEST(model_guards_new_partitions),
		TEST(model_takes_new_partitions_where_open),
		TEST(model_refuses_more_memory),
		TEST(model_takes_less_memory),
		TEST(model_opens_to_the_next_layer_only),
		TEST(model_opens_to_user_without_it),
		TEST(model_closes_in_silence),
		TEST(model_fixes_what_is_not_said),
		TEST(model_takes_a_first_limit),
		TEST(model_keys_compare_as_specified),
		TEST(model_refuses_a_value_twice),
		TEST(model_wants_memory),
		TEST(model_refuses_a_title_twice),
		TEST(model_keeps_a_disk_encrypted),
		TEST(model_adds_read_only_to_a_disk),
		TEST(model_guards_new_disks),
		TEST(model_adds_a_disk_beside_a_changed_one),
		TEST(model_gives_rights_by_class),
		TEST(model_tightens_rights_with_class),
		TEST(model_guards_rights),
		TEST(model_gives_back_open_rights),
		TEST(model_asks_whether_user_may_change),
		TEST(model_any_is_what_fits),
		TEST(model_refuses_an_end_that_does_not_fit),
		TEST(model_binds_inner_zones),
		TEST(model_carries_for_inner_zones),
		TEST(model_refuses_a_prefix_twice),
		TEST(model_keeps_the_user_layer_to_the_users),
		TEST(model_any_of_the_user_is_the_users),
		TEST(model_refuses_an_id_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
