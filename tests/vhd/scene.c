/* SPDX-License-Identifier: Apache-2.0 */
/* Owns what the long tests play: a shape of disk, requests on it, and what each may have left. */
#include "scene.h"
#include "scene_verify.h"
#include "fiber.h"
#include "layer_crypt.h"
#include "layer_cow.h"
#include "layer_delay.h"
#include "layer_fault.h"
#include "layer_raw.h"
#include "layer_stats.h"
#include "layer_throttle.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t key[XTS_KEY_SIZE] = {1, 2, 3, 4, 5};

uint64_t scene_roll(struct scene *scene, uint64_t below)
{
	return disk_memory_random(&scene->seed) % below;
}

void scene_complain(struct scene *scene, const char *format, ...)
{
	va_list args;

	if (!scene->failed && !scene->quiet) {
		printf("# %s, after: %s\n# ", scene->shape->name, scene->what);
		va_start(args, format);
		vprintf(format, args);
		va_end(args);
		printf("\n");
		fflush(stdout);
	}
	scene->failed = true;
}

static void note(struct scene *scene, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(scene->what, sizeof(scene->what), format, args);
	va_end(args);
}

/* What dm-crypt would show of a sector of zeros: one area from the start of the disk, 4 KiB
 * sectors. */
static void blank_of_crypt(void *context, uint64_t sector, uint8_t ret_bytes[VHD_MODEL_SECTOR])
{
	static uint8_t plain[XTS_SECTOR];
	static uint64_t cached = UINT64_MAX;
	static struct xts *xts;

	if (!xts && xts_open("openssl", key, &xts)) {
		abort();
	}
	if (cached != sector / 8) {
		memset(plain, 0, sizeof(plain));
		cached = sector / 8;
		if (xts->ops->decrypt(xts, plain, plain, sizeof(plain), XTS_SECTOR, cached * 8)) {
			abort();
		}
	}
	memcpy(ret_bytes, plain + sector % 8 * VHD_MODEL_SECTOR, VHD_MODEL_SECTOR);
}

static int open_bottom(const struct scene *scene, struct disk_memory *disk, const char *name,
		       bool write, struct layer **ret_layer, struct why *why)
{
	struct folder *folder = disk_memory_folder(disk);
	struct file *file;
	int rc;

	if (scene->shape->format != SCENE_RAW) {
		rc = vhd_journal_recover(folder, why);
		return rc ? rc
			  : vhd_disk_open(folder, name, write ? VHD_DISK_WRITE : 0, ret_layer, why);
	}
	rc = folder_open_file(folder, name, write ? FOLDER_WRITE : FOLDER_READ, &file);
	if (rc) {
		return rc;
	}
	rc = layer_raw_open(file, ret_layer);
	if (rc) {
		file_close(file);
	}
	return rc;
}

static int put_throttle(const struct scene *scene, struct layer *below, struct layer **ret_top)
{
	struct layer_throttle_limits limits = {
		.limit = {.iops = 1000, .bytes = 64 << 20},
		.clock = &scene->clock,
	};

	return layer_throttle_open(below, &limits, ret_top);
}

static int put_delay(const struct scene *scene, struct layer *below, struct layer **ret_top)
{
	struct layer_delay delay = {.ns = {1000, 2000, 3000, 4000, 5000}, .clock = &scene->clock};

	return layer_delay_open(below, &delay, ret_top);
}

/* Of every kind of request some fail, in a row that does not fit that of the test. */
static int put_fault(struct layer *below, struct layer **ret_top)
{
	struct layer *fault;
	int rc = layer_fault_open(below, &fault);

	for (unsigned i = 0; !rc && i < 8; i++) {
		struct layer_fault plan = {.kinds = LAYER_REQUEST_ALL,
					   .skip = 97ull << i,
					   .count = 1 + i % 3,
					   .error = i % 2 ? -EIO : -ENOSPC};

		rc = layer_fault_add(fault, &plan);
	}
	*ret_top = fault;
	return rc;
}

static int put_layers(const struct scene *scene, struct disk_memory *disk, const char *name,
		      struct layer *bottom, struct layer **ret_top)
{
	const struct scene_shape *shape = scene->shape;
	struct luks_segment segment = {.size = bottom->size, .sector_size = XTS_SECTOR};
	struct layer *top = bottom;
	int rc = 0;

	if (shape->verify) {
		rc = scene_put_verify(disk, name, &top);
	}
	if (!rc && shape->crypt) {
		rc = layer_crypt_open(top, &segment, key, "openssl", false, &top);
	}
	if (!rc && shape->cow) {
		rc = layer_cow_open(top, NULL, 0, &top);
	}
	if (!rc && shape->throttle) {
		rc = put_throttle(scene, top, &top);
	}
	if (!rc && shape->delay) {
		rc = put_delay(scene, top, &top);
	}
	if (!rc && shape->fault) {
		rc = put_fault(top, &top);
	}
	if (!rc && shape->stats) {
		rc = layer_stats_open(top, &scene->clock, &top);
	}
	if (rc) {
		(void)!layer_close(top);
	} else {
		*ret_top = top;
	}
	return rc;
}

int scene_open_on(const struct scene *scene, struct disk_memory *disk, const char *name, bool write,
		  struct layer **ret_top, struct why *why)
{
	struct layer *bottom;
	int rc = open_bottom(scene, disk, name, write, &bottom, why);

	return rc ? rc : put_layers(scene, disk, name, bottom, ret_top);
}

int scene_open(struct scene *scene)
{
	struct why why = {""};
	int rc = scene_open_on(scene, scene->disk, SCENE_NAME, true, &scene->top, &why);

	scene->flushes_failed = scene->disk->failed[DISK_FLUSH];
	if (rc && !scene->errors_are_fine) {
		scene_complain(scene, "open: %s: %s", strerror(-rc), why.text);
	}
	return rc;
}

int scene_close(struct scene *scene)
{
	int rc;

	scene_wait(scene);
	rc = layer_close(scene->top);
	scene->top = NULL;
	if (scene->shape->cow) {
		vhd_model_destroy(scene->model);
		scene->model = vhd_model_copy(scene->saved);
	}
	if (rc && !scene->errors_are_fine) {
		scene_complain(scene, "close: %s", strerror(-rc));
	}
	return rc;
}

static int make_raw(struct scene *scene)
{
	struct folder *folder = disk_memory_folder(scene->disk);
	struct file *file;
	int rc = folder_open_file(folder, SCENE_NAME, FOLDER_CREATE, &file);

	if (rc) {
		return rc;
	}
	rc = file_resize(file, scene->shape->size);
	rc = rc ? rc : file_flush(file);
	file_close(file);
	return rc ? rc : folder_flush(folder);
}

static int make_image(struct scene *scene)
{
	static const enum vhd_type types[] = {
		[SCENE_FIXED] = VHD_FIXED,
		[SCENE_DYNAMIC] = VHD_DYNAMIC,
		[SCENE_CHILD] = VHD_DIFFERENCING,
	};
	struct vhd_disk_create create = {.size = scene->shape->size, .timestamp = 1};
	struct why why = {""};
	int rc;

	if (scene->shape->format == SCENE_RAW) {
		return make_raw(scene);
	}
	create.type = types[scene->shape->format];
	create.reserve = SCENE_SIZE_MAX;
	if (scene->kept_count) {
		create.parent = scene->kept[scene->kept_count - 1].name;
	}
	rc = vhd_disk_create(disk_memory_folder(scene->disk), SCENE_NAME, &create, &why);
	if (rc && !scene->errors_are_fine) {
		scene_complain(scene, "create: %s: %s", strerror(-rc), why.text);
	}
	return rc;
}

int scene_make(struct scene *scene)
{
	struct layer *bottom;
	struct why why = {""};
	int rc = make_image(scene);

	if (rc || !scene->shape->verify) {
		return rc;
	}
	rc = open_bottom(scene, scene->disk, SCENE_NAME, false, &bottom, &why);
	return rc ? rc : scene_seal(scene->disk, SCENE_NAME, bottom);
}

static struct scene *scene_of(const struct layer_clock *clock)
{
	return (struct scene *)((char *)clock - offsetof(struct scene, clock));
}

static uint64_t now_ns(const struct layer_clock *clock)
{
	return scene_of(clock)->now_ns;
}

static void wait_ns(const struct layer_clock *clock, uint64_t ns)
{
	disk_memory_park(scene_of(clock)->disk);
	scene_of(clock)->now_ns += ns;
}

struct scene *scene_create_empty(const struct scene_shape *shape, uint64_t seed, bool record)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	if (!scene) {
		abort();
	}
	scene->shape = shape;
	scene->seed = seed;
	scene->disk = disk_memory_create(record);
	scene->disk->seed = seed;
	scene->clock = (struct layer_clock){now_ns, wait_ns};
	return scene;
}

static struct vhd_model *make_model(const struct scene *scene)
{
	struct vhd_model *model = vhd_model_create(scene->shape->size, 1);

	if (scene->shape->crypt) {
		model->blank = blank_of_crypt;
	}
	return model;
}

void scene_keep(struct scene *scene, const char *name, bool absent_is_fine)
{
	unsigned i = scene->kept_count++;

	snprintf(scene->kept[i].name, sizeof(scene->kept[i].name), "%s", name);
	scene->kept[i].model = vhd_model_copy(scene->model);
	scene->kept[i].absent_is_fine = absent_is_fine;
}

void scene_keep_less(struct scene *scene)
{
	vhd_model_destroy(scene->kept[--scene->kept_count].model);
}

/* The disk so far becomes a parent under another name, and an empty child takes its place. */
static void push_child(struct scene *scene)
{
	struct folder *folder = disk_memory_folder(scene->disk);
	char name[64];

	snprintf(name, sizeof(name), "d.%u.vhd", scene->kept_count);
	for (unsigned step = 0; step < 12; step++) {
		scene_step(scene);
	}
	scene_flush(scene);
	if (scene_close(scene) || folder_rename(folder, SCENE_NAME, name) || folder_flush(folder)) {
		scene_complain(scene, "no parent could be made");
		return;
	}
	scene_keep(scene, name, false);
	if (!scene_make(scene)) {
		(void)!scene_open(scene);
	}
}

static bool is_layered(const struct scene_shape *shape)
{
	return shape->cow || shape->throttle || shape->delay || shape->stats || shape->fault;
}

/* The disk that further layers come to stand on. */
static void finish_base(struct scene *scene)
{
	for (unsigned step = 0; step < 12; step++) {
		scene_step(scene);
	}
	scene_flush(scene);
	(void)!scene_close(scene);
	scene->saved = vhd_model_copy(scene->model);
}

struct scene *scene_create(const struct scene_shape *shape, uint64_t seed, bool record)
{
	struct scene_shape base = *shape;
	struct scene *scene = scene_create_empty(shape, seed, record);

	base.format = shape->format == SCENE_CHILD ? SCENE_DYNAMIC : shape->format;
	base.cow = base.throttle = base.delay = base.fault = base.stats = false;
	scene->shape = &base;
	if (!scene_make(scene)) {
		scene->model = make_model(scene);
		(void)!scene_open(scene);
	}
	base.format = shape->format;
	for (unsigned i = 0; !scene->failed && i < shape->depth; i++) {
		push_child(scene);
	}
	if (!scene->failed && is_layered(shape)) {
		finish_base(scene);
	}
	scene->shape = shape;
	if (!scene->failed && is_layered(shape)) {
		(void)!scene_open(scene);
	}
	if (scene->failed) {
		scene_destroy(scene);
		return NULL;
	}
	return scene;
}

void scene_destroy(struct scene *scene)
{
	if (scene->top) {
		(void)!scene_close(scene);
	}
	while (scene->kept_count) {
		scene_keep_less(scene);
	}
	vhd_model_destroy(scene->saved);
	vhd_model_destroy(scene->model);
	vhd_model_destroy(scene->other);
	disk_memory_destroy(scene->disk);
	free(scene);
	fiber_trim();
}

static const char *const kinds[] = {"read", "write", "zero", "discard", "flush"};

/* After a failed flush nothing may be acknowledged any more. */
static bool is_poisoned(const struct scene *scene)
{
	return scene->disk->failed[DISK_FLUSH] != scene->flushes_failed;
}

static void end_request(struct scene *scene, const struct scene_flight *flight, bool was_poisoned,
			int rc)
{
	if (rc && !scene->errors_are_fine) {
		scene_complain(scene, "%s of %zu at %llu: %s", kinds[flight->kind], flight->size,
			       (unsigned long long)flight->offset, strerror(-rc));
	}
	if (!rc && was_poisoned && flight->kind != FLIGHT_READ && flight->kind != FLIGHT_DISCARD) {
		scene_complain(scene, "%s was acknowledged after a flush had failed",
			       kinds[flight->kind]);
	}
}

static void do_read(struct scene *scene, const struct scene_flight *flight)
{
	struct vhd_model_fault fault;
	uint8_t *bytes = malloc(flight->size);
	int rc = bytes ? layer_read(scene->top, bytes, flight->size, flight->offset) : -ENOMEM;

	end_request(scene, flight, false, rc);
	if (!rc && !vhd_model_check(scene->model, bytes, flight->offset, flight->size, &fault)) {
		scene_complain(scene, "read: %s", fault.text);
	}
	free(bytes);
}

static int do_change(struct scene *scene, const struct scene_flight *flight, uint32_t number)
{
	uint8_t *bytes;
	int rc;

	if (flight->kind == FLIGHT_ZERO) {
		return layer_zero(scene->top, flight->offset, flight->size);
	}
	if (flight->kind == FLIGHT_DISCARD) {
		return layer_discard(scene->top, flight->offset, flight->size);
	}
	bytes = malloc(flight->size);
	if (!bytes) {
		abort();
	}
	vhd_model_fill(scene->model, number, bytes, flight->offset, flight->size);
	rc = layer_write(scene->top, bytes, flight->size, flight->offset);
	free(bytes);
	return rc;
}

static void touch(struct scene *scene, uint64_t offset, uint64_t size)
{
	for (uint64_t i = offset / SCENE_CHUNK; i <= (offset + size - 1) / SCENE_CHUNK; i++) {
		scene->touched[i] = 1;
	}
}

static void fly(void *argument)
{
	static const enum vhd_model_kind model_kinds[] = {
		[FLIGHT_WRITE] = VHD_MODEL_WRITE,
		[FLIGHT_ZERO] = VHD_MODEL_ZERO,
		[FLIGHT_DISCARD] = VHD_MODEL_DISCARD,
	};
	struct scene_flight *flight = argument;
	struct scene *scene = flight->scene;
	bool was_poisoned = is_poisoned(scene);
	uint64_t started;
	uint32_t number;
	int rc;

	if (flight->kind == FLIGHT_READ) {
		do_read(scene, flight);
	} else if (flight->kind == FLIGHT_FLUSH) {
		started = vhd_model_flush_begin(scene->model);
		rc = layer_flush(scene->top);
		end_request(scene, flight, was_poisoned, rc);
		vhd_model_flush_end(scene->model, started, rc);
	} else {
		number = vhd_model_begin(scene->model, model_kinds[flight->kind], flight->offset,
					 flight->size);
		if (flight->kind == FLIGHT_WRITE || scene->shape->crypt) {
			touch(scene, flight->offset, flight->size);
		}
		rc = do_change(scene, flight, number);
		end_request(scene, flight, was_poisoned, rc);
		vhd_model_end(scene->model, number, rc);
	}
	flight->flying = false;
	scene->flying--;
}

/* On a fiber when calls are shuffled. */
static void take_off(struct scene *scene, const struct scene_flight *request)
{
	struct scene_flight *flight = scene->flights;

	while (flight->flying) {
		flight++;
	}
	*flight = *request;
	flight->scene = scene;
	flight->flying = true;
	scene->flying++;
	if (!scene->disk->shuffle) {
		fly(flight);
	} else if (!fiber_start(fly, flight)) {
		abort();
	}
}

static bool overlaps(const struct scene *scene, const struct scene_flight *request)
{
	for (unsigned i = 0; i < SCENE_FLIGHTS; i++) {
		const struct scene_flight *flight = &scene->flights[i];

		if (flight->flying && flight->kind != FLIGHT_FLUSH &&
		    request->offset < flight->offset + flight->size &&
		    flight->offset < request->offset + request->size) {
			return true;
		}
	}
	return false;
}

/* Mostly small, often at the border of a block or next to other writes. */
static void choose_range(struct scene *scene, struct scene_flight *request)
{
	uint64_t sectors = scene->model->size / VHD_MODEL_SECTOR;
	uint64_t block = 4096; /* sectors of 2 MiB */
	uint64_t at, count;

	switch (scene_roll(scene, 4)) {
	case 0:
		at = scene_roll(scene, sectors / 8) * 8;
		count = 8 << scene_roll(scene, 3);
		break;
	case 1:
		at = scene_roll(scene, sectors / block + 1) * block + scene_roll(scene, 24);
		at = at < 12 ? at : at - 12;
		count = 1 + scene_roll(scene, 24);
		break;
	case 2:
		at = scene_roll(scene, 4) * block + scene_roll(scene, 64);
		count = 1 + scene_roll(scene, 9);
		break;
	default:
		at = scene_roll(scene, sectors);
		count = 1 + scene_roll(scene, 200);
		break;
	}
	at = at < sectors ? at : sectors - 1;
	count = count < sectors - at ? count : sectors - at;
	request->offset = at * VHD_MODEL_SECTOR;
	request->size = (size_t)count * VHD_MODEL_SECTOR;
}

/* Zeros and discards are also asked for over whole blocks. */
static void widen(struct scene *scene, struct scene_flight *request)
{
	uint64_t block = 2 << 20;

	if (scene_roll(scene, 3) == 0) {
		request->offset -= request->offset % block;
		request->size = (size_t)(block * (1 + scene_roll(scene, 2)));
		if (request->offset + request->size > scene->model->size) {
			request->size = (size_t)(scene->model->size - request->offset);
		}
	}
}

bool scene_step(struct scene *scene)
{
	struct scene_flight request = {.kind = FLIGHT_WRITE};
	uint64_t dice = scene_roll(scene, 100);

	while (scene->flying == SCENE_FLIGHTS || (scene->flying && scene_roll(scene, 3) == 0)) {
		disk_memory_step(scene->disk);
	}
	if (dice < 14) {
		request.kind = FLIGHT_FLUSH;
	} else if (dice < 22) {
		request.kind = FLIGHT_ZERO;
	} else if (dice < 30) {
		request.kind = FLIGHT_DISCARD;
	} else if (dice < 40) {
		request.kind = FLIGHT_READ;
	}
	if (request.kind != FLIGHT_FLUSH) {
		choose_range(scene, &request);
		if (request.kind == FLIGHT_ZERO || request.kind == FLIGHT_DISCARD) {
			widen(scene, &request);
		}
		if (overlaps(scene, &request)) {
			disk_memory_step(scene->disk);
			return false;
		}
	}
	note(scene, "%s %zu at %llu (request %u)", kinds[request.kind], request.size,
	     (unsigned long long)request.offset, scene->model->number + 1);
	if (getenv("VHD_TRACE")) {
		printf("# %s\n", scene->what);
	}
	take_off(scene, &request);
	return true;
}

void scene_write(struct scene *scene, uint64_t offset, size_t size)
{
	struct scene_flight request = {.kind = FLIGHT_WRITE, .offset = offset, .size = size};

	note(scene, "write %zu at %llu", size, (unsigned long long)offset);
	take_off(scene, &request);
	scene_wait(scene);
}

void scene_flush(struct scene *scene)
{
	struct scene_flight request = {.kind = FLIGHT_FLUSH};

	scene_wait(scene);
	note(scene, "flush");
	take_off(scene, &request);
	scene_wait(scene);
}

void scene_wait(struct scene *scene)
{
	disk_memory_run(scene->disk);
	if (scene->flying) {
		scene_complain(scene, "%u requests wait for ever", scene->flying);
		abort();
	}
}
