/* SPDX-License-Identifier: Apache-2.0 */
/** A disk under test: an image on a disk in memory, opened through the real engine and layers, and
 * the model of what it must hold. Requests are chosen at random, one at a time or several in
 * flight.
 */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include "disk_cut.h"
#include "disk_memory.h"
#include "layer.h"
#include "layer_clock.h"
#include "vhd_model.h"

#define SCENE_NAME     "d.vhd"
#define SCENE_FLIGHTS  12u
#define SCENE_CHUNK    (64u << 10)
#define SCENE_SIZE_MAX (64ull << 20)

enum scene_format { SCENE_RAW, SCENE_FIXED, SCENE_DYNAMIC, SCENE_CHILD };

struct scene_shape {
	const char *name;
	enum scene_format format;
	uint64_t size;
	unsigned depth; /* parents of a SCENE_CHILD */
	bool crypt;
	bool verify;				 /* under a manifest */
	bool cow, throttle, delay, stats, fault; /* more layers, for the model test */
};

struct scene;

struct scene_flight {
	struct scene *scene;
	enum { FLIGHT_READ, FLIGHT_WRITE, FLIGHT_ZERO, FLIGHT_DISCARD, FLIGHT_FLUSH } kind;
	bool flying;
	uint64_t offset;
	size_t size;
};

struct scene {
	const struct scene_shape *shape;
	struct disk_memory *disk;
	struct layer *top;	 /* NULL: closed */
	struct vhd_model *model; /* NULL: there is no disk yet */
	/* While an operation on the whole disk runs: it may be this already. */
	struct vhd_model *other;
	bool absent_is_fine; /* while it is made */
	uint64_t given_up;   /* not 0: what lies from here on is being thrown away */
	/* What stands under or beside the disk and must stay as it was. */
	struct {
		char name[64];
		struct vhd_model *model;
		bool absent_is_fine;
	} kept[20];
	unsigned kept_count;
	struct vhd_model *saved;  /* cow: what lies below and comes back */
	struct layer_clock clock; /* moves when somebody waits */
	uint64_t now_ns;
	uint64_t seed;
	uint8_t touched[SCENE_SIZE_MAX / SCENE_CHUNK];
	struct scene_flight flights[SCENE_FLIGHTS];
	unsigned flying;
	bool errors_are_fine;	 /* faults are on */
	uint64_t flushes_failed; /* of the disk, when it was opened */
	bool resizes;		 /* an image gets another size */
	bool quiet;
	unsigned tags;	/* of snapshots so far */
	bool failed;	/* a rule was broken; said so */
	char what[256]; /* for messages: the last thing started */
};

/** Creates images and model; NULL after an error, which is printed. */
struct scene *scene_create(const struct scene_shape *shape, uint64_t seed, bool record);
void scene_destroy(struct scene *scene);

/** A fresh disk without images, and what is needed to make them: for tests of making. */
struct scene *scene_create_empty(const struct scene_shape *shape, uint64_t seed, bool record);
/** Makes the images (not the model's business). */
int scene_make(struct scene *scene);

/** Opens the scene's image, or that of a disk after a cut, with the layers of the shape. */
int scene_open_on(const struct scene *scene, struct disk_memory *disk, const char *name, bool write,
		  struct layer **ret_top, struct why *why);
int scene_open(struct scene *scene);
/** Waits for flights. */
int scene_close(struct scene *scene);

/** Starts a random request and, off shuffling, ends it. False: it would have touched one that
 * flies. */
bool scene_step(struct scene *scene);
void scene_write(struct scene *scene, uint64_t offset, size_t size);
void scene_flush(struct scene *scene);
/** Waits until nothing flies. */
void scene_wait(struct scene *scene);

/** Reads all of a disk that runs, and complains when it is not as the model says. */
bool scene_check(struct scene *scene);

/** Opens what a power cut left and complains when it is not as the contract says. Other disks of
 * the scene are looked at too. whole: every byte, else what was ever touched. */
bool scene_check_cut(struct scene *scene, struct disk_memory *after, bool whole, struct why *why);

/** Opens the disk again after errors or a power cut, takes what it holds (checked as after a cut)
 * for lasting, and shows that it works. */
bool scene_recover(struct scene *scene);

/** Reads all of `top` and compares. cut: as after a power cut. */
bool scene_compare(struct scene *scene, const struct vhd_model *model, struct layer *top, bool cut,
		   bool whole, struct why *why);

/** Says "not ok" once. */
void scene_complain(struct scene *scene, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** The same for what stands beside the disk alone. */
bool scene_check_kept(struct scene *scene, struct disk_memory *after, bool whole, struct why *why);

/** After an operation that may have ended in the middle: `other` becomes the model when the disk
 * shows that, and is forgotten. The disk must be open. */
void scene_resolve(struct scene *scene);

/** Puts a copy of the model among what must stay. */
void scene_keep(struct scene *scene, const char *name, bool absent_is_fine);
void scene_keep_less(struct scene *scene);

/** A random number below `below`. */
uint64_t scene_roll(struct scene *scene, uint64_t below);

#endif
