/* SPDX-License-Identifier: Apache-2.0 */
/* The policy on LUKS2 headers: one change at a time to a good one, each refused by name. */
#include "luks_policy.h"
#include "fakes/luks_header.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint8_t header[2u << 20];
static struct luks_policy policy;
static struct why why;

/* Both copies with `from` replaced by `to`. */
static int judge(const char *from, const char *to)
{
	static char json[8192];
	const char *at = from ? strstr(luks_header_json, from) : luks_header_json;

	assert_non_null(at);
	snprintf(json, sizeof(json), "%.*s%s%s", (int)(at - luks_header_json), luks_header_json,
		 from ? to : "", at + (from ? strlen(from) : 0));
	luks_header_make(header, 0, 7, json, strlen(json));
	luks_header_make(header + LUKS_HEADER_COPY, LUKS_HEADER_COPY, 7, json, strlen(json));
	why.text[0] = '\0';
	return luks_policy_check(header, sizeof(header), &policy, &why);
}

static void assert_denied(const char *from, const char *to, const char *reason)
{
	assert_int_equal(judge(from, to), -EOPNOTSUPP);
	if (!strstr(why.text, reason)) {
		fail_msg("'%s' does not say '%s'", why.text, reason);
	}
}

/* A header as stock makes it passes and is understood. */
static void good_header_passes(void **state)
{
	assert_int_equal(judge(NULL, NULL), 0);
	assert_int_equal(policy.offset, 2u << 20);
	assert_int_equal(policy.sector_size, 4096);
	assert_int_equal(policy.area_end, 2u << 20);
	assert_int_equal(policy.metadata_size, 16384);
	assert_int_equal(policy.slots[0].kind, LUKS_SLOT_PASSPHRASE);
	assert_int_equal(policy.slots[0].memory, 32);
	assert_true(policy.primary_good && policy.secondary_good);
}

/* Requirement flags are refused: a header may not claim that plaintext is in order. */
static void requirements_are_refused(void **state)
{
	assert_denied("\"config\":{",
		      "\"config\":{\"requirements\":{\"mandatory\":"
		      "[\"online-reencrypt-v2\"]},",
		      "requirements");
	assert_denied("\"config\":{", "\"config\":{\"requirements\":1,", "requirements");
	assert_int_equal(judge("\"config\":{", "\"config\":{\"requirements\":{\"mandatory\":[]},"),
			 0);
}

/* No other cipher, no second segment, none that is plain or shifted. */
static void segments_are_one_and_encrypted(void **state)
{
	assert_denied("\"type\":\"crypt\"", "\"type\":\"linear\"", "cipher");
	assert_denied("\"iv_tweak\":\"0\",\"encryption\":\"aes-xts-plain64\"",
		      "\"iv_tweak\":\"0\",\"encryption\":\"cipher_null-ecb\"", "cipher");
	assert_denied("\"iv_tweak\":\"0\"", "\"iv_tweak\":\"8\"", "cipher");
	assert_denied("\"segments\":{", "\"segments\":{\"1\":{},", "one segment");
	assert_denied("\"sector_size\":4096", "\"sector_size\":1024", "sectors");
	assert_denied("\"offset\":\"2097152\"", "\"offset\":\"32768\"", "behind the keyslots");
	assert_denied("\"offset\":\"2097152\"", "\"offset\":\"99999999999999999999\"", "behind");
	assert_denied("\"size\":\"dynamic\"", "\"size\":\"4097\"", "size of the data");
	assert_denied("\"sector_size\":4096", "\"sector_size\":4096,\"integrity\":{}", "integrity");
}

/* Costs are bounded before they are paid. */
static void costs_are_bounded(void **state)
{
	assert_denied("\"memory\":32", "\"memory\":262145", "Argon2");
	assert_denied("\"time\":4", "\"time\":65", "Argon2");
	assert_denied("\"time\":4,\"memory\":32", "\"time\":40,\"memory\":262144", "Argon2");
	assert_denied("\"cpus\":1", "\"cpus\":1000000", "Argon2");
	assert_denied("\"type\":\"argon2id\"", "\"type\":\"pbkdf2\"", "PBKDF2");
	assert_denied("\"iterations\":1000", "\"iterations\":2000000000", "digest");
	assert_denied("\"stripes\":4000", "\"stripes\":400000", "area");
}

/* Keyslots lie among the keyslots, hold the segment's key, and are of a known kind. */
static void keyslots_are_where_they_belong(void **state)
{
	assert_denied("\"offset\":\"32768\"", "\"offset\":\"0\"", "outside");
	assert_denied("\"offset\":\"32768\"", "\"offset\":\"2093056\"", "outside");
	assert_denied("\"size\":\"258048\"", "\"size\":\"4096\"", "outside");
	assert_denied("\"type\":\"luks2\"", "\"type\":\"reencrypt\"", "type luks2");
	assert_denied("\"type\":\"luks2\",\"key_size\":64", "\"type\":\"luks2\",\"key_size\":32",
		      "type luks2");
	assert_denied("\"keyslots\":[\"0\"]", "\"keyslots\":[]", "another key");
	assert_denied("\"keyslots\":[\"0\"]", "\"keyslots\":[\"1\"]", "digest");
	assert_denied("\"segments\":[\"0\"]", "\"segments\":[null]", "digest");
	assert_denied("\"tokens\":{}", "\"tokens\":{\"0\":{\"type\":\"x\",\"keyslots\":[\"3\"]}}",
		      "token");
	assert_denied("\"keyslots\":{\"0\"", "\"keyslots\":{\"99\"", "type luks2");
}

/* Tokens of ours name the kind of their slot. */
static void tokens_name_the_kind_of_slots(void **state)
{
	char text[128];

	assert_int_equal(judge("\"tokens\":{}", "\"tokens\":{\"3\":{\"type\":\"bulkhead-recovery\","
						"\"keyslots\":[\"0\"]}}"),
			 0);
	assert_int_equal(policy.slots[0].kind, LUKS_SLOT_RECOVERY);
	assert_int_equal(policy.slots[0].token, 3);
	assert_true(luks_policy_token(header, sizeof(header), 3, text, sizeof(text)));
	assert_non_null(strstr(text, "bulkhead-recovery"));
	assert_false(luks_policy_token(header, sizeof(header), 2, text, sizeof(text)));
	assert_false(luks_policy_token(header, sizeof(header), 3, text, 10));
}

/* A second copy that disobeys is refused though the first is good, and newer. */
static void each_whole_copy_must_obey(void **state)
{
	static const char bad[] = "{}";

	assert_int_equal(judge(NULL, NULL), 0);
	luks_header_make(header + LUKS_HEADER_COPY, LUKS_HEADER_COPY, 1, bad, strlen(bad));
	assert_int_equal(luks_policy_check(header, sizeof(header), &policy, &why), -EOPNOTSUPP);
	header[LUKS_HEADER_COPY + 9000] ^= 1; /* not whole any more: does not count */
	assert_int_equal(luks_policy_check(header, sizeof(header), &policy, &why), 0);
	assert_false(policy.secondary_good);
	header[9000] ^= 1;
	assert_int_equal(luks_policy_check(header, sizeof(header), &policy, &why), -EBADMSG);
}

/* The newer copy counts, whichever it is. */
static void newer_copy_counts(void **state)
{
	assert_int_equal(judge(NULL, NULL), 0);
	luks_header_make(header + LUKS_HEADER_COPY, LUKS_HEADER_COPY, 8, luks_header_json,
			 strlen(luks_header_json));
	assert_int_equal(luks_policy_check(header, sizeof(header), &policy, &why), 0);
	assert_int_equal(policy.seqid, 8);
}

/* Less than the keyslots: more has to be seen. Nothing at all: no header. */
static void short_input_asks_for_more(void **state)
{
	assert_int_equal(judge(NULL, NULL), 0);
	assert_int_equal(luks_policy_check(header, 65536, &policy, &why), -ENODATA);
	assert_int_equal(luks_policy_check(header, 100, &policy, &why), -EBADMSG);
	assert_int_equal(luks_policy_check(header, 0, &policy, &why), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_header_passes),
		cmocka_unit_test(requirements_are_refused),
		cmocka_unit_test(segments_are_one_and_encrypted),
		cmocka_unit_test(costs_are_bounded),
		cmocka_unit_test(keyslots_are_where_they_belong),
		cmocka_unit_test(tokens_name_the_kind_of_slots),
		cmocka_unit_test(each_whole_copy_must_obey),
		cmocka_unit_test(newer_copy_counts),
		cmocka_unit_test(short_input_asks_for_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
