/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts and failing calls while an image is encrypted, or gets another key: at each instant
 * the name opens as the old image or as the new one, whole; asked again, it becomes the new one.
 *
 *  rekeycut [cuts after each change]. Prints TAP. */
#include "rekey.h"

#include "disk_cut.h"
#include "disk_memory.h"
#include "layer_crypt.h"
#include "vhd_disk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE	    (6u << 20)
#define NAME	    "a.vhd"
#define RESUME_EACH 61u /* states; a resumed run takes some processes */
#define FAULT_STEP  3u

static const struct luks_secret first = {"first", 5, -1}, second = {"second", 6, -1};

/* One kind of image as far as reading goes. */
struct look {
	bool crypt;
	uint8_t key[XTS_KEY_SIZE];
	struct luks_segment segment;
	uint8_t uuid[16];
};

static struct {
	bool encrypted; /* before: so `rekey`, else `encrypt` */
	struct look old, new;
	uint64_t cuts, states, olds, news, resumed;
	bool failed, quiet;
} run;

static uint8_t model[SIZE], got[SIZE];
static unsigned number;
static struct why why;

static bool bad(const char *what, int rc)
{
	if (!run.failed && !run.quiet) {
		printf("# %s: %d %s\n", what, rc, why.text);
	}
	run.failed = true;
	return false;
}

static int rekey(struct disk_memory *disk)
{
	struct rekey r = {.old = run.encrypted ? &first : NULL,
			  .fresh = run.encrypted ? second : first,
			  .fast_for_tests = true};

	return rekey_image(disk_memory_folder(disk), NAME, &r, &why);
}

/* What tells the image that is there from the other: its UUID, and the key. */
static int learn(struct disk_memory *disk, const struct luks_secret *secret, struct look *ret_look)
{
	struct vhd_disk_info info;
	struct layer *layer;
	int rc = vhd_disk_open(disk_memory_folder(disk), NAME, 0, &layer, &why);

	if (rc) {
		return rc;
	}
	memset(ret_look, 0, sizeof(*ret_look));
	(void)vhd_disk_get_info(layer, 0, &info);
	memcpy(ret_look->uuid, info.footer.uuid, sizeof(info.footer.uuid));
	if (secret) {
		ret_look->crypt = true;
		rc = luks_unlock(layer, secret, ret_look->key, &ret_look->segment, &why);
	}
	(void)!layer_close(layer);
	return rc;
}

static int read_as(struct layer *layer, const struct look *look)
{
	struct layer *top = layer;
	int rc = 0;

	if (look->crypt) {
		rc = layer_crypt_open(layer, &look->segment, look->key, NULL, false, &top);
	}
	rc = rc ? rc : layer_read(top, got, SIZE, 0);
	(void)!layer_close(top);
	return rc;
}

/* Whole, and one of the two. */
static bool check(struct disk_memory *disk, bool *ret_new)
{
	struct vhd_disk_info info;
	struct layer *layer;
	int rc = vhd_disk_open(disk_memory_folder(disk), NAME, 0, &layer, &why);

	if (rc) {
		return bad("the image does not open", rc);
	}
	(void)vhd_disk_get_info(layer, 0, &info);
	*ret_new = memcmp(info.footer.uuid, run.old.uuid, 16) != 0;
	if (*ret_new && !run.new.crypt) { /* the first time that the new one is seen */
		(void)!layer_close(layer);
		rc = learn(disk, run.encrypted ? &second : &first, &run.new);
		return rc ? bad("the new image does not unlock", rc) : check(disk, ret_new);
	}
	rc = read_as(layer, *ret_new ? &run.new : &run.old);
	if (rc || memcmp(got, model, SIZE) != 0) {
		return bad(*ret_new ? "the new image has other data"
				    : "the old image has other data",
			   rc);
	}
	return true;
}

static bool resume(struct disk_memory *disk)
{
	struct look saved = run.new;
	bool is_new;
	int rc = rekey(disk);

	run.resumed++;
	if (rc) {
		return bad("asked again, it failed", rc);
	}
	memset(&run.new, 0, sizeof(run.new)); /* its key may be another one */
	is_new = check(disk, &is_new) && is_new;
	run.new = saved;
	return is_new || bad("asked again, the image is still the old one", 0);
}

static void cut_here(struct disk_memory *disk, enum disk_call call)
{
	for (uint64_t i = 0; i < run.cuts && !run.failed; i++) {
		uint64_t seed = run.states * 7919 + i;
		struct disk_cut cut = disk_cut_choose(disk, &seed);
		struct disk_memory *state = disk_cut_make(disk, &cut);
		bool is_new = false;

		if (check(state, &is_new)) {
			*(is_new ? &run.news : &run.olds) += 1;
			if (!is_new && run.states % RESUME_EACH == 0) {
				(void)resume(state);
			}
		}
		run.states++;
		disk_memory_destroy(state);
	}
}

/* A plain image with some data, encrypted when that is wanted. */
static struct disk_memory *make(void)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = SIZE};
	struct disk_memory *disk = disk_memory_create(true);
	struct folder *folder = disk_memory_folder(disk);
	bool encrypted = run.encrypted;
	struct layer *layer;
	int rc = vhd_disk_create(folder, NAME, &create, &why);

	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < (3u << 20); i++) {
		model[(1u << 20) + i] = (uint8_t)(i * 2654435761u >> 20);
	}
	rc = rc ? rc : vhd_disk_open(folder, NAME, VHD_DISK_WRITE, &layer, &why);
	if (!rc) {
		rc = layer_write(layer, model + (1u << 20), 3u << 20, 1u << 20);
		rc = rc ? rc : layer_flush(layer);
		rc = layer_close(layer) ? -EIO : rc;
	}
	run.encrypted = false;
	rc = rc || !encrypted ? rc : rekey(disk);
	run.encrypted = encrypted;
	rc = rc ? rc : learn(disk, encrypted ? &first : NULL, &run.old);
	if (rc) {
		(void)bad("making the image", rc);
	}
	return disk;
}

static void report(const char *what)
{
	printf("%s %u - %s\n", run.failed ? "not ok" : "ok", ++number, what);
	fflush(stdout);
}

static void test_cuts(bool encrypted, uint64_t cuts)
{
	struct disk_memory *disk;
	int rc;

	memset(&run, 0, sizeof(run));
	run.encrypted = encrypted;
	run.cuts = cuts;
	disk = make();
	disk->on_change = cut_here;
	rc = run.failed ? 0 : rekey(disk);
	disk->on_change = NULL;
	if (rc) {
		(void)bad("without cuts it failed", rc);
	}
	disk_memory_destroy(disk);
	printf("# %" PRIu64 " states: %" PRIu64 " old, %" PRIu64 " new, %" PRIu64 " gone on from\n",
	       run.states, run.olds, run.news, run.resumed);
	if (!run.olds || !run.news || !run.resumed) {
		(void)bad("not all kinds of states were seen", 0);
	}
	report(encrypted ? "a power cut while a key changes leaves old or new"
			 : "a power cut while an image is encrypted leaves old or new");
}

/* The n-th call fails, once or for ever: an error and the old image, or done. */
static void test_faults(bool for_ever)
{
	struct disk_memory *first_disk;
	bool again = true;
	unsigned runs = 0;

	memset(&run, 0, sizeof(run));
	run.encrypted = true;
	first_disk = make();
	for (uint64_t after = 0; again && !run.failed; after += FAULT_STEP) {
		struct disk_memory *disk = disk_memory_fork(first_disk);
		bool is_new = false;
		int rc;

		disk->fault = (struct disk_fault){.calls = DISK_ALL_CALLS,
						  .after = after,
						  .error = after % 2 ? -EIO : -ENOSPC,
						  .for_ever = for_ever};
		memset(&run.new, 0, sizeof(run.new));
		rc = rekey(disk);
		again = disk->fault.happened;
		disk->fault.calls = 0;
		if (check(disk, &is_new)) {
			if (!rc && !is_new) {
				(void)bad("it said done and is not", rc);
			}
			if (!is_new) {
				(void)resume(disk);
			}
		}
		disk_memory_destroy(disk);
		runs++;
	}
	disk_memory_destroy(first_disk);
	printf("# %u runs\n", runs);
	report(for_ever ? "from the n-th call on all fail: nothing is lost"
			: "the n-th call fails: nothing is lost");
}

/* A drive that says it flushed and did not loses something in some state: proof that the checks
 * above would see a flush that is missing. */
static void test_lies(void)
{
	unsigned seen = 0, lies = 0;
	bool again = true;

	for (uint64_t after = 0; again && !seen; after++) {
		struct disk_memory *disk;

		memset(&run, 0, sizeof(run));
		run.encrypted = run.quiet = true;
		run.cuts = 4;
		disk = make();
		disk->on_change = cut_here;
		disk->lie_calls = DISK_BIT(DISK_FLUSH);
		disk->lie_after = after;
		(void)!rekey(disk);
		disk->on_change = NULL;
		again = disk->lie_calls == 0 || disk->calls[DISK_FLUSH] > after;
		disk_memory_destroy(disk);
		seen += run.failed;
		lies++;
	}
	run.failed = run.quiet = false;
	if (!seen) {
		(void)bad("no lie was seen", 0);
	}
	printf("# %u lies until one was seen\n", lies);
	report("a flush that does nothing is noticed");
}

int main(int argc, char **argv)
{
	uint64_t cuts = argc > 1 ? strtoull(argv[1], NULL, 10) : 30;
	bool all = true;

	test_cuts(false, cuts);
	all = all && !run.failed;
	test_cuts(true, cuts);
	all = all && !run.failed;
	test_faults(false);
	all = all && !run.failed;
	test_faults(true);
	all = all && !run.failed;
	test_lies();
	all = all && !run.failed;
	printf("1..%u\n", number);
	return !all;
}
