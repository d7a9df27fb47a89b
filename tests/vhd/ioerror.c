/* SPDX-License-Identifier: Apache-2.0 */
/* The n-th call fails, for every n, once and for ever, and the disk is full at every page: what was
 * acknowledged is there, the disk goes on or says that it cannot, and opens again without harm.
 *
 * ioerror [-s SEED] [-r RUNS of each shape] [-f SHAPE]
 */
#define _GNU_SOURCE

#include "scene_ops.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB   (1ull << 20)
#define STEPS 24u

static const struct scene_shape shapes[] = {
	{.name = "fixed", .format = SCENE_FIXED, .size = 4 * MIB},
	{.name = "dynamic", .format = SCENE_DYNAMIC, .size = 24 * MIB},
	{.name = "dynamic, encrypted", .format = SCENE_DYNAMIC, .size = 8 * MIB, .crypt = true},
	{.name = "child", .format = SCENE_CHILD, .size = 12 * MIB, .depth = 1},
	{.name = "child of three, encrypted",
	 .format = SCENE_CHILD,
	 .size = 8 * MIB,
	 .depth = 3,
	 .crypt = true},
	{.name = "raw", .format = SCENE_RAW, .size = 4 * MIB},
	{.name = "dynamic, verified", .format = SCENE_DYNAMIC, .size = 18 * MIB, .verify = true},
	{.name = "raw, encrypted", .format = SCENE_RAW, .size = 4 * MIB, .crypt = true},
};

struct plan {
	struct disk_fault fault;
	uint64_t room; /* pages until the disk is full; 0: it is not */
	bool shuffle;
	enum scene_op op; /* during which it comes; SCENE_OP_COUNT: requests */
};

static uint64_t faults;
static const char *only; /* shapes of this name */

static bool is_poisoned(const struct scene *scene)
{
	return scene->disk->failed[DISK_FLUSH] != scene->flushes_failed;
}

/* A disk that nobody could flush has to refuse; any other one works as before. */
static void check_usable(struct scene *scene)
{
	int rc;

	if (!scene->top || scene->other) {
		return; /* which of two sizes or contents it has shows when it is opened again */
	}
	if (is_poisoned(scene)) {
		rc = layer_flush(scene->top);
		if (rc != -EIO) {
			scene_complain(scene, "flush after a failed one: %d", rc);
		}
		return;
	}
	scene->errors_are_fine = false;
	for (unsigned i = 0; i < 6; i++) {
		scene_step(scene);
	}
	scene_flush(scene);
	scene_check(scene);
	scene->errors_are_fine = true;
}

static void cut_and_check(struct scene *scene)
{
	struct disk_cut cut = disk_cut_choose(scene->disk, &scene->seed);
	struct disk_memory *after = disk_cut_make(scene->disk, &cut);
	char text[160];
	struct why why;

	if (!scene_check_cut(scene, after, false, &why)) {
		scene_complain(scene, "power cut (%s): %s",
			       disk_cut_describe(&cut, text, sizeof(text)), why.text);
	}
	disk_memory_destroy(after);
}

static void arm(struct scene *scene, const struct plan *plan)
{
	scene->errors_are_fine = true;
	scene->disk->fault = plan->fault;
	scene->disk->shuffle = plan->shuffle;
	if (plan->room) {
		scene->disk->budget = disk_memory_used(scene->disk) + (plan->room - 1) * 4096;
	}
}

/* False: the fault never came. */
static bool disarm(struct scene *scene, const struct plan *plan)
{
	bool happened = scene->disk->fault.happened || plan->room;

	scene_wait(scene);
	scene->disk->fault.calls = 0;
	scene->disk->budget = 0;
	return happened;
}

/* False: the fault never came, so there is nothing more to try. */
static bool run(const struct scene_shape *shape, uint64_t seed, const struct plan *plan,
		bool *ret_good)
{
	struct scene *scene = scene_create(shape, seed, true);
	bool happened;

	*ret_good = false;
	if (!scene) {
		return false;
	}
	if (plan->op == SCENE_OP_COUNT) {
		arm(scene, plan);
	}
	for (unsigned i = 0; i < STEPS && !scene->failed; i++) {
		scene_step(scene);
	}
	if (plan->op < SCENE_OP_COUNT) {
		scene_flush(scene);
		arm(scene, plan);
		(void)!scene_op_run(scene, plan->op);
	}
	happened = disarm(scene, plan);
	if (!scene->failed && happened) {
		faults++;
		cut_and_check(scene);
		check_usable(scene);
		cut_and_check(scene);
		scene_recover(scene);
		cut_and_check(scene);
	}
	*ret_good = !scene->failed;
	scene_destroy(scene);
	return happened;
}

static bool run_all(const struct scene_shape *shape, uint64_t seed, enum scene_op op, int error,
		    unsigned calls, bool for_ever)
{
	struct plan plan = {.shuffle = seed & 1, .op = op};
	bool good = true, more = true;

	/* What writes a whole disk repeats itself: later calls are tried in growing steps. */
	for (uint64_t n = 0; more && good; n += op < SCENE_OP_COUNT ? 1 + n / 64 * 4 : 1) {
		plan.fault = (struct disk_fault){calls, n, error, for_ever, false};
		more = run(shape, seed, &plan, &good);
		if (!good) {
			printf("# %s: call %llu of %#x fails %s with %s, seed %llu\n",
			       op < SCENE_OP_COUNT ? scene_op_names[op] : "requests",
			       (unsigned long long)n, calls, for_ever ? "for ever" : "once",
			       strerror(-error), (unsigned long long)seed);
		}
	}
	return good;
}

static bool run_full(const struct scene_shape *shape, uint64_t seed, enum scene_op op)
{
	struct plan plan = {.shuffle = seed & 1, .op = op};
	bool good = true;

	for (uint64_t room = 1; room < 400 && good; room += 1 + room / 16) {
		plan.room = room;
		run(shape, seed, &plan, &good);
		if (!good) {
			printf("# disk full after %llu pages, seed %llu\n",
			       (unsigned long long)room - 1, (unsigned long long)seed);
		}
	}
	return good;
}

static bool run_plans(const struct scene_shape *shape, uint64_t seed, enum scene_op op)
{
	uint64_t before = faults;
	bool good = run_all(shape, seed, op, -EIO, DISK_ALL_CALLS, false) &&
		    run_all(shape, seed, op, -EIO, DISK_ALL_CALLS, true) &&
		    run_all(shape, seed, op, -EIO, DISK_BIT(DISK_FLUSH), false) &&
		    run_all(shape, seed, op, -ENOSPC, DISK_BIT(DISK_WRITE) | DISK_BIT(DISK_RESIZE),
			    true) &&
		    run_full(shape, seed, op);

	printf("%s - %s, %s, seed %llu%s: %llu faults\n", good ? "ok" : "not ok", shape->name,
	       op < SCENE_OP_COUNT ? scene_op_names[op] : "requests", (unsigned long long)seed,
	       seed & 1 ? ", in flight" : "", (unsigned long long)(faults - before));
	fflush(stdout);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1, runs = 2;
	unsigned bad = 0;
	int option;

	while ((option = getopt(argc, argv, "s:r:f:")) != -1) {
		if (option == 'f') {
			only = optarg;
		} else if (option == 's') {
			seed = strtoull(optarg, NULL, 0);
		} else {
			runs = strtoull(optarg, NULL, 0);
		}
	}
	for (unsigned i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		if (only && strcmp(only, shapes[i].name) != 0) {
			continue;
		}
		for (uint64_t s = seed; s < seed + runs; s++) {
			bad += !run_plans(&shapes[i], s, SCENE_OP_COUNT);
		}
		for (unsigned op = 0; op < SCENE_OP_COUNT; op++) {
			if (!shapes[i].crypt &&
			    scene_op_fits_shape(&shapes[i], (enum scene_op)op)) {
				bad += !run_plans(&shapes[i], seed, (enum scene_op)op);
			}
		}
	}
	return bad ? 1 : 0;
}
