/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypting an image, giving it another key, stopping in the middle and going on. */
#include "rekey.h"
#include "fakes/disk_cut.h"
#include "fakes/disk_memory.h"
#include "layer_crypt.h"
#include "vhd_disk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define SIZE (8u << 20)
#define NAME "a.vhd"

static struct disk_memory *disk;
static struct folder *folder;
static struct why why;
static uint8_t model[SIZE], got[SIZE];
static const struct luks_secret first = {"first", 5, -1}, second = {"second", 6, -1};

static void assert_done(int rc)
{
	if (rc) {
		fail_msg("%d: %s", rc, why.text);
	}
}

/* Plain, with data here and there. */
static int setup(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = SIZE};
	struct layer *layer;

	disk = disk_memory_create(true);
	folder = disk_memory_folder(disk);
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 300000; i++) {
		model[(i * 37) % (5u << 20)] = (uint8_t)(i * 7 + 3);
	}
	memset(model + (2u << 20), 0, 1u << 20);
	assert_done(vhd_disk_create(folder, NAME, &create, &why));
	assert_done(vhd_disk_open(folder, NAME, VHD_DISK_WRITE, &layer, &why));
	assert_done(layer_write(layer, model, 2u << 20, 0));
	assert_done(layer_write(layer, model + (3u << 20), 2u << 20, 3u << 20));
	assert_done(layer_flush(layer));
	assert_done(layer_close(layer));
	return 0;
}

static int teardown(void **state)
{
	disk_memory_destroy(disk);
	return 0;
}

static int encrypt(const struct progress *progress)
{
	struct rekey rekey = {.fresh = first, .fast_for_tests = true, .progress = progress};

	return rekey_image(folder, NAME, &rekey, &why);
}

static int change(struct luks_secret fresh, const struct progress *progress)
{
	struct rekey rekey = {
		.old = &first, .fresh = fresh, .fast_for_tests = true, .progress = progress};

	return rekey_image(folder, NAME, &rekey, &why);
}

/* What a secret shows, or the plain image, equals the model. */
static void assert_shows_model(const struct luks_secret *secret)
{
	uint8_t key[XTS_KEY_SIZE];
	struct luks_segment segment;
	struct layer *layer;

	assert_done(vhd_disk_open(folder, NAME, 0, &layer, &why));
	if (secret) {
		assert_done(luks_unlock(layer, secret, key, &segment, &why));
		assert_done(layer_crypt_open(layer, &segment, key, NULL, false, &layer));
	}
	assert_int_equal(layer->size, SIZE);
	assert_done(layer_read(layer, got, SIZE, 0));
	assert_memory_equal(got, model, SIZE);
	assert_done(layer_close(layer));
}

static int stop_half_way(void *context, uint64_t done, uint64_t total)
{
	return done >= total / 2;
}

static uint64_t file_size(const char *name)
{
	struct file *file;
	uint64_t size = 0;

	assert_done(folder_open_file(folder, name, FOLDER_READ, &file));
	assert_done(file_get_size(file, &size));
	file_close(file);
	return size;
}

/* A plain image becomes encrypted, and the disk in it stays the same, zeros included. */
static void plain_image_becomes_encrypted(void **state)
{
	assert_done(encrypt(NULL));
	assert_shows_model(&first);
	assert_int_equal(encrypt(NULL), -EALREADY);
}

/* Another key: the old secret opens nothing, the disk is the same. */
static void image_gets_another_key(void **state)
{
	struct layer *layer;
	uint8_t key[XTS_KEY_SIZE];
	struct luks_segment segment;

	assert_done(encrypt(NULL));
	assert_done(change(second, NULL));
	assert_shows_model(&second);
	assert_done(vhd_disk_open(folder, NAME, 0, &layer, &why));
	assert_int_equal(luks_unlock(layer, &first, key, &segment, &why), -EPERM);
	assert_done(layer_close(layer));
}

/* What was never written takes no room afterwards. */
static void unwritten_sectors_take_no_room(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = SIZE + LUKS_HEADER_SIZE};
	struct luks_format format = {.secret = first, .fast_for_tests = true};
	struct layer *layer;
	uint64_t size;

	assert_done(folder_remove(folder, NAME));
	assert_done(vhd_disk_create(folder, NAME, &create, &why));
	assert_done(vhd_disk_open(folder, NAME, VHD_DISK_WRITE, &layer, &why));
	assert_done(luks_format(layer, &format, &why));
	assert_done(layer_close(layer));
	size = file_size(NAME);
	assert_done(change(second, NULL));
	assert_true(file_size(NAME) <= size);
}

/* Stopped half-way, the image is as it was; asked again, the copy goes on and writes only the rest.
 */
static void stopped_copy_goes_on(void **state)
{
	struct progress progress = {stop_half_way, NULL};
	uint64_t writes;

	assert_int_equal(encrypt(&progress), -ECANCELED);
	assert_shows_model(NULL);
	writes = disk->calls[DISK_WRITE];
	assert_done(encrypt(NULL));
	assert_true(disk->calls[DISK_WRITE] - writes < 60);
	assert_shows_model(&first);
}

/* Going on with another new secret is refused, unless it starts over. */
static void going_on_needs_the_same_secret(void **state)
{
	struct progress progress = {stop_half_way, NULL};
	struct rekey rekey = {.old = &first, .fresh = second, .fast_for_tests = true};

	assert_done(encrypt(NULL));
	assert_int_equal(change((struct luks_secret){"third", 5, -1}, &progress), -ECANCELED);
	assert_int_equal(change(second, NULL), -EPERM);
	assert_non_null(strstr(why.text, "start over"));
	rekey.start_over = true;
	assert_done(rekey_image(folder, NAME, &rekey, &why));
	assert_shows_model(&second);
}

/* No room: said so, nothing lost, and with room it goes on. */
static void full_disk_loses_nothing(void **state)
{
	disk->budget = disk_memory_used(disk) + (3u << 20);
	assert_int_equal(encrypt(NULL), -ENOSPC);
	assert_shows_model(NULL);
	disk->budget = 0;
	assert_done(encrypt(NULL));
	assert_shows_model(&first);
}

/* An image that others stand on keeps its key. */
static void parent_of_others_is_refused(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DIFFERENCING, .parent = NAME};

	assert_done(vhd_disk_create(folder, "child.vhd", &create, &why));
	assert_int_equal(encrypt(NULL), -EBUSY);
	assert_non_null(strstr(why.text, "child.vhd"));
	assert_shows_model(NULL);
}

/* A child with its parent becomes one image, and the parent stays. */
static void child_becomes_an_image_of_its_own(void **state)
{
	struct vhd_disk_create create = {.type = VHD_DIFFERENCING, .parent = "base.vhd"};
	struct vhd_disk_info info;
	struct layer *layer;

	assert_done(folder_rename(folder, NAME, "base.vhd"));
	assert_done(vhd_disk_create(folder, NAME, &create, &why));
	assert_done(vhd_disk_open(folder, NAME, VHD_DISK_WRITE, &layer, &why));
	memset(model + 8192, 'x', 4096);
	assert_done(layer_write(layer, model + 8192, 4096, 8192));
	assert_done(layer_flush(layer));
	assert_done(layer_close(layer));
	assert_done(encrypt(NULL));
	assert_shows_model(&first);
	assert_done(vhd_disk_open(folder, NAME, 0, &layer, &why));
	assert_int_equal(vhd_disk_get_info(layer, 0, &info), 1);
	assert_done(layer_close(layer));
	assert_done(vhd_disk_open(folder, "base.vhd", 0, &layer, &why));
	assert_done(layer_close(layer));
}

static unsigned changes, cut_at;
static struct disk_memory *cut_disk;

static void cut_power(struct disk_memory *d, enum disk_call call)
{
	if (++changes == cut_at) {
		uint64_t seed = cut_at;
		struct disk_cut cut = disk_cut_choose(d, &seed);

		cut_disk = disk_cut_make(d, &cut);
	}
}

/* A power cut anywhere leaves the old image or the new one, and the copy goes on to the new one. */
static void power_cut_leaves_old_or_new(void **state)
{
	assert_done(encrypt(NULL));
	for (cut_at = 1; cut_at < 60; cut_at += 19) {
		struct disk_memory *whole = disk;
		struct disk_memory *copy = disk_memory_fork(disk);
		int rc;

		cut_disk = NULL;
		changes = 0;
		disk_memory_destroy(copy);
		copy = disk_cut_make(disk, &(struct disk_cut){.kind = DISK_CUT_KEEP_ALL});
		copy->on_change = cut_power;
		folder = disk_memory_folder(copy);
		assert_done(change(second, NULL));
		disk_memory_destroy(copy);
		if (cut_disk) {
			disk = cut_disk;
			folder = disk_memory_folder(disk);
			rc = change(second, NULL);
			if (rc != -EPERM) { /* the new one was in place */
				assert_done(rc);
			}
			assert_shows_model(&second);
			disk_memory_destroy(disk);
		}
		disk = whole;
		folder = disk_memory_folder(disk);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(plain_image_becomes_encrypted),  T(image_gets_another_key),
		T(unwritten_sectors_take_no_room), T(stopped_copy_goes_on),
		T(going_on_needs_the_same_secret), T(full_disk_loses_nothing),
		T(parent_of_others_is_refused),	   T(child_becomes_an_image_of_its_own),
		T(power_cut_leaves_old_or_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
