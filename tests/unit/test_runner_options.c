/* SPDX-License-Identifier: Apache-2.0 */
/* The argument of --device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "options.h"

static bool decode(const char *text, struct options_device *device)
{
	static char copy[128];

	strncpy(copy, text, sizeof(copy) - 1);
	return options_decode_device(copy, device);
}

/* A number is an inherited fd, a path a socket; options follow the second colon. */
static void device_is_decoded(void **state)
{
	struct options_device device;

	assert_true(decode("blk:7", &device));
	assert_string_equal(device.type, "blk");
	assert_int_equal(device.vhost_fd, 7);
	assert_null(device.socket_path);
	assert_true(decode("net:/run/net.sock:queues=3,size=256", &device));
	assert_int_equal(device.vhost_fd, -1);
	assert_string_equal(device.socket_path, "/run/net.sock");
	assert_int_equal(device.queue_count, 3);
	assert_int_equal(device.queue_size, 256);
}

/* Anything else is refused. */
static void malformed_device_is_refused(void **state)
{
	static const char *const bad[] = {"",
					  "blk",
					  "blk:",
					  "blk:-1",
					  "blk:1x",
					  "blk:sock",
					  "blk:1:",
					  "blk:1:queues=0",
					  "blk:1:queues=65",
					  "blk:1:size=3",
					  "blk:1:size=2048",
					  "blk:1:size=8,",
					  "blk:99999999999"};
	struct options_device device;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(decode(bad[i], &device));
	}
}

/* An assigned device is a role and the fd of its configuration space; anything else is refused. */
static void assigned_device_is_decoded(void **state)
{
	static const char *const bad[] = {"",	    "nic",    "nic:",	  ":5",
					  "nic:-1", "nic:5x", "nic:/sys", "nic:99999999999"};
	struct options_assigned assigned;
	char text[32];

	strcpy(text, "nic:7");
	assert_true(options_decode_assigned(text, &assigned));
	assert_string_equal(assigned.role, "nic");
	assert_int_equal(assigned.config_fd, 7);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(text, bad[i]);
		assert_false(options_decode_assigned(text, &assigned));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_is_decoded),
		cmocka_unit_test(malformed_device_is_refused),
		cmocka_unit_test(assigned_device_is_decoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
