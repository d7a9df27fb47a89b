/* SPDX-License-Identifier: Apache-2.0 */
/* Whole stacks over VHD and raw images in memory, with manifests, encryption and everything else.
 */
#define _GNU_SOURCE

#include "stack.h"

#include "disk_memory.h"
#include "layer_cow.h"
#include "layer_stats.h"
#include "manifest_keys.h"
#include "owner.h"
#include "stack_manifest.h"
#include "vhd_disk.h"
#include "vhd_snapshot.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE (16u << 20)

static struct disk_memory *disk;
static struct folder *folder;
static struct why why;
static uint8_t bytes[1u << 20], got[1u << 20];
static const struct luks_secret secret = {"pass", 4, -1};

static int setup(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = SIZE};

	(void)state;
	disk = disk_memory_create(false);
	folder = disk_memory_folder(disk);
	why.text[0] = 0;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(rand() >> 7);
	}
	return vhd_disk_create(folder, "d.vhd", &create, &why);
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(disk_memory_open_count(disk), 0);
	disk_memory_destroy(disk);
	return 0;
}

static struct layer *open_with(const struct stack_options *options)
{
	struct layer *top = NULL;
	int rc = stack_open(folder, "d.vhd", options, &top, &why);

	if (rc) {
		fail_msg("%d: %s", rc, why.text);
	}
	return top;
}

static void refuse(const struct stack_options *options, int error, const char *words)
{
	struct layer *top = NULL;

	assert_int_equal(stack_open(folder, "d.vhd", options, &top, &why), error);
	assert_null(top);
	if (!strstr(why.text, words)) {
		fail_msg("\"%s\" does not say \"%s\"", why.text, words);
	}
}

static void seal(const char *key)
{
	struct stack_seal_options options = {.sign_key = key};
	struct manifest manifest;
	int rc = stack_seal(folder, "d.vhd", &options, &manifest, &why);

	if (rc) {
		fail_msg("%d: %s", rc, why.text);
	}
}

static void encrypt(void)
{
	struct luks_format format = {.secret = secret, .fast_for_tests = true};
	struct layer *top = open_with(&(struct stack_options){.write = true});

	assert_int_equal(luks_format(top, &format, &why), 0);
	assert_int_equal(layer_close(top), 0);
}

/* A plain disk keeps what was written; opened for reading it is read-only. */
static void stack_opens_a_plain_disk(void **state)
{
	struct layer *top = open_with(&(struct stack_options){.write = true});

	(void)state;
	assert_int_equal(top->size, SIZE);
	assert_int_equal(layer_write(top, bytes, sizeof(bytes), 512), 0);
	assert_int_equal(layer_flush(top), 0);
	refuse(&(struct stack_options){0}, -EAGAIN, "");
	assert_int_equal(layer_close(top), 0);
	top = open_with(&(struct stack_options){0});
	assert_true(top->read_only);
	assert_int_equal(layer_read(top, got, sizeof(got), 512), 0);
	assert_memory_equal(got, bytes, sizeof(got));
	assert_int_equal(layer_close(top), 0);
}

/* The format is never guessed: a raw disk is one only when asked for, whatever it begins with. */
static void stack_never_guesses_the_format(void **state)
{
	struct stack_options raw = {.raw = true};
	struct layer *top = open_with(&raw);

	(void)state;
	assert_string_equal(top->ops->name, "raw");
	assert_int_equal(layer_close(top), 0);
	assert_int_equal(folder_replace_file(folder, "d.vhd", bytes, sizeof(bytes)), 0);
	refuse(&(struct stack_options){0}, -EINVAL, "");
	top = open_with(&raw);
	assert_int_equal(top->size, sizeof(bytes));
	assert_int_equal(layer_close(top), 0);
}

/* All layers at once, encrypted, signed: each is there, data comes back, the manifest is sealed. */
static void stack_of_all_layers(void **state)
{
	static const char *const names[] = {"vhd", "verify", "crypt", "cow", "throttle", "stats"};
	struct layer_throttle_limits limits = {.limit = {.iops = 1000000}};
	struct stack_options options = {.write = true,
					.stats = true,
					.pass_discards = true,
					.secret = &secret,
					.limits = &limits,
					.trusted_key = MANIFEST_TEST_PUBLIC,
					.sign_key = MANIFEST_TEST_KEY};
	struct layer *top;

	(void)state;
	encrypt();
	seal(MANIFEST_TEST_KEY);
	top = open_with(&options);
	assert_int_equal(top->size, SIZE - LUKS_HEADER_SIZE);
	assert_int_equal(layer_write(top, bytes, sizeof(bytes), 4096 + 512), 0);
	assert_int_equal(layer_zero(top, 8192, 512), 0);
	assert_int_equal(layer_discard(top, 1u << 20, 2u << 20), 0);
	assert_int_equal(layer_flush(top), 0);
	assert_int_equal(layer_stats_get(top, LAYER_REQUEST_WRITE)->requests, 1);
	assert_int_equal(layer_close(top), 0);
	memset(bytes + 8192 - 4608, 0, 512);
	options.throw_away = true;
	top = open_with(&options);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_non_null(layer_find(top, names[i]));
	}
	assert_int_equal(layer_read(top, got, 65536, 4096 + 512), 0);
	assert_memory_equal(got, bytes, 65536);
	assert_int_equal(layer_write(top, bytes, 4096, 0), 0);
	assert_int_equal(layer_cow_get_used(layer_find(top, "cow")), 4096);
	assert_int_equal(layer_close(top), 0);
}

/* Without a secret an encrypted disk is not opened, but its ciphertext is. */
static void stack_wants_a_secret(void **state)
{
	struct luks_secret wrong = {"past", 4, -1};
	struct layer *top;

	(void)state;
	encrypt();
	refuse(&(struct stack_options){0}, -ENOKEY, "passphrase");
	refuse(&(struct stack_options){.secret = &wrong}, -EPERM, "secret");
	top = open_with(&(struct stack_options){.ciphertext = true});
	assert_null(layer_find(top, "crypt"));
	assert_int_equal(layer_close(top), 0);
}

/* An opening that is refused, for want of a passphrase, leaves the manifest as it was. */
static void stack_refuses_without_a_trace(void **state)
{
	struct stack_options options = {.write = true};
	struct luks_secret wrong = {"past", 4, -1};
	size_t size, again_size;
	void *text, *again;

	(void)state;
	encrypt();
	seal(NULL);
	assert_int_equal(folder_read_file(folder, "d.vhd.manifest", 65536, &text, &size), 0);
	refuse(&options, -ENOKEY, "");
	options.secret = &wrong;
	refuse(&options, -EPERM, "");
	assert_int_equal(folder_read_file(folder, "d.vhd.manifest", 65536, &again, &again_size), 0);
	assert_int_equal(size, again_size);
	assert_memory_equal(text, again, size);
	free(text);
	free(again);
}

/* A manifest that says encrypted goes with no plain disk. */
static void stack_refuses_a_plain_disk_in_place_of_an_encrypted_one(void **state)
{
	struct layer *top;

	(void)state;
	encrypt();
	seal(NULL);
	top = open_with(&(struct stack_options){
		.write = true, .ciphertext = true, .ignore_manifest = true});
	assert_int_equal(layer_zero(top, 0, LUKS_HEADER_SIZE), 0);
	assert_int_equal(layer_close(top), 0);
	refuse(&(struct stack_options){.secret = &secret}, -EKEYREJECTED, "is encrypted, and it");
}

/* A changed header is refused before any key is tried; with the manifest ignored it would open. */
static void stack_pins_the_header(void **state)
{
	struct layer *top;

	(void)state;
	encrypt();
	seal(NULL);
	top = open_with(&(struct stack_options){
		.write = true, .ciphertext = true, .ignore_manifest = true});
	assert_int_equal(layer_write(top, bytes, 512, LUKS_HEADER_SIZE - 512), 0);
	assert_int_equal(layer_close(top), 0);
	refuse(&(struct stack_options){.secret = &secret}, -EKEYREJECTED, "encryption header");
	top = open_with(&(struct stack_options){.secret = &secret, .ignore_manifest = true});
	assert_int_equal(layer_close(top), 0);
}

/* A LUKS header that the guest of a plain disk wrote is its own business when a manifest tells. */
static void stack_leaves_a_guests_own_header_alone(void **state)
{
	struct luks_format format = {.secret = secret, .fast_for_tests = true};
	struct layer *top;

	(void)state;
	seal(NULL);
	top = open_with(&(struct stack_options){.write = true});
	assert_int_equal(luks_format(top, &format, &why), 0);
	assert_int_equal(layer_close(top), 0);
	top = open_with(&(struct stack_options){.write = true});
	assert_null(layer_find(top, "crypt"));
	assert_int_equal(layer_close(top), 0);
}

/* Where only signed disks may be used, none is the same as a wrong one. */
static void stack_wants_a_trusted_manifest(void **state)
{
	struct stack_options options = {.trusted_key = MANIFEST_TEST_PUBLIC};

	(void)state;
	refuse(&options, -EKEYREJECTED, "no manifest");
	seal(NULL);
	refuse(&options, -EKEYREJECTED, "not signed");
	seal(MANIFEST_TEST_OTHER_KEY);
	refuse(&options, -EKEYREJECTED, "not signed");
	seal(MANIFEST_TEST_KEY);
	assert_int_equal(layer_close(open_with(&options)), 0);
	options.write = true;
	refuse(&options, -EKEYREJECTED, "signing key");
}

/* An old state of the disk does not come back unnoticed. */
static void stack_refuses_an_old_state(void **state)
{
	struct disk_memory *pc = disk_memory_create(false);
	struct stack_options options = {.write = true, .seen = disk_memory_folder(pc)};
	struct stack_seal_options anew = {.seen = options.seen};
	struct manifest manifest;
	size_t size;
	void *old;

	(void)state;
	seal(NULL);
	assert_int_equal(folder_read_file(folder, "d.vhd.manifest", 65536, &old, &size), 0);
	assert_int_equal(layer_close(open_with(&options)), 0);
	assert_int_equal(layer_close(open_with(&options)), 0);
	assert_int_equal(folder_replace_file(folder, "d.vhd.manifest", old, size), 0);
	refuse(&options, -ESTALE, "old state");
	free(old);
	assert_int_equal(stack_seal(folder, "d.vhd", &anew, &manifest, &why), 0);
	assert_int_equal(layer_close(open_with(&options)), 0);
	disk_memory_destroy(pc);
}

/* A snapshot changes the image and not the disk: its manifest goes on with it. A changed parent is
 * found through the child. */
static void stack_follows_a_snapshot(void **state)
{
	const char *name = "d.vhd";
	struct stack_options options = {.write = true};
	struct stack_verify_report report;
	struct layer *top;

	(void)state;
	seal(NULL);
	top = open_with(&options);
	assert_int_equal(layer_write(top, bytes, sizeof(bytes), 2u << 20), 0);
	assert_int_equal(layer_close(top), 0);
	assert_int_equal(vhd_snapshot_take(folder, &name, 1, "one", &why), 0);
	top = open_with(&options);
	assert_non_null(layer_find(top, "verify"));
	assert_int_equal(layer_write(top, bytes, 4096, 3u << 20), 0);
	assert_int_equal(layer_close(top), 0);
	assert_int_equal(stack_verify(folder, name, &options, NULL, NULL, NULL, &report, &why), 0);
	assert_int_equal(report.manifest.parent_count, 1);
	assert_int_equal(stack_open(folder, "d.one.vhd",
				    &(struct stack_options){.write = true, .ignore_manifest = true},
				    &top, &why),
			 0);
	assert_int_equal(layer_write(top, bytes, 512, (2u << 20) + 512), 0);
	assert_int_equal(layer_close(top), 0);
	assert_int_equal(stack_verify(folder, name, &options, NULL, NULL, NULL, &report, &why),
			 -EBADMSG);
	assert_int_equal(report.status.bad_offset, 2u << 20);
}

/* A disk that moved away is not written here, told by its owner's record or by its manifest. */
static void stack_refuses_to_write_what_moved(void **state)
{
	struct owner owner = {.state = OWNER_MOVED, .epoch = 2, .to = "the laptop"};
	struct stack_options options = {.write = true};

	(void)state;
	seal(NULL);
	assert_int_equal(manifest_set_moved(folder, "d.vhd", "the laptop", NULL, NULL, NULL), 0);
	refuse(&options, -EREMOTE, "the laptop");
	assert_int_equal(layer_close(open_with(&(struct stack_options){0})), 0);
	assert_int_equal(manifest_remove(folder, "d.vhd"), 0);
	assert_int_equal(owner_write(folder, "d.vhd", &owner, &why), 0);
	refuse(&options, -EREMOTE, "laptop");
}

/* Sealing refuses while somebody writes. */
static void stack_seal_wants_the_disk_alone(void **state)
{
	struct stack_seal_options options = {0};
	struct manifest manifest;
	struct layer *top = open_with(&(struct stack_options){.write = true});

	(void)state;
	assert_int_equal(stack_seal(folder, "d.vhd", &options, &manifest, &why), -EAGAIN);
	assert_int_equal(layer_close(top), 0);
}

/* Another image under the name of a sealed one is refused. */
static void stack_refuses_another_image(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = SIZE};

	(void)state;
	seal(NULL);
	assert_int_equal(folder_rename(folder, "d.vhd", "e.vhd"), 0);
	assert_int_equal(vhd_disk_create(folder, "d.vhd", &create, &why), 0);
	refuse(&(struct stack_options){0}, -EKEYREJECTED, "another image");
	assert_int_equal(folder_remove(folder, "d.vhd"), 0);
	create.size = 2 * SIZE;
	assert_int_equal(vhd_disk_create(folder, "d.vhd", &create, &why), 0);
	refuse(&(struct stack_options){0}, -EKEYREJECTED, "another size");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(stack_opens_a_plain_disk, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_never_guesses_the_format, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_of_all_layers, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_wants_a_secret, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_refuses_without_a_trace, setup, teardown),
		cmocka_unit_test_setup_teardown(
			stack_refuses_a_plain_disk_in_place_of_an_encrypted_one, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_pins_the_header, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_leaves_a_guests_own_header_alone, setup,
						teardown),
		cmocka_unit_test_setup_teardown(stack_wants_a_trusted_manifest, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_refuses_an_old_state, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_follows_a_snapshot, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_refuses_to_write_what_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_refuses_another_image, setup, teardown),
		cmocka_unit_test_setup_teardown(stack_seal_wants_the_disk_alone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
