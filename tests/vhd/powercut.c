/* SPDX-License-Identifier: Apache-2.0 */
/* The power fails at any instant: what was flushed is there, what was not is old or new by sectors,
 * and every image opens, in the engine and (a sample) in the readers that others use.
 *
 * powercut [-n STATES] [-s SEED] [-f SHAPE]
 */
#define _GNU_SOURCE

#include "readers.h"
#include "scene_ops.h"
#include "vhd_journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MIB (1ull << 20)

static const struct scene_shape shapes[] = {
	{.name = "fixed", .format = SCENE_FIXED, .size = 4 * MIB},
	{.name = "dynamic", .format = SCENE_DYNAMIC, .size = 14 * MIB},
	{.name = "dynamic, encrypted", .format = SCENE_DYNAMIC, .size = 6 * MIB, .crypt = true},
	{.name = "child", .format = SCENE_CHILD, .size = 8 * MIB, .depth = 1},
	{.name = "child of three, encrypted",
	 .format = SCENE_CHILD,
	 .size = 8 * MIB,
	 .depth = 3,
	 .crypt = true},
	{.name = "raw", .format = SCENE_RAW, .size = 4 * MIB},
	{.name = "dynamic, verified", .format = SCENE_DYNAMIC, .size = 18 * MIB, .verify = true},
	{.name = "raw, encrypted", .format = SCENE_RAW, .size = 4 * MIB, .crypt = true},
};

#define SHAPES	    (sizeof(shapes) / sizeof(shapes[0]))
#define RATE	    100u /* states that a change of the disk gets, in 256ths */
#define OP_SURE	    8u	 /* changes of an operation on the whole disk that surely get one */
#define READERS_MAX 120u
#define LIES	    16u

static uint64_t states, wanted = 12000, op_states[SCENE_OP_COUNT + 1];
static const char *only; /* shapes of this name */
static enum scene_op op_now = SCENE_OP_COUNT;
static unsigned op_changes;
static unsigned readers_asked;
static bool readers_here;

/* A state of an ordinary file system, for other people's readers. */
static void ask_readers(struct scene *scene)
{
	static uint64_t seed; /* its own: a run with one seed stays the same */
	struct disk_cut cut = disk_cut_choose(scene->disk, &seed);
	struct disk_memory *after;
	char text[160];
	struct why why;

	if (scene->shape->format == SCENE_RAW || !scene->model || !readers_here ||
	    readers_asked >= READERS_MAX) {
		return;
	}
	readers_asked++;
	cut.size = DISK_CUT_SIZE_DATA;
	cut.names_apart = false;
	after = disk_cut_make(scene->disk, &cut);
	if (vhd_journal_recover(disk_memory_folder(after), &why) ||
	    !readers_check(scene, after, &why)) {
		scene_complain(scene, "state %llu (%s): %s", (unsigned long long)states,
			       disk_cut_describe(&cut, text, sizeof(text)), why.text);
	}
	disk_memory_destroy(after);
}

/* One state: checked, and sometimes written to and cut again. */
static void check_state(struct scene *scene, const struct disk_cut *cut)
{
	struct disk_memory *after = disk_cut_make(scene->disk, cut);
	struct why why;
	char text[160];

	states++;
	op_states[op_now]++;
	if (!scene_check_cut(scene, after, scene_roll(scene, 16) == 0, &why)) {
		scene_complain(scene, "state %llu (%s): %s", (unsigned long long)states,
			       disk_cut_describe(cut, text, sizeof(text)), why.text);
	}
	disk_memory_destroy(after);
}

/* The program is killed, the machine goes on: whoever opens the disk next finds every request that was
 * acknowledged, flushed or not, for the guest goes on too. */
static void check_kill(struct scene *scene)
{
	struct disk_memory *after = disk_memory_fork(scene->disk);
	struct layer *top;
	struct why why = {""};
	int rc = scene_open_on(scene, after, SCENE_NAME, true, &top, &why);

	if (rc) {
		scene_complain(scene, "opened after a kill: %s", why.text);
	} else {
		if (!scene_compare(scene, scene->model, top, false, false, &why)) {
			scene_complain(scene, "after a kill: %s", why.text);
		}
		(void)!layer_close(top);
	}
	disk_memory_destroy(after);
}

/* A differencing image keeps the bits of new sectors in memory until their data are lasting. */
static bool survives_kill(const struct scene *scene)
{
	return !scene->failed && !scene->kept_count;
}

/* While one flush lies, each change gets the state that shows it best, and one at random. */
static void cut_after_lie(struct disk_memory *disk, enum disk_call call)
{
	struct scene *scene = disk->context;
	struct disk_cut cut = {.kind = DISK_CUT_DROP_ALL, .size = DISK_CUT_SIZE_NEW};

	if (!disk->lie_calls && !scene->failed) {
		check_state(scene, &cut);
		cut = disk_cut_choose(disk, &scene->seed);
		check_state(scene, &cut);
	}
}

/* Of operations with thousands of writes, the later ones get fewer states. */
static bool wants_state(struct scene *scene)
{
	if (op_now == SCENE_OP_COUNT) {
		return scene_roll(scene, 256) < RATE;
	}
	return scene_roll(scene, op_changes + OP_SURE) < OP_SURE;
}

static void cut_here(struct disk_memory *disk, enum disk_call call)
{
	struct scene *scene = disk->context;

	op_changes++;
	if (op_now == SCENE_OP_COUNT && survives_kill(scene) && scene_roll(scene, 16) == 0) {
		check_kill(scene);
	}
	if (!scene->failed && wants_state(scene)) {
		struct disk_cut cut = disk_cut_choose(disk, &scene->seed);

		check_state(scene, &cut);
		if (!scene->quiet && states % 70 == 0) {
			ask_readers(scene);
		}
	}
}

/* Proof that a wrong order is seen: one flush of the run only says that it flushed. Returns whether
 * some state was wrong. */
static bool run_lie(const struct scene_shape *shape, uint64_t seed, uint64_t after)
{
	struct scene *scene = scene_create(shape, seed, true);
	bool seen;

	if (!scene) {
		return false;
	}
	scene->quiet = true;
	scene->disk->lie_calls = DISK_BIT(DISK_FLUSH);
	scene->disk->lie_after = after;
	scene->disk->on_change = cut_after_lie;
	scene->disk->context = scene;
	for (unsigned i = 0; i < 60 && !scene->failed; i++) {
		scene_step(scene);
	}
	seen = scene->failed;
	scene->disk->on_change = NULL;
	scene_destroy(scene);
	return seen;
}

static void operate(struct scene *scene)
{
	enum scene_op op = (enum scene_op)scene_roll(scene, SCENE_OP_COUNT);

	if (scene_op_fits(scene, op)) {
		op_now = op;
		op_changes = 0;
		(void)!scene_op_run(scene, op);
		op_now = SCENE_OP_COUNT;
	}
}

static bool run(const struct scene_shape *shape, uint64_t seed, unsigned steps, bool shuffle)
{
	struct scene *scene = scene_create(shape, seed, true);
	bool good;

	if (!scene) {
		return false;
	}
	scene->disk->on_change = cut_here;
	scene->disk->context = scene;
	scene->disk->shuffle = shuffle;
	for (unsigned i = 0; i < steps && !scene->failed; i++) {
		scene_step(scene);
		if (scene_roll(scene, 40) == 0) {
			scene_close(scene);
			scene_open(scene);
		}
		if (!scene->failed && scene_roll(scene, 25) == 0) {
			operate(scene);
		}
	}
	good = !scene->failed && scene_check(scene);
	scene->disk->on_change = NULL;
	scene_destroy(scene);
	return good;
}

/* Runs with one seed after the other, until there are enough states. */
static bool run_shape(const struct scene_shape *shape, uint64_t seed)
{
	uint64_t until = states + (only ? wanted : wanted / SHAPES), before = states, runs = 0;
	bool good = true;

	while (good && states < until) {
		good = run(shape, seed + runs, 200, (seed + runs) % 2 == 0);
		runs++;
	}
	printf("%s - %s: %llu states, seeds %llu to %llu\n", good ? "ok" : "not ok", shape->name,
	       (unsigned long long)(states - before), (unsigned long long)seed,
	       (unsigned long long)(seed + runs - 1));
	fflush(stdout);
	return good;
}

/* Some flushes had nothing to make lasting that anybody would miss: of so many, a few must be seen.
 */
static bool run_lies(const struct scene_shape *shape, uint64_t seed)
{
	unsigned seen = 0, told = 0;

	while (told < LIES && seen < 3) {
		seen += run_lie(shape, seed + told, told + 1);
		told++;
	}
	printf("%s - %s: %u of %u flushes that did not flush were seen\n",
	       seen >= 3 ? "ok" : "not ok", shape->name, seen, told);
	return seen >= 3;
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	unsigned bad = 0;
	int option;

	while ((option = getopt(argc, argv, "n:s:f:")) != -1) {
		if (option == 'f') {
			only = optarg;
		} else if (option == 'n') {
			wanted = strtoull(optarg, NULL, 0);
		} else {
			seed = strtoull(optarg, NULL, 0);
		}
	}
	readers_here = readers_are_there();
	for (unsigned i = 0; i < SHAPES; i++) {
		if (only && strcmp(only, shapes[i].name) != 0) {
			continue;
		}
		bad += !run_shape(&shapes[i], seed);
	}
	printf("# %llu states in all, %u of them opened by qemu-img, 7-Zip and libvhdi\n",
	       (unsigned long long)states, readers_asked);
	for (unsigned i = 0; i < SCENE_OP_COUNT; i++) {
		printf("# %llu of them during %s\n", (unsigned long long)op_states[i],
		       scene_op_names[i]);
	}
	for (unsigned i = 0; !only && i < SHAPES; i++) {
		bad += !run_lies(&shapes[i], seed);
	}
	return bad ? 1 : 0;
}
