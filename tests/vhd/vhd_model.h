/* SPDX-License-Identifier: Apache-2.0 */
/** What a disk must hold, by the contract of layer.h, after any mix of requests, errors and power
 * cuts.
 *
 *  Every request has a number, and each sector that a write fills carries its place and that
 * number: so a sector that is read says which write it comes from, and bytes of another place are
 * found at once. For each sector the model knows the last request that ended well, the last one
 * that was flushed, and all that came since. Requests under way at the same time must not overlap.
 */
#ifndef TEST_VHD_MODEL_H
#define TEST_VHD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VHD_MODEL_SECTOR 512u

enum vhd_model_kind {
	VHD_MODEL_BLANK, /* never written: zeros, or what the layers make of zeros */
	VHD_MODEL_WRITE,
	VHD_MODEL_ZERO,
	VHD_MODEL_DISCARD, /* blank, zeros, or anything that was there before */
};

struct vhd_model_request {
	uint32_t tag; /* number and kind */
	enum { VHD_MODEL_FLYING, VHD_MODEL_DONE, VHD_MODEL_FAILED } state;
	uint64_t done_at; /* tick */
	uint64_t offset, size;
};

struct vhd_model {
	uint64_t size;			    /* bytes */
	uint32_t disk;			    /* tells the bytes of several disks apart */
	uint32_t number;		    /* of the last request */
	uint64_t tick;			    /* of the last end of a request */
	uint32_t *now;			    /* by sector: tag of the last request that ended well */
	uint32_t *lasting;		    /* by sector: tag of the last one that was flushed */
	struct vhd_model_request *requests; /* not flushed, and failed ones; rising numbers */
	size_t request_count, request_capacity;
	/** What a blank sector reads as; NULL: zeros. */
	void (*blank)(void *context, uint64_t sector, uint8_t ret_bytes[VHD_MODEL_SECTOR]);
	void *context;
};

/** The first sector that holds what it must not. */
struct vhd_model_fault {
	uint64_t sector;
	char text[200];
};

struct vhd_model *vhd_model_create(uint64_t size, uint32_t disk);
struct vhd_model *vhd_model_copy(const struct vhd_model *model);
/** NULL is fine. */
void vhd_model_destroy(struct vhd_model *model);

/** A request starts; returns its number. */
uint32_t vhd_model_begin(struct vhd_model *model, enum vhd_model_kind kind, uint64_t offset,
			 uint64_t size);
/** The bytes that the write of that number is to write. */
void vhd_model_fill(const struct vhd_model *model, uint32_t number, void *ret_bytes,
		    uint64_t offset, size_t size);
void vhd_model_end(struct vhd_model *model, uint32_t number, int rc);

/** A flush starts; returns what vhd_model_flush_end() needs. */
uint64_t vhd_model_flush_begin(const struct vhd_model *model);
void vhd_model_flush_end(struct vhd_model *model, uint64_t started, int rc);

/** Sets the size at once and for good; new sectors are blank. */
void vhd_model_resize(struct vhd_model *model, uint64_t size);

/** False: these bytes, read from the running disk, are wrong. */
bool vhd_model_check(const struct vhd_model *model, const void *bytes, uint64_t offset, size_t size,
		     struct vhd_model_fault *ret_fault);
/** False: these bytes, read after a power cut at this instant, are wrong. */
bool vhd_model_check_cut(const struct vhd_model *model, const void *bytes, uint64_t offset,
			 size_t size, struct vhd_model_fault *ret_fault);

/** After a power cut, or when a disk was opened again after errors: what was read, and checked, is
 * what it holds from now on. lasting: also after the next cut. */
void vhd_model_adopt(struct vhd_model *model, const void *bytes, uint64_t offset, size_t size,
		     bool lasting);

#endif
