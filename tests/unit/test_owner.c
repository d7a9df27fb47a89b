/* SPDX-License-Identifier: Apache-2.0 */
/* Records of who owns a disk that travels. */
#define _GNU_SOURCE

#include "owner.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/scratch.h"

static struct folder *folder;

static int setup(void **state)
{
	const char *name;

	(void)state;
	assert_int_equal(scratch_make("/tmp"), 0);
	return folder_of_path(scratch_path("name"), &folder, &name);
}

static int teardown(void **state)
{
	(void)state;
	folder_close(folder);
	return scratch_remove();
}

static struct owner sample(enum owner_state state)
{
	struct owner owner = {.state = state, .epoch = 7, .time = 1234567, .received = true};

	memset(owner.disk_id, 0xab, sizeof(owner.disk_id));
	memset(owner.salt, 0x5a, sizeof(owner.salt));
	snprintf(owner.to, sizeof(owner.to), "the laptop");
	snprintf(owner.common_name, sizeof(owner.common_name), "d.e6.vhd");
	return owner;
}

/* What is written is read back. */
static void owner_reads_what_it_wrote(void **state)
{
	struct owner out = sample(OWNER_LEAVING), in;

	(void)state;
	assert_int_equal(owner_write(folder, "d.vhd", &out, NULL), 0);
	assert_int_equal(owner_read(folder, "d.vhd", &in, NULL), 0);
	assert_int_equal(in.state, OWNER_LEAVING);
	assert_int_equal(in.epoch, 7);
	assert_int_equal(in.time, 1234567);
	assert_true(in.received);
	assert_memory_equal(in.disk_id, out.disk_id, sizeof(in.disk_id));
	assert_memory_equal(in.salt, out.salt, sizeof(in.salt));
	assert_string_equal(in.to, "the laptop");
	assert_string_equal(in.common_name, "d.e6.vhd");
}

/* A disk that moved away refuses to be written and says where it went; one without a record, at
 * home or about to leave may be written. */
static void owner_check_write_refuses_only_what_is_elsewhere(void **state)
{
	struct owner moved = sample(OWNER_MOVED), here = sample(OWNER_HERE);
	struct owner leaving = sample(OWNER_LEAVING);
	struct why why = {""};

	(void)state;
	assert_int_equal(owner_check_write(folder, "d.vhd", &why), 0);
	assert_int_equal(owner_write(folder, "d.vhd", &moved, NULL), 0);
	assert_int_equal(owner_check_write(folder, "d.vhd", &why), -EREMOTE);
	assert_non_null(strstr(why.text, "the laptop"));
	assert_non_null(strstr(why.text, "epoch 7"));
	assert_int_equal(owner_write(folder, "d.vhd", &leaving, NULL), 0);
	assert_int_equal(owner_check_write(folder, "d.vhd", &why), 0);
	assert_int_equal(owner_write(folder, "d.vhd", &here, NULL), 0);
	assert_int_equal(owner_check_write(folder, "d.vhd", &why), 0);
}

/* A damaged record refuses the disk: nobody knows whether it moved. */
static void owner_check_write_refuses_a_damaged_record(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "{}", "{\"version\":1,\"state\":\"gone\"}", "{\"version\":2}",
	};
	struct why why = {""};

	(void)state;
	for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(folder_replace_file(folder, "d.vhd.owner", bad[i], strlen(bad[i])),
				 0);
		assert_int_equal(owner_check_write(folder, "d.vhd", &why), -EBADMSG);
	}
}

/* The highest epoch of a disk is found under whatever name it has; other disks do not count. */
static void owner_find_takes_the_highest_epoch(void **state)
{
	struct owner owner = sample(OWNER_HERE);
	char image[OWNER_NAME_MAX];
	uint8_t id[16];
	uint64_t epoch;

	(void)state;
	memcpy(id, owner.disk_id, sizeof(id));
	assert_int_equal(owner_find(folder, id, &epoch, image), 0);
	assert_int_equal(epoch, 0);
	assert_int_equal(owner_write(folder, "a.vhd", &owner, NULL), 0);
	owner.epoch = 9;
	assert_int_equal(owner_write(folder, "b.vhd", &owner, NULL), 0);
	owner.epoch = 11;
	owner.disk_id[0] = 0;
	assert_int_equal(owner_write(folder, "c.vhd", &owner, NULL), 0);
	assert_int_equal(owner_find(folder, id, &epoch, image), 0);
	assert_int_equal(epoch, 9);
	assert_string_equal(image, "b.vhd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(owner_reads_what_it_wrote, setup, teardown),
		cmocka_unit_test_setup_teardown(owner_check_write_refuses_only_what_is_elsewhere,
						setup, teardown),
		cmocka_unit_test_setup_teardown(owner_check_write_refuses_a_damaged_record, setup,
						teardown),
		cmocka_unit_test_setup_teardown(owner_find_takes_the_highest_epoch, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
