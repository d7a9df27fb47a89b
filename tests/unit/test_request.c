/* SPDX-License-Identifier: Apache-2.0 */
/** Requests on the daemon's socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "request.h"
#include "text.h"

static char error[REQUEST_ERROR_SIZE];
static struct request request;

static int parse(const char *line)
{
	return request_parse(line, strlen(line), &request, error);
}

static void refuses(const char *line, const char *message)
{
	assert_int_equal(parse(line), -1);
	assert_string_equal(error, message);
}

/* Each verb is known, with the fields it takes. */
static void request_takes_each_verb(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"verb\":\"list\"}"), 0);
	assert_int_equal(request.verb, REQUEST_LIST);
	assert_int_equal(parse("{\"name\":\"desktop\",\"verb\":\"start\"}"), 0);
	assert_int_equal(request.verb, REQUEST_START);
	assert_string_equal(request.name, "desktop");
	assert_int_equal(parse("{\"verb\":\"log\",\"follow\":true}"), 0);
	assert_true(request.follow);
	assert_string_equal(request.name, "");
	assert_int_equal(parse("{\"verb\":\"type\",\"text\":\"ls\\n\\u00e4\"}"), 0);
	assert_int_equal(request.text_size, 4);
	assert_memory_equal(request.text, "ls\n\xe4", 4);
}

/* Files of a policy keep their order: layers first, wherever the field stands. */
static void request_takes_policies(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"others\":[\"c.pol\",\"a.pol.sig\"],\"verb\":\"policy-apply\","
			       "\"layers\":[\"a.pol\"]}"),
			 0);
	assert_int_equal(request.verb, REQUEST_POLICY_APPLY);
	assert_int_equal(request.layer_count, 1);
	assert_int_equal(request.file_count, 3);
	assert_string_equal(request.file[0], "a.pol");
	assert_string_equal(request.file[2], "a.pol.sig");
	assert_int_equal(parse("{\"verb\":\"policy-ask\",\"kind\":\"network\",\"from\":\"browser\","
			       "\"to\":\"lan\",\"type\":\"tcp\",\"port\":443}"),
			 0);
	assert_string_equal(request.flow.to, "lan");
	assert_int_equal(request.flow.port, 443);
	assert_int_equal(parse("{\"verb\":\"policy-confirm\"}"), 0);
	refuses("{\"verb\":\"policy-apply\"}", "layers: is missing");
	refuses("{\"verb\":\"policy-apply\",\"layers\":[]}",
		"layers, others: must be lists of at most 32 files");
	refuses("{\"verb\":\"policy-apply\",\"layers\":[\"../a.pol\"]}",
		"layers, others: not a plain name of a file");
	refuses("{\"verb\":\"policy-ask\",\"kind\":\"network\",\"from\":\"a\"}",
		"kind, from, to: one is missing");
	refuses("{\"verb\":\"policy-ask\",\"kind\":\"network\",\"from\":\"a\",\"to\":\"b\","
		"\"port\":65536}",
		"port: must be 0 to 65535");
	refuses("{\"verb\":\"list\",\"kind\":\"network\"}", "a field that this verb does not take");
}

/* Anything else is refused and says what is wrong. */
static void request_refuses_the_rest(void **state)
{
	(void)state;
	refuses("", "not one JSON object");
	refuses("{}", "verb: is missing");
	refuses("{\"verb\":\"list\"} {}", "not one JSON object");
	refuses("[\"list\"]", "not one JSON object");
	refuses("{\"verb\":\"format\"}", "verb: no such verb");
	refuses("{\"verb\":7}", "verb: no such verb");
	refuses("{\"verb\":\"start\"}", "name: is missing");
	refuses("{\"verb\":\"type\"}", "text: is missing");
	refuses("{\"verb\":\"list\",\"name\":\"a\"}", "a field that this verb does not take");
	refuses("{\"verb\":\"start\",\"name\":\"abcdefghijklmnop\"}",
		"name: must be the name of a partition");
	refuses("{\"verb\":\"start\",\"name\":\"a\\u0000b\"}",
		"name: must be the name of a partition");
	refuses("{\"verb\":\"start\",\"name\":null}", "name: must be the name of a partition");
	refuses("{\"verb\":\"log\",\"follow\":1}", "follow, without-user: must be true or false");
	refuses("{\"verb\":\"policy-apply\",\"layers\":[\"a\"],\"without-user\":0}",
		"follow, without-user: must be true or false");
	refuses("{\"verb\":\"policy-revert\",\"without-user\":true}",
		"a field that this verb does not take");
	refuses("{\"verb\":\"list\",\"x\":1}", "no such field");
	refuses("{\"verb\":\"type\",\"text\":\"\\u0100\"}",
		"text: must be at most 1024 code points below U+0100");
}

/* Any bytes come back from their JSON text as they were. */
static void text_keeps_every_byte(void **state)
{
	char bytes[256], utf8[512], again[512];
	size_t size;

	(void)state;
	for (int i = 0; i < 256; i++) {
		bytes[i] = (char)i;
	}
	size = text_encode(bytes, sizeof(bytes), utf8);
	assert_int_equal(size, 128 + 256);
	assert_int_equal(text_decode(utf8, size, again), 256);
	assert_memory_equal(again, bytes, 256);
}

/* Overlong, cut off and larger code points are refused. */
static void text_decode_refuses_what_encode_does_not_write(void **state)
{
	char out[8];

	(void)state;
	assert_int_equal(text_decode("\xc1\xbf", 2, out), -1);
	assert_int_equal(text_decode("\xc3", 1, out), -1);
	assert_int_equal(text_decode("\xc3\x41", 2, out), -1);
	assert_int_equal(text_decode("\xe2\x82\xac", 3, out), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_takes_each_verb),
		cmocka_unit_test(request_takes_policies),
		cmocka_unit_test(request_refuses_the_rest),
		cmocka_unit_test(text_keeps_every_byte),
		cmocka_unit_test(text_decode_refuses_what_encode_does_not_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
