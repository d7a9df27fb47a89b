/* SPDX-License-Identifier: Apache-2.0 */
/* What an opened policy table answers, and what is not opened. */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <cmocka.h>

#include "checksum.h"
#include "table_sample.h"

static struct table_sample sample;
static struct table table;
static const char *why;

static int setup(void **state)
{
	(void)state;
	table_sample_init(&sample);
	why = NULL;
	assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), 0);
	return 0;
}

static struct table_answer ask(uint32_t kind, uint32_t from, uint32_t to, uint32_t type,
			       uint16_t port)
{
	struct table_query query = {kind, from, to, type, port};
	struct table_answer answer;

	table_decide(&table, &query, &answer);
	return answer;
}

/* The checksum is the CRC-32C of RFC 3720, in pieces too: its test vectors come out. */
static void checksum_crc32c_gives_known_values(void **state)
{
	uint8_t zeros[32] = {0};

	(void)state;
	assert_int_equal(checksum_crc32c(0, "123456789", 9), 0xe3069283u);
	assert_int_equal(checksum_crc32c(0, zeros, sizeof(zeros)), 0x8a9136aau);
	assert_int_equal(checksum_crc32c(checksum_crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

/* A cell answers by type and port; between and beside its rows nothing is allowed. */
static void table_decide_takes_row_of_type_and_port(void **state)
{
	static const struct {
		uint32_t type;
		uint16_t port;
		uint32_t verdict, rule;
	} want[] = {
		{1, 80, 2, SAMPLE_RULE_WEB}, {1, 443, 2, SAMPLE_RULE_WEB},
		{1, 79, 0, TABLE_NONE},	     {1, 81, 0, TABLE_NONE},
		{1, 444, 0, TABLE_NONE},     {1, 0, 0, TABLE_NONE},
		{2, 80, 0, TABLE_NONE},	     {4, 80, 0, TABLE_NONE},
		{1, 65535, 0, TABLE_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		struct table_answer answer = ask(SAMPLE_KIND_NETWORK, SAMPLE_BROWSER, SAMPLE_ALL,
						 want[i].type, want[i].port);

		assert_int_equal(answer.verdict, want[i].verdict);
		assert_int_equal(answer.rule, want[i].rule);
		assert_null(answer.limit);
	}
}

/* A refusal carries the rule that says it, an answer with limits its limits. */
static void table_decide_gives_rule_and_limits(void **state)
{
	struct table_answer answer;

	(void)state;
	answer = ask(SAMPLE_KIND_NETWORK, SAMPLE_BROWSER, SAMPLE_LAN, 2, 53);
	assert_int_equal(answer.verdict, 0);
	assert_string_equal(table_rule_id(&table, answer.rule), "no-lan");
	answer = ask(SAMPLE_KIND_CLIPBOARD, SAMPLE_DESKTOP, SAMPLE_BROWSER, 1, 0);
	assert_int_equal(answer.verdict, 1);
	assert_int_equal(answer.limit->size_max, 4096);
}

/* A question about what is not there is denied by no rule. */
static void table_decide_denies_out_of_range(void **state)
{
	static const struct table_query query[] = {
		{TABLE_KINDS, SAMPLE_BROWSER, SAMPLE_ALL, 1, 80},
		{UINT32_MAX, SAMPLE_BROWSER, SAMPLE_ALL, 1, 80},
		{SAMPLE_KIND_NETWORK, SAMPLE_NODES, SAMPLE_ALL, 1, 80},
		{SAMPLE_KIND_NETWORK, SAMPLE_BROWSER, UINT32_MAX, 1, 80},
		{SAMPLE_KIND_NETWORK, SAMPLE_BROWSER, SAMPLE_ALL, 0, 80},
		{SAMPLE_KIND_NETWORK, SAMPLE_BROWSER, SAMPLE_ALL, 3, 80},
		{SAMPLE_KIND_NETWORK, SAMPLE_BROWSER, SAMPLE_ALL, 1u << 31, 80},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(query) / sizeof(query[0]); i++) {
		struct table_answer answer = {.verdict = 9, .limit = table.limit};

		table_decide(&table, &query[i], &answer);
		assert_int_equal(answer.verdict, 0);
		assert_int_equal(answer.rule, TABLE_NONE);
		assert_null(answer.limit);
	}
	assert_string_equal(table_rule_id(&table, TABLE_NONE), "no-rule");
}

/* Each node is found by its name and has it. */
static void table_find_finds_nodes(void **state)
{
	(void)state;
	assert_int_equal(table_find(&table, "control"), SAMPLE_CONTROL);
	assert_int_equal(table_find(&table, "all"), SAMPLE_ALL);
	assert_int_equal(table_find(&table, "nothing"), TABLE_NONE);
	assert_int_equal(table_find(&table, ""), TABLE_NONE);
	assert_string_equal(table_name(&table, SAMPLE_WEBCAM), "webcam");
	assert_string_equal(table_name(&table, TABLE_NONE), "no-node");
}

static uint32_t zone4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c, [15] = d};

	return table_zone(&table, address);
}

/* An address is in the zone of its longest prefix. */
static void table_zone_takes_longest_prefix(void **state)
{
	uint8_t six[16] = {0xfe, 0xbf, 1};

	(void)state;
	assert_int_equal(zone4(10, 2, 0, 1), SAMPLE_LAN);
	assert_int_equal(zone4(10, 1, 255, 255), SAMPLE_ALL);
	assert_int_equal(zone4(11, 0, 0, 0), SAMPLE_ALL);
	assert_int_equal(table_zone(&table, six), SAMPLE_LAN);
	six[1] = 0xc0;
	assert_int_equal(table_zone(&table, six), SAMPLE_ALL);
}

/* The prefix of all IPv6 addresses holds no IPv4 address. */
static void table_zone_keeps_ipv4_apart(void **state)
{
	(void)state;
	sample.prefix[2] = sample.prefix[1];
	sample.prefix[2].address[12] = 11;
	table_sample_seal(&sample);
	assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), 0);
	assert_int_equal(zone4(11, 0, 0, 1), SAMPLE_LAN);
	assert_int_equal(zone4(12, 0, 0, 0), TABLE_NONE);
	assert_int_equal(table_zone(&table, (const uint8_t[16]){1}), SAMPLE_ALL);
}

/* A prefix of 128 bits holds one address, be it the last one there is. */
static void table_zone_takes_whole_addresses(void **state)
{
	uint8_t last[16];

	(void)state;
	memset(last, 0xff, sizeof(last));
	memcpy(sample.prefix[0].address, last, sizeof(last));
	sample.prefix[0].length = 128;
	sample.prefix[0].node = SAMPLE_LAN;
	table_sample_seal(&sample);
	assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), 0);
	assert_int_equal(table_zone(&table, last), SAMPLE_LAN);
	last[15] = 0xfe;
	assert_int_equal(table_zone(&table, last), SAMPLE_ALL);
	assert_int_equal(zone4(10, 1, 0, 0), SAMPLE_LAN);
}

/* A device is of a role by its class or its maker, on the right bus only. */
static void table_role_matches_devices(void **state)
{
	struct table_match device = {.bus = 1, .class_code = 0x0e0100, .vendor = 1, .product = 2};

	(void)state;
	assert_int_equal(table_role(&table, &device), SAMPLE_WEBCAM);
	device.class_code = 0x080000;
	assert_int_equal(table_role(&table, &device), TABLE_NONE);
	device.vendor = 0x1234;
	assert_int_equal(table_role(&table, &device), SAMPLE_WEBCAM);
	device.bus = 0;
	assert_int_equal(table_role(&table, &device), TABLE_NONE);
}

/* A right is one of this person over this partition, and all that is asked for must be there. */
static void table_may_takes_person_and_part(void **state)
{
	(void)state;
	assert_true(table_may(&table, 0, SAMPLE_BROWSER, 1));
	assert_true(table_may(&table, 2, SAMPLE_BROWSER, 63));
	assert_false(table_may(&table, 0, SAMPLE_CONTROL, 1));
	assert_false(table_may(&table, 0, SAMPLE_BROWSER, 64 | 1));
	assert_false(table_may(&table, 0, SAMPLE_BROWSER, 0));
	assert_false(table_may(&table, TABLE_PERSONS, SAMPLE_BROWSER, 1));
	assert_false(table_may(&table, 0, SAMPLE_WEBCAM, 1));
	assert_true(table_may_change(&table, 2, SAMPLE_BROWSER, 1u << 7));
	assert_false(table_may_change(&table, 1, SAMPLE_BROWSER, 1u << 7));
}

/* A file is read into memory of its own; what is no table is said to be none. */
static void table_load_reads_files(void **state)
{
	char path[] = "/tmp/test_table.XXXXXX";
	int fd = mkstemp(path);
	void *bytes = NULL;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(table_load(path, &bytes, &table, &why), -EBADMSG);
	assert_int_equal(write(fd, &sample, sizeof(sample)), sizeof(sample));
	assert_int_equal(table_load(path, &bytes, &table, &why), 0);
	assert_ptr_equal(table.root, bytes);
	assert_int_equal(table_find(&table, "browser"), SAMPLE_BROWSER);
	free(bytes);
	bytes = NULL;
	assert_int_equal(ftruncate(fd, sizeof(sample) - 1), 0);
	assert_int_equal(table_load(path, &bytes, &table, &why), -EBADMSG);
	close(fd);
	unlink(path);
	assert_int_equal(table_load(path, &bytes, &table, &why), -ENOENT);
	assert_int_equal(table_load("/", &bytes, &table, &why), -EBADMSG);
	assert_null(bytes);
}

/* Any byte that is changed is noticed. */
static void table_open_notices_any_change(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sample); i++) {
		struct table untouched = table;

		((uint8_t *)&sample)[i] ^= 0x40;
		assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), -EBADMSG);
		assert_memory_equal(&untouched, &table, sizeof(table));
		((uint8_t *)&sample)[i] ^= 0x40;
	}
}

/* The hash is looked at even where the checksums are right, and the other way round. */
static void table_open_wants_hash_and_checksums(void **state)
{
	const size_t root_size = offsetof(struct table_sample, head);

	(void)state;
	sample.root.hash[31] ^= 1;
	sample.root.crc32c = 0;
	sample.root.crc32c = checksum_crc32c(0, &sample, root_size);
	assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), -EBADMSG);
	assert_string_equal(why, "hash is wrong");
	sample.root.hash[31] ^= 1;
	sample.root.crc32c ^= 1;
	assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), -EBADMSG);
	assert_string_equal(why, "checksum is wrong");
	table_sample_seal(&sample);
	sample.root.rest_crc32c ^= 1;
	assert_int_equal(table_open(&sample, sizeof(sample), &table, &why), -EBADMSG);
	assert_string_equal(why, "checksum is wrong");
}

/* A table has the size that it says, and lies where its numbers can be read. */
static void table_open_wants_size_and_alignment(void **state)
{
	uint8_t *bytes = malloc(sizeof(sample) + 8);

	(void)state;
	assert_non_null(bytes);
	for (size_t size = 0; size < sizeof(sample); size += 7) {
		assert_int_equal(table_open(&sample, size, &table, &why), -EBADMSG);
	}
	memset(bytes, 0, sizeof(sample) + 8);
	memcpy(bytes, &sample, sizeof(sample));
	assert_int_equal(table_open(bytes, sizeof(sample) + 8, &table, &why), -EBADMSG);
	memcpy(bytes + 4, &sample, sizeof(sample));
	assert_int_equal(table_open(bytes + 4, sizeof(sample), &table, &why), -EBADMSG);
	free(bytes);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(checksum_crc32c_gives_known_values),
		TEST(table_decide_takes_row_of_type_and_port),
		TEST(table_decide_gives_rule_and_limits),
		TEST(table_decide_denies_out_of_range),
		TEST(table_find_finds_nodes),
		TEST(table_zone_takes_longest_prefix),
		TEST(table_zone_keeps_ipv4_apart),
		TEST(table_zone_takes_whole_addresses),
		TEST(table_role_matches_devices),
		TEST(table_may_takes_person_and_part),
		TEST(table_load_reads_files),
		TEST(table_open_notices_any_change),
		TEST(table_open_wants_hash_and_checksums),
		TEST(table_open_wants_size_and_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
