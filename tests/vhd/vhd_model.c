/* SPDX-License-Identifier: Apache-2.0 */
/* The plain array that a disk is compared with: for each sector all that it may hold. */
#include "vhd_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS (VHD_MODEL_SECTOR / 8)

static void *must(void *memory)
{
	if (!memory) {
		abort();
	}
	return memory;
}

static uint32_t tag_of(uint32_t number, enum vhd_model_kind kind)
{
	return number << 2 | kind;
}

static uint32_t number_of(uint32_t tag)
{
	return tag >> 2;
}

static enum vhd_model_kind kind_of(uint32_t tag)
{
	return (enum vhd_model_kind)(tag & 3);
}

struct vhd_model *vhd_model_create(uint64_t size, uint32_t disk)
{
	struct vhd_model *model = must(calloc(1, sizeof(*model)));
	size_t sectors = (size_t)(size / VHD_MODEL_SECTOR);

	model->size = size;
	model->disk = disk;
	model->now = must(calloc(sectors + 1, sizeof(*model->now)));
	model->lasting = must(calloc(sectors + 1, sizeof(*model->lasting)));
	return model;
}

struct vhd_model *vhd_model_copy(const struct vhd_model *model)
{
	struct vhd_model *copy = must(malloc(sizeof(*copy)));
	size_t sectors = (size_t)(model->size / VHD_MODEL_SECTOR) + 1;

	*copy = *model;
	copy->now = must(malloc(sectors * sizeof(*copy->now)));
	copy->lasting = must(malloc(sectors * sizeof(*copy->lasting)));
	copy->requests = NULL;
	copy->request_capacity = model->request_count;
	if (model->request_count) {
		copy->requests = must(malloc(model->request_count * sizeof(*copy->requests)));
		memcpy(copy->requests, model->requests,
		       model->request_count * sizeof(*copy->requests));
	}
	memcpy(copy->now, model->now, sectors * sizeof(*copy->now));
	memcpy(copy->lasting, model->lasting, sectors * sizeof(*copy->lasting));
	return copy;
}

void vhd_model_destroy(struct vhd_model *model)
{
	if (model) {
		free(model->now);
		free(model->lasting);
		free(model->requests);
		free(model);
	}
}

uint32_t vhd_model_begin(struct vhd_model *model, enum vhd_model_kind kind, uint64_t offset,
			 uint64_t size)
{
	struct vhd_model_request request = {
		.tag = tag_of(++model->number, kind), .offset = offset, .size = size};

	if (model->request_count == model->request_capacity) {
		model->request_capacity = model->request_capacity * 2 + 16;
		model->requests =
			must(realloc(model->requests, model->request_capacity * sizeof(request)));
	}
	model->requests[model->request_count++] = request;
	return model->number;
}

static uint64_t first_word(uint64_t sector, uint32_t number)
{
	return sector << 32 | number;
}

static uint64_t step_of(const struct vhd_model *model, uint64_t first)
{
	return (first + model->disk) * 0x9e3779b97f4a7c15 | 1;
}

void vhd_model_fill(const struct vhd_model *model, uint32_t number, void *ret_bytes,
		    uint64_t offset, size_t size)
{
	uint8_t *bytes = ret_bytes;

	for (size_t at = 0; at < size; at += VHD_MODEL_SECTOR) {
		uint64_t words[WORDS];
		uint64_t first = first_word((offset + at) / VHD_MODEL_SECTOR, number);
		uint64_t step = step_of(model, first);

		for (unsigned i = 0; i < WORDS; i++) {
			words[i] = first + i * step;
		}
		memcpy(bytes + at, words, sizeof(words));
	}
}

/* The number of the write that left these bytes in the sector; 0: none ever did. */
static uint32_t writer_of(const struct vhd_model *model, const uint64_t words[WORDS],
			  uint64_t sector)
{
	uint32_t number = (uint32_t)words[0];
	uint64_t first = first_word(sector, number), step = step_of(model, first);
	uint64_t wrong = 0;

	for (unsigned i = 0; i < WORDS; i++) {
		wrong |= words[i] ^ (first + i * step);
	}
	return wrong ? 0 : number;
}

static bool is_zero(const uint64_t words[WORDS])
{
	uint64_t all = 0;

	for (unsigned i = 0; i < WORDS; i++) {
		all |= words[i];
	}
	return !all;
}

static bool is_blank(const struct vhd_model *model, const uint64_t words[WORDS], uint64_t sector)
{
	uint8_t blank[VHD_MODEL_SECTOR];

	if (!model->blank) {
		return is_zero(words);
	}
	model->blank(model->context, sector, blank);
	return memcmp(words, blank, sizeof(blank)) == 0;
}

static bool fits(const struct vhd_model *model, uint32_t tag, const uint64_t words[WORDS],
		 uint64_t sector)
{
	uint32_t writer;

	switch (kind_of(tag)) {
	case VHD_MODEL_BLANK:
		return is_blank(model, words, sector);
	case VHD_MODEL_WRITE:
		return writer_of(model, words, sector) == number_of(tag);
	case VHD_MODEL_ZERO:
		return is_zero(words);
	case VHD_MODEL_DISCARD:
		break;
	}
	writer = writer_of(model, words, sector);
	return (writer && writer < number_of(tag)) || is_zero(words) ||
	       is_blank(model, words, sector);
}

static bool covers(const struct vhd_model_request *request, uint64_t sector)
{
	uint64_t offset = sector * VHD_MODEL_SECTOR;

	return offset >= request->offset && offset - request->offset < request->size;
}

/* The tag that explains the bytes of a sector: `base`, or a later request that may have left its
 * own. Returns false when nothing does. */
static bool explain(const struct vhd_model *model, uint32_t base, bool cut,
		    const uint64_t words[WORDS], uint64_t sector, uint32_t *ret_tag)
{
	*ret_tag = base;
	if (fits(model, base, words, sector)) {
		return true;
	}
	for (size_t i = model->request_count; i-- > 0;) {
		const struct vhd_model_request *request = &model->requests[i];

		if (number_of(request->tag) <= number_of(base)) {
			break;
		}
		if ((cut || request->state != VHD_MODEL_DONE) && covers(request, sector) &&
		    fits(model, request->tag, words, sector)) {
			*ret_tag = request->tag;
			return true;
		}
	}
	return false;
}

static void describe(const struct vhd_model *model, uint32_t base, const uint64_t words[WORDS],
		     uint64_t sector, struct vhd_model_fault *ret_fault)
{
	static const char *const kinds[] = {"blank", "write", "zero", "discard"};
	uint32_t writer = writer_of(model, words, sector);
	char found[80];

	if (writer) {
		snprintf(found, sizeof(found), "write %u", writer);
	} else if (is_zero(words)) {
		snprintf(found, sizeof(found), "zeros");
	} else if (is_blank(model, words, sector)) {
		snprintf(found, sizeof(found), "a blank sector");
	} else {
		snprintf(found, sizeof(found), "%016llx %016llx: sector %llu, write %u?",
			 (unsigned long long)words[0], (unsigned long long)words[1],
			 (unsigned long long)(words[0] >> 32), (uint32_t)words[0]);
	}
	ret_fault->sector = sector;
	snprintf(ret_fault->text, sizeof(ret_fault->text),
		 "sector %llu of %llu must hold %s %u or later, and has %s",
		 (unsigned long long)sector, (unsigned long long)(model->size / VHD_MODEL_SECTOR),
		 kinds[kind_of(base)], number_of(base), found);
}

static bool check(const struct vhd_model *model, bool cut, const void *bytes, uint64_t offset,
		  size_t size, struct vhd_model_fault *ret_fault)
{
	const uint32_t *base = cut ? model->lasting : model->now;

	for (size_t at = 0; at < size; at += VHD_MODEL_SECTOR) {
		uint64_t sector = (offset + at) / VHD_MODEL_SECTOR;
		uint64_t words[WORDS];
		uint32_t tag;

		memcpy(words, (const uint8_t *)bytes + at, sizeof(words));
		if (!explain(model, base[sector], cut, words, sector, &tag)) {
			describe(model, base[sector], words, sector, ret_fault);
			return false;
		}
	}
	return true;
}

bool vhd_model_check(const struct vhd_model *model, const void *bytes, uint64_t offset, size_t size,
		     struct vhd_model_fault *ret_fault)
{
	return check(model, false, bytes, offset, size, ret_fault);
}

bool vhd_model_check_cut(const struct vhd_model *model, const void *bytes, uint64_t offset,
			 size_t size, struct vhd_model_fault *ret_fault)
{
	return check(model, true, bytes, offset, size, ret_fault);
}

/* The request wins over all that have lower numbers. */
static void settle(const struct vhd_model *model, uint32_t *tags,
		   const struct vhd_model_request *request)
{
	uint64_t sector = request->offset / VHD_MODEL_SECTOR;
	uint64_t end = request->offset + request->size;

	end = (end < model->size ? end : model->size) / VHD_MODEL_SECTOR;
	for (; sector < end; sector++) {
		if (number_of(tags[sector]) < number_of(request->tag)) {
			tags[sector] = request->tag;
		}
	}
}

void vhd_model_end(struct vhd_model *model, uint32_t number, int rc)
{
	for (size_t i = model->request_count; i-- > 0;) {
		struct vhd_model_request *request = &model->requests[i];

		if (number_of(request->tag) == number) {
			request->state = rc ? VHD_MODEL_FAILED : VHD_MODEL_DONE;
			request->done_at = ++model->tick;
			if (!rc) {
				settle(model, model->now, request);
			}
			return;
		}
	}
	abort();
}

uint64_t vhd_model_flush_begin(const struct vhd_model *model)
{
	return model->tick;
}

/* A failed request that another one covers as a whole no longer matters. */
static bool is_over(const struct vhd_model *model, const struct vhd_model_request *request)
{
	uint64_t sector = request->offset / VHD_MODEL_SECTOR;
	uint64_t end = request->offset + request->size;

	end = (end < model->size ? end : model->size) / VHD_MODEL_SECTOR;
	for (; sector < end; sector++) {
		if (number_of(model->now[sector]) < number_of(request->tag) ||
		    number_of(model->lasting[sector]) < number_of(request->tag)) {
			return false;
		}
	}
	return true;
}

void vhd_model_flush_end(struct vhd_model *model, uint64_t started, int rc)
{
	size_t kept = 0;

	if (rc) {
		return;
	}
	for (size_t i = 0; i < model->request_count; i++) {
		struct vhd_model_request *request = &model->requests[i];

		if (request->state == VHD_MODEL_DONE && request->done_at <= started) {
			settle(model, model->lasting, request);
		} else if (request->state != VHD_MODEL_FAILED || !is_over(model, request)) {
			model->requests[kept++] = *request;
		}
	}
	model->request_count = kept;
}

void vhd_model_resize(struct vhd_model *model, uint64_t size)
{
	size_t old = (size_t)(model->size / VHD_MODEL_SECTOR);
	size_t sectors = (size_t)(size / VHD_MODEL_SECTOR);
	uint32_t tag = tag_of(++model->number, VHD_MODEL_BLANK);

	model->now = must(realloc(model->now, (sectors + 1) * sizeof(*model->now)));
	model->lasting = must(realloc(model->lasting, (sectors + 1) * sizeof(*model->lasting)));
	for (size_t i = old; i < sectors; i++) {
		model->now[i] = model->lasting[i] = tag;
	}
	model->size = size;
}

void vhd_model_adopt(struct vhd_model *model, const void *bytes, uint64_t offset, size_t size,
		     bool lasting)
{
	for (size_t at = 0; at < size; at += VHD_MODEL_SECTOR) {
		uint64_t sector = (offset + at) / VHD_MODEL_SECTOR;
		uint64_t words[WORDS];
		uint32_t tag;

		memcpy(words, (const uint8_t *)bytes + at, sizeof(words));
		if (!explain(model, model->lasting[sector], true, words, sector, &tag)) {
			abort(); /* the caller has checked */
		}
		model->now[sector] = tag;
		if (lasting) {
			model->lasting[sector] = tag;
		}
	}
	if (lasting && offset + size == model->size) {
		model->request_count = 0;
	}
}
