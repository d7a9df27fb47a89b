/* SPDX-License-Identifier: Apache-2.0 */
/* Random requests, a million in all, on every format and through every layer, against a plain
 * model.
 *
 * model [-n REQUESTS] [-s SEED]
 */
#define _GNU_SOURCE

#include "scene_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB (1ull << 20)

static const struct scene_shape shapes[] = {
	{.name = "fixed", .format = SCENE_FIXED, .size = 8 * MIB},
	{.name = "dynamic", .format = SCENE_DYNAMIC, .size = 24 * MIB},
	{.name = "dynamic, encrypted", .format = SCENE_DYNAMIC, .size = 16 * MIB, .crypt = true},
	{.name = "child", .format = SCENE_CHILD, .size = 12 * MIB, .depth = 1},
	{.name = "child of 15, encrypted, faults",
	 .format = SCENE_CHILD,
	 .size = 8 * MIB,
	 .depth = 15,
	 .crypt = true,
	 .fault = true},
	{.name = "child of 2, all layers",
	 .format = SCENE_CHILD,
	 .size = 8 * MIB,
	 .depth = 2,
	 .crypt = true,
	 .cow = true,
	 .throttle = true,
	 .delay = true,
	 .fault = true,
	 .stats = true},
	{.name = "raw", .format = SCENE_RAW, .size = 9 * MIB + 512},
	{.name = "raw, encrypted", .format = SCENE_RAW, .size = 8 * MIB, .crypt = true},
	{.name = "raw, all layers",
	 .format = SCENE_RAW,
	 .size = 8 * MIB,
	 .crypt = true,
	 .cow = true,
	 .throttle = true,
	 .delay = true,
	 .stats = true},
	{.name = "child of 2, encrypted, verified, faults",
	 .format = SCENE_CHILD,
	 .size = 20 * MIB,
	 .depth = 2,
	 .crypt = true,
	 .verify = true,
	 .fault = true},
	{.name = "raw, faults", .format = SCENE_RAW, .size = 8 * MIB, .fault = true, .stats = true},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static uint64_t changes; /* requests that changed a disk */
static uint64_t operations;

static void reopen(struct scene *scene)
{
	(void)!scene_close(scene);
	if (!scene->failed) {
		(void)!scene_open(scene);
	}
}

static void operate(struct scene *scene)
{
	enum scene_op op = (enum scene_op)scene_roll(scene, SCENE_OP_COUNT);

	if (!scene->shape->fault && scene_op_fits(scene, op)) {
		(void)!scene_op_run(scene, op);
		operations++;
	}
}

static bool run(const struct scene_shape *shape, uint64_t seed, uint64_t requests, bool shuffle)
{
	struct scene *scene = scene_create(shape, seed, false);
	bool good;

	if (!scene) {
		return false;
	}
	scene->errors_are_fine = shape->fault;
	scene->disk->shuffle = shuffle;
	for (uint64_t i = 0; i < requests && !scene->failed;) {
		i += scene_step(scene);
		if (scene_roll(scene, 1000) == 0) {
			reopen(scene);
		}
		if (!scene->failed && scene_roll(scene, 500) == 0) {
			operate(scene);
		}
		if (!scene->failed && scene_roll(scene, 2000) == 0) {
			scene_check(scene);
		}
	}
	if (!scene->failed) {
		scene_check(scene);
	}
	good = !scene->failed;
	changes += scene->model->number;
	scene_destroy(scene);
	return good;
}

int main(int argc, char **argv)
{
	uint64_t requests = 1000000, seed = 1, each;
	unsigned bad = 0;
	int option;

	while ((option = getopt(argc, argv, "n:s:")) != -1) {
		if (option == 'n') {
			requests = strtoull(optarg, NULL, 0);
		} else {
			seed = strtoull(optarg, NULL, 0);
		}
	}
	each = requests / (SHAPES * 2) + 1;
	for (unsigned i = 0; i < SHAPES * 2; i++) {
		const struct scene_shape *shape = &shapes[i / 2];
		clock_t start = clock();
		bool good = run(shape, seed + i, each, i & 1);

		printf("%s - %s, seed %llu%s: %llu requests, %.1f s\n", good ? "ok" : "not ok",
		       shape->name, (unsigned long long)(seed + i), i & 1 ? ", in flight" : "",
		       (unsigned long long)each, (double)(clock() - start) / CLOCKS_PER_SEC);
		fflush(stdout);
		bad += !good;
	}
	printf("# %llu of the requests changed a disk; %llu times one was resized, snapshot, "
	       "reverted, committed or flattened\n",
	       (unsigned long long)changes, (unsigned long long)operations);
	return bad ? 1 : 0;
}
