/* SPDX-License-Identifier: Apache-2.0 */
/* LUKS2 headers through the process in the jail: made, opened, changed, damaged. */
#include "luks.h"
#include "fakes/memory_layer.h"
#include "keyslot.h"
#include "layer_crypt.h"
#include "recovery_key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE   (4u << 20)
#define SEALED "0123456789abcdef0123456789abcdef"

static struct memory_layer *memory;
static struct layer *payload;
static struct why why;
static const struct luks_secret secret = {"first", 5, -1};
static const struct luks_secret wrong = {"wrong", 5, -1};
static uint8_t key[XTS_KEY_SIZE], again[XTS_KEY_SIZE];
static struct luks_segment segment;

static int setup(void **state)
{
	struct luks_format format = {.secret = secret, .fast_for_tests = true};

	memory = memory_layer_create(SIZE);
	payload = &memory->layer;
	why.text[0] = '\0';
	if (luks_format(payload, &format, &why)) {
		fail_msg("%s", why.text);
	}
	assert_int_equal(luks_unlock(payload, &secret, key, &segment, &why), 0);
	return 0;
}

static int teardown(void **state)
{
	return layer_close(payload);
}

static void assert_opens(struct luks_secret with)
{
	assert_int_equal(luks_unlock(payload, &with, again, &segment, &why), 0);
	assert_memory_equal(again, key, sizeof(key));
}

static void assert_refuses(struct luks_secret with)
{
	assert_int_equal(luks_unlock(payload, &with, again, &segment, &why), -EPERM);
	assert_string_equal(why.text, "no keyslot opens with this secret");
}

/* A fresh header takes one VHD block, the data follows in 4 KiB sectors. */
static void format_leaves_data_after_one_block(void **state)
{
	bool there = false;

	assert_int_equal(luks_is_there(payload, &there), 0);
	assert_true(there);
	assert_int_equal(segment.offset, LUKS_HEADER_SIZE);
	assert_int_equal(segment.size, SIZE - LUKS_HEADER_SIZE);
	assert_int_equal(segment.sector_size, 4096);
	assert_int_equal(strlen((char *)segment.uuid), 36);
}

/* A wrong secret is refused, and says so. */
static void wrong_secret_is_refused(void **state)
{
	assert_refuses(wrong);
	assert_refuses((struct luks_secret){"", 0, -1});
}

/* A damaged first copy, or second, leaves the other. Both: -EBADMSG. */
static void one_whole_copy_is_enough(void **state)
{
	memory->bytes[5000] ^= 1;
	assert_opens(secret);
	memory->bytes[5000] ^= 1;
	memory->bytes[16384 + 5000] ^= 1;
	assert_opens(secret);
	memory->bytes[5000] ^= 1;
	assert_int_equal(luks_unlock(payload, &secret, again, &segment, &why), -EBADMSG);
}

/* A second passphrase opens the same key; the first one goes; the last one stays. */
static void slots_are_added_and_removed(void **state)
{
	struct keyslot_add add = {.secret = secret,
				  .bytes = "second",
				  .size = 6,
				  .slot = -1,
				  .kind = LUKS_SLOT_PASSPHRASE,
				  .fast_for_tests = true};
	struct keyslot slots[LUKS_POLICY_SLOTS];
	unsigned count;
	int slot = -1;

	assert_int_equal(keyslot_add(payload, &add, &slot, &why), 0);
	assert_int_equal(slot, 1);
	assert_opens((struct luks_secret){"second", 6, -1});
	assert_int_equal(keyslot_remove(payload, 0, false, &why), 0);
	assert_refuses(secret);
	assert_opens((struct luks_secret){"second", 6, -1});
	assert_int_equal(keyslot_remove(payload, 0, false, &why), -ENOENT);
	assert_int_equal(keyslot_remove(payload, 1, false, &why), -EBUSY);
	assert_int_equal(keyslot_list(payload, slots, &count, &why), 0);
	assert_int_equal(count, 1);
	assert_int_equal(slots[0].slot, 1);
	assert_true(slots[0].argon2);
	assert_int_equal(keyslot_remove(payload, 1, true, &why), 0);
	assert_int_equal(keyslot_list(payload, slots, &count, &why), 0);
	assert_int_equal(count, 0);
}

/* Changing a passphrase takes the old one away. */
static void change_replaces_the_slot_that_opened(void **state)
{
	struct keyslot_add add = {
		.secret = secret, .bytes = "new", .size = 3, .slot = -1, .fast_for_tests = true};
	int slot;

	assert_int_equal(keyslot_change(payload, &add, &slot, &why), 0);
	assert_opens((struct luks_secret){"new", 3, -1});
	assert_refuses(secret);
	add.secret = wrong;
	assert_int_equal(keyslot_change(payload, &add, &slot, &why), -EPERM);
}

/* A recovery key opens its slot however it is typed, and the slot says what it is. */
static void recovery_key_opens_its_slot(void **state)
{
	char text[RECOVERY_KEY_TEXT], typed[RECOVERY_KEY_TEXT];
	struct keyslot_add add = {
		.secret = secret, .slot = -1, .kind = LUKS_SLOT_RECOVERY, .fast_for_tests = true};
	struct keyslot slots[LUKS_POLICY_SLOTS];
	unsigned count, n = 0;
	int slot;

	assert_int_equal(recovery_key_generate(text), 0);
	add.bytes = text;
	add.size = strlen(text);
	assert_int_equal(keyslot_add(payload, &add, &slot, &why), 0);
	for (const char *c = text; *c; c++) {
		if (*c != '-') {
			typed[n++] = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
		}
	}
	assert_opens((struct luks_secret){typed, n, -1});
	assert_int_equal(keyslot_list(payload, slots, &count, &why), 0);
	assert_int_equal(count, 2);
	assert_int_equal(slots[1].kind, LUKS_SLOT_RECOVERY);
	assert_string_equal(keyslot_kind_name(slots[1].kind), "recovery");
	assert_opens(secret);
}

/* A token's JSON comes back as it was given, and goes with its slot. */
static void token_travels_with_its_slot(void **state)
{
	struct keyslot_add add = {.secret = secret,
				  .bytes = SEALED,
				  .size = 32,
				  .slot = 5,
				  .kind = LUKS_SLOT_TPM2,
				  .token = "{\"sealed\":\"AAEC\",\"pcrs\":[7]}",
				  .fast_for_tests = true};
	char json[512];
	int slot;

	assert_int_equal(keyslot_add(payload, &add, &slot, &why), 0);
	assert_int_equal(slot, 5);
	assert_int_equal(keyslot_token(payload, 5, json, sizeof(json), &why), 0);
	assert_non_null(strstr(json, "\"sealed\":\"AAEC\""));
	assert_non_null(strstr(json, "\"type\":\"bulkhead-tpm2\""));
	assert_opens((struct luks_secret){SEALED, 32, -1});
	assert_opens((struct luks_secret){SEALED, 32, 5});
	assert_int_equal(keyslot_remove(payload, 5, false, &why), 0);
	assert_int_equal(keyslot_token(payload, 5, json, sizeof(json), &why), -ENOENT);
	add.size = 31;
	assert_int_equal(keyslot_add(payload, &add, &slot, &why), -EINVAL);
	add.size = 32;
	add.token = "[1]";
	assert_int_equal(keyslot_add(payload, &add, &slot, &why), -EINVAL);
}

/* Eight keyslots fit; the ninth is refused with a reason. */
static void ninth_slot_is_refused(void **state)
{
	struct keyslot_add add = {.secret = secret,
				  .bytes = "more",
				  .size = 4,
				  .slot = -1,
				  .kind = LUKS_SLOT_PASSPHRASE,
				  .fast_for_tests = true};
	int slot;

	for (int i = 1; i < 8; i++) {
		assert_int_equal(keyslot_add(payload, &add, &slot, &why), 0);
	}
	assert_int_equal(keyslot_add(payload, &add, &slot, &why), -ENOSPC);
	assert_opens(secret);
}

/* What the layer writes comes back after the disk was opened again. */
static void data_survives_opening_again(void **state)
{
	struct layer *crypt;
	char text[512] = "what was written";

	assert_int_equal(layer_crypt_open(payload, &segment, key, NULL, false, &crypt), 0);
	assert_int_equal(layer_write(crypt, text, sizeof(text), 4096), 0);
	assert_int_equal(crypt->ops->close(crypt), 0);
	assert_opens(secret);
	assert_int_equal(layer_crypt_open(payload, &segment, again, NULL, false, &crypt), 0);
	memset(text, 0, sizeof(text));
	assert_int_equal(layer_read(crypt, text, sizeof(text), 4096), 0);
	assert_string_equal(text, "what was written");
	assert_int_equal(crypt->ops->close(crypt), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(format_leaves_data_after_one_block),
		T(wrong_secret_is_refused),
		T(one_whole_copy_is_enough),
		T(slots_are_added_and_removed),
		T(change_replaces_the_slot_that_opened),
		T(recovery_key_opens_its_slot),
		T(token_travels_with_its_slot),
		T(ninth_slot_is_refused),
		T(data_survives_opening_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
