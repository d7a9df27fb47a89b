/* SPDX-License-Identifier: Apache-2.0 */
/* The one layout of a policy: what stays, what goes, and that it stays the same. */
#define _GNU_SOURCE
#include "fmt.h"
#include "fakes/text_equal.h"
#include "parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct source_set set;
static struct diag_list diags;

static int begin(void **state)
{
	(void)state;
	return source_init(&set, NULL);
}

static int end(void **state)
{
	(void)state;
	diag_fini(&diags);
	source_fini(&set);
	return 0;
}

/* Lays text out. The caller frees it. */
static char *lay_out(const char *bytes)
{
	char *made;
	size_t size;
	FILE *out = open_memstream(&made, &size);
	int file = source_add(&set, "x", bytes, strlen(bytes), &diags);

	assert_true(file >= 0);
	assert_int_equal(fmt_file(&set, (uint32_t)file, out), 0);
	fclose(out);
	return made;
}

static void assert_layout(const char *from, const char *to)
{
	char *made = lay_out(from), *again = lay_out(made);

	assert_string_equal(made, to);
	assert_string_equal(again, to);
	free(made);
	free(again);
}

/* Blanks between words and at the ends of lines go, and one statement is a line. */
static void blanks_are_normal(void **state)
{
	(void)state;
	assert_layout("policy  it\t\"a  b\" version 007", "policy it \"a  b\" version 7\n");
	assert_layout("group g=a,b,c  \n", "group g = a, b, c\n");
	assert_layout("x:ask file a->b,c  types document\n",
		      "x: ask file a -> b, c types document\n");
}

/* Values have one spelling. */
static void values_have_one_spelling(void **state)
{
	(void)state;
	assert_layout("memory 2048MiB\n", "\tmemory 2 GiB\n");
	assert_layout("memory 1026 MiB\n", "\tmemory 1026 MiB\n");
	assert_layout("confirm within 90s\n", "confirm within 90 s\n");
	assert_layout("confirm within 3600s\n", "confirm within 1 h\n");
	assert_layout("colour #ABCDEF\n", "\tcolour #abcdef\n");
	assert_layout("device gpu,console\n", "\tdevice console, gpu\n");
	assert_layout("restart 1 times\n", "\trestart 1 time within 1 min\n");
	assert_layout("zone z=FE80:0:0::/10\n", "zone z = fe80::/10\n");
	assert_layout("role r=usb 046D:C52B\n", "role r = usb 046d:c52b\n");
}

/* What a rule says of everything is not said. */
static void everything_is_left_out(void **state)
{
	(void)state;
	assert_layout("x: allow network a -> b types icmp,udp,tcp\n", "x: allow network a -> b\n");
	assert_layout("x: allow channel a -> b ports 0-65535\n", "x: allow channel a -> b\n");
	assert_layout("x: allow channel a -> b ports 5-5\n", "x: allow channel a -> b port 5\n");
}

/* Ports alone leave icmp out, and the layout says so. */
static void ports_show_their_types(void **state)
{
	(void)state;
	assert_layout("x: allow network a -> b port 5\n",
		      "x: allow network a -> b types tcp, udp port 5\n");
	assert_layout("x: allow network a -> b ports 0-65535\n",
		      "x: allow network a -> b types tcp, udp\n");
}

/* Comments stay, in their order, beside their statement or above it. */
static void comments_stay(void **state)
{
	(void)state;
	assert_layout("  # one\niommu   wanted#two \n#three\n",
		      "# one\niommu wanted  #two\n#three\n");
}

/* A comment above a property is indented as it is. */
static void comment_is_indented_as_what_follows(void **state)
{
	(void)state;
	assert_layout("partition p\n# of order\norder 1\n# of q\npartition q\n",
		      "partition p\n\t# of order\n\torder 1\n# of q\npartition q\n");
}

/* Of several blank lines one stays, of those at the ends none. */
static void blank_lines_are_single(void **state)
{
	(void)state;
	assert_layout("\n\niommu wanted\n\n\n \n# a\n\niommu wanted\n\n",
		      "iommu wanted\n\n# a\n\niommu wanted\n");
	assert_layout("\n \n", "");
	assert_layout("", "");
}

/* A line that the layout would make too long for the parser stays as it is. */
static void long_line_stays(void **state)
{
	char from[SOURCE_LINE_MAX + 64] = "  x:deny file a->b #", to[SOURCE_LINE_MAX + 64];
	size_t size = strlen(from);

	(void)state;
	memset(from + size, 'c', SOURCE_LINE_MAX - size);
	from[SOURCE_LINE_MAX] = '\0';
	snprintf(to, sizeof(to), "%s\n", from + 2);
	assert_layout(from, to);
}

/* A layout says the same as what it was made from. */
static void layout_says_the_same(void **state)
{
	static const char bytes[] =
		"policy vendor \"All\" version 3\nrole cam=usb 0e,pci 8086:1533,keyboard,screen\n"
		"zone lan=10.0.0.0/8,::/0 trusted\ncarries lan->lan\ngroup g=a,b\n"
		"default partitions\ndefault confirm within 60s\niommu required\npartition a\n"
		"title \"A\"\ncolour #010203\npattern bars\nclass limited\norder 9\nmemory 2MiB\n"
		"vcpus 8\ncpu weight 10000\ncpu cap 800%\ncpu guarantee 1%\ncache 100%\n"
		"doorbells 0\nback-ends none\ndisk rate 1B/s\nnetwork rate 3KiB/s\n"
		"default disk \"/a/b\" throw-away encrypted\ndevice none\nowns cam\nstart never\n"
		"after b\nrestart never\nhealth none\nrun idle\n"
		"x:ask folder a->b up to 1B rate 1KiB/s quarantine read-only\n"
		"y:allow clipboard any->any types text count 5 for 1h\n"
		"z:deny channel a->b port 0\nit may not attach a,b\n"
		"default admin may change run,title of a\nnever input cam->a unless asked\n"
		"only a->b\nalways display a->b\n";
	char *made = lay_out(bytes);
	struct text before, after;

	(void)state;
	assert_int_equal(parse_text(&set, 0, &diags, &before), 0);
	assert_int_equal(source_add(&set, "y", made, strlen(made), &diags), 1);
	assert_int_equal(parse_text(&set, 1, &diags, &after), 0);
	assert_true(text_equal(&before, &after));
	assert_int_equal(before.count, 40);
	text_fini(&before);
	text_fini(&after);
	free(made);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blanks_are_normal),      TEST(values_have_one_spelling),
		TEST(everything_is_left_out), TEST(ports_show_their_types),
		TEST(comments_stay),	      TEST(comment_is_indented_as_what_follows),
		TEST(blank_lines_are_single), TEST(long_line_stays),
		TEST(layout_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
