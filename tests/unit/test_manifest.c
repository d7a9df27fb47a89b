/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a manifest, its signature, what it fits, and the epochs seen. */
#define _GNU_SOURCE

#include "disk_memory.h"
#include "manifest.h"
#include "manifest_keys.h"
#include "manifest_seen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct manifest make(void)
{
	struct manifest manifest = {
		.epoch = 7,
		.disk_id = {1, 2, 3},
		.image = "of\"fi\\ce \xc3\xbc.vhd",
		.size = 8u << 20,
		.uuid = {9},
		.parents = {{8}, {7}},
		.parent_count = 2,
		.encrypted = true,
		.pinned_size = 2u << 20,
		.pinned_hash = {5},
		.tree_area = 1,
		.tree_root = {6},
		.roles = {"desktop", "browser"},
		.role_count = 2,
		.owner = "Office PC",
	};

	return manifest;
}

static struct manifest_subject subject_of(const struct manifest *manifest)
{
	struct manifest_subject subject = {
		.image = manifest->image, .size = manifest->size, .uuid_count = 3};

	memcpy(subject.uuids[0], manifest->uuid, 16);
	memcpy(subject.uuids[1], manifest->parents[0], 16);
	memcpy(subject.uuids[2], manifest->parents[1], 16);
	return subject;
}

/* What is written is read again, each field. */
static void manifest_text_holds_everything(void **state)
{
	struct manifest manifest = make(), again = {0};
	size_t size, signed_size, again_signed;
	char *text;

	(void)state;
	assert_int_equal(manifest_encode(&manifest, &text, &size, &signed_size), 0);
	assert_int_equal(manifest_decode(text, size, &again, &again_signed), 0);
	assert_memory_equal(&again, &manifest, sizeof(manifest));
	assert_int_equal(again_signed, signed_size);
	free(text);
}

static int decode_with(const char *find, const char *replace)
{
	struct manifest manifest = make();
	size_t size, signed_size;
	char *text, changed[8192], *at;
	int rc;

	assert_int_equal(manifest_encode(&manifest, &text, &size, &signed_size), 0);
	text[size - 1] = 0;
	at = strstr(text, find);
	assert_non_null(at);
	*at = 0;
	snprintf(changed, sizeof(changed), "%s%s%s\n", text, replace, at + strlen(find));
	free(text);
	rc = manifest_decode(changed, strlen(changed), &manifest, &signed_size);
	return rc;
}

/* Any other spelling, any field twice, missing, unknown or out of its bounds is refused. */
static void manifest_text_has_one_form(void **state)
{
	(void)state;
	assert_int_equal(decode_with("\"epoch\": 7", "\"epoch\": 8"), 0);
	assert_int_equal(decode_with("\"epoch\": 7", "\"epoch\":  7"), -EBADMSG);
	assert_int_equal(decode_with("\"epoch\": 7", "\"epoch\": 07"), -EBADMSG);
	assert_int_equal(decode_with("\"epoch\": 7", "\"epoch\": 0"), -EBADMSG);
	assert_int_equal(decode_with("\"epoch\": 7,\n", "\"epoch\": 7,\n  \"epoch\": 8,\n"),
			 -EBADMSG);
	assert_int_equal(decode_with("  \"epoch\": 7,\n", ""), -EBADMSG);
	assert_int_equal(decode_with("\"manifest\": 1", "\"manifest\": 2"), -EBADMSG);
	assert_int_equal(decode_with("\"sealed\"", "\"locked\""), -EBADMSG);
	assert_int_equal(decode_with("\"moved_to\": \"\"", "\"moved_to\": \"x\""), -EBADMSG);
	assert_int_equal(decode_with("\"tree_area\": 1", "\"tree_area\": 2"), -EBADMSG);
	assert_int_equal(decode_with("\"size\": 8388608", "\"size\": 8388609"), -EBADMSG);
	assert_int_equal(decode_with("\"size\": 8388608", "\"size\": 1048576"), -EBADMSG);
	assert_int_equal(decode_with("\"size\": 8388608", "\"size\": 9223372036854775808"),
			 -EBADMSG);
	assert_int_equal(decode_with("\"image\": \"", "\"image\": \"../"), -EBADMSG);
	assert_int_equal(decode_with("\"owner\": \"", "\"owner\": \"\\u000a"), -EBADMSG);
	assert_int_equal(decode_with("\"signature\": \"\"", "\"signature\": \"0\""), -EBADMSG);
	assert_int_equal(decode_with("\"signature\": \"\"", "\"signature\": \"zz\""), -EBADMSG);
	assert_int_equal(decode_with("true", "false"), 0);
}

/* A signed manifest is accepted with its key only, and with no byte changed. */
static void manifest_is_signed(void **state)
{
	struct disk_memory *disk = disk_memory_create(false);
	struct folder *folder = disk_memory_folder(disk);
	struct manifest manifest = make(), again;
	char name[MANIFEST_NAME_MAX + 16], other[512];
	struct signer *signer, *thief;
	struct why why = {""};
	void *text;
	size_t size;

	(void)state;
	snprintf(name, sizeof(name), "%s" MANIFEST_SUFFIX, manifest.image);
	assert_int_equal(signer_create(MANIFEST_TEST_KEY, &signer, NULL), 0);
	assert_int_equal(signer_create(MANIFEST_TEST_OTHER_KEY, &thief, NULL), 0);
	assert_int_equal(signer_get_public(thief, other, sizeof(other)), 0);
	assert_int_equal(manifest_read(folder, manifest.image, NULL, &again, &why), -ENOENT);
	assert_int_equal(manifest_write(folder, &manifest, signer), 0);
	assert_int_equal(manifest_read(folder, manifest.image, MANIFEST_TEST_PUBLIC, &again, &why),
			 0);
	assert_memory_equal(&again, &manifest, sizeof(again));
	assert_int_equal(manifest_read(folder, manifest.image, other, &again, &why), -EKEYREJECTED);
	assert_int_equal(folder_read_file(folder, name, 1u << 20, &text, &size), 0);
	((char *)strstr(text, "Office"))[0] = 'o';
	assert_int_equal(folder_replace_file(folder, name, text, size), 0);
	free(text);
	assert_int_equal(manifest_read(folder, manifest.image, NULL, &again, &why), 0);
	assert_int_equal(manifest_read(folder, manifest.image, MANIFEST_TEST_PUBLIC, &again, &why),
			 -EKEYREJECTED);
	assert_non_null(strstr(why.text, "not signed with the trusted key"));
	assert_int_equal(manifest_write(folder, &manifest, NULL), 0);
	assert_int_equal(manifest_read(folder, manifest.image, MANIFEST_TEST_PUBLIC, &again, &why),
			 -EKEYREJECTED);
	signer_destroy(signer);
	signer_destroy(thief);
	disk_memory_destroy(disk);
}

/* What could not be read again is not written. */
static void manifest_write_refuses_what_it_could_not_read(void **state)
{
	struct disk_memory *disk = disk_memory_create(false);
	struct manifest manifest = make();

	(void)state;
	strcpy(manifest.owner, "line\nbreak");
	assert_int_equal(manifest_write(disk_memory_folder(disk), &manifest, NULL), -EINVAL);
	strcpy(manifest.owner, "\xff");
	assert_int_equal(manifest_write(disk_memory_folder(disk), &manifest, NULL), -EINVAL);
	assert_int_equal(disk->calls[DISK_CREATE], 0);
	disk_memory_destroy(disk);
}

/* Name, size and an image of the chain must be the same; a new child of the image is still it. */
static void manifest_fits_its_image(void **state)
{
	struct manifest manifest = make();
	struct manifest_subject subject = subject_of(&manifest);

	(void)state;
	assert_int_equal(manifest_check_fits(&manifest, &subject, NULL), 0);
	memset(subject.uuids, 0, sizeof(subject.uuids));
	assert_int_equal(manifest_check_fits(&manifest, &subject, NULL), -EKEYREJECTED);
	memcpy(subject.uuids[1], manifest.uuid, 16);
	assert_int_equal(manifest_check_fits(&manifest, &subject, NULL), 0);
	subject.size += 512;
	assert_int_equal(manifest_check_fits(&manifest, &subject, NULL), -EKEYREJECTED);
	subject.size -= 512;
	subject.image = "other.vhd";
	assert_int_equal(manifest_check_fits(&manifest, &subject, NULL), -EKEYREJECTED);
	manifest_set_subject(&manifest, &subject);
	assert_int_equal(manifest_check_fits(&manifest, &subject, NULL), 0);
	assert_int_equal(manifest.parent_count, 2);
}

/* An epoch below one that was seen is refused; the record survives and damage to it is told. */
static void manifest_seen_only_grows(void **state)
{
	struct disk_memory *disk = disk_memory_create(false);
	struct folder *seen = disk_memory_folder(disk);
	struct manifest manifest = make();
	struct why why = {""};
	uint64_t epoch;

	(void)state;
	assert_int_equal(manifest_seen_check(NULL, &manifest, NULL), 0);
	assert_int_equal(manifest_seen_check(seen, &manifest, NULL), 0);
	manifest.epoch = 6;
	assert_int_equal(manifest_seen_check(seen, &manifest, &why), -ESTALE);
	assert_non_null(strstr(why.text, "epoch 6"));
	manifest.epoch = 7;
	assert_int_equal(manifest_seen_check(seen, &manifest, NULL), 0);
	manifest.epoch = 12;
	assert_int_equal(manifest_seen_check(seen, &manifest, NULL), 0);
	assert_int_equal(manifest_seen_get(seen, manifest.disk_id, &epoch), 0);
	assert_int_equal(epoch, 12);
	assert_int_equal(
		folder_replace_file(seen, "01020300000000000000000000000000.epoch", "12x\n", 4), 0);
	assert_int_equal(manifest_seen_get(seen, manifest.disk_id, &epoch), -EBADMSG);
	manifest.disk_id[0] = 99;
	assert_int_equal(manifest_seen_get(seen, manifest.disk_id, &epoch), 0);
	assert_int_equal(epoch, 0);
	disk_memory_destroy(disk);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifest_text_holds_everything),
		cmocka_unit_test(manifest_text_has_one_form),
		cmocka_unit_test(manifest_is_signed),
		cmocka_unit_test(manifest_write_refuses_what_it_could_not_read),
		cmocka_unit_test(manifest_fits_its_image),
		cmocka_unit_test(manifest_seen_only_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
