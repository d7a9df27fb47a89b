/* SPDX-License-Identifier: Apache-2.0 */
/* Owns finding the structures of a file that may be damaged. The same rules as vhd_image.c, but
 * nothing that is found wrong ends the search. */
#define _GNU_SOURCE

#include "vhd_survey.h"

#include "vhd_bytes.h"
#include "vhd_lost.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FOOTER_CHECKSUM 64u /* "Checksum" in the footer */
#define HEADER_CHECKSUM 36u /* "Checksum" in the dynamic header */
#define BITMAP_MAX	(VHD_BLOCK_SIZE_MAX / VHD_SECTOR_SIZE / 8)
#define CHUNK		(VHD_SURVEY_BUFFER - BITMAP_MAX)

static int read_footer(struct file *file, uint64_t offset, unsigned size,
		       struct vhd_survey_footer *ret_found)
{
	struct vhd_survey_footer found = {.offset = offset, .size = size};
	int rc = file_read(file, found.bytes, size, offset);

	if (rc < 0) {
		return rc;
	}
	found.rc = vhd_footer_decode(found.bytes, &found.footer);
	*ret_found = found;
	return 0;
}

/* The last 512 bytes, or 511 of them as old versions of Virtual PC wrote. */
static int find_end(struct vhd_survey *survey)
{
	struct vhd_survey_footer shorter;
	uint64_t size = survey->file_size;
	int rc;

	survey->end = (struct vhd_survey_footer){.rc = -EINVAL, .offset = size};
	if (size < VHD_FOOTER_SIZE) {
		return 0;
	}
	rc = read_footer(survey->file, size - VHD_FOOTER_SIZE, VHD_FOOTER_SIZE, &survey->end);
	if (rc < 0 || !survey->end.rc) {
		return rc;
	}
	rc = read_footer(survey->file, size - VHD_FOOTER_SIZE_SHORT, VHD_FOOTER_SIZE_SHORT,
			 &shorter);
	if (!rc && shorter.rc != -EINVAL) {
		survey->end = shorter;
	}
	return rc;
}

/* Bytes behind the footer of a fixed disk: up to 511 of any kind, or zeros, where a disk was being
 * made longer. Only a footer that begins where the disk that it tells of ends is believed: the
 * bytes before it are the guest's, who may write footers. */
static int find_stray(struct vhd_survey *survey)
{
	uint64_t whole = survey->file_size / VHD_SECTOR_SIZE * VHD_SECTOR_SIZE;
	struct vhd_survey_footer found = {.rc = -EINVAL};
	uint64_t offset;
	int rc = 0;

	if (whole < 2 * VHD_FOOTER_SIZE) {
		return 0;
	}
	if (whole != survey->file_size) {
		rc = read_footer(survey->file, whole - VHD_FOOTER_SIZE, VHD_FOOTER_SIZE, &found);
	}
	if (!rc && found.rc) {
		rc = vhd_lost_find(survey->file, survey->file_size, &offset);
		if (rc < 0) {
			return rc == -EINVAL ? 0 : rc;
		}
		rc = read_footer(survey->file, offset, VHD_FOOTER_SIZE, &found);
	}
	if (!rc && !found.rc && found.footer.type == VHD_FIXED &&
	    found.footer.size == found.offset) {
		survey->end = found;
		survey->stray = survey->file_size - found.offset - VHD_FOOTER_SIZE;
	}
	return rc;
}

/* Two damaged footers that say the same: no accident does that to both, a program did that cannot
 * count. */
static void try_other_sums(struct vhd_survey *survey)
{
	struct vhd_survey_footer fixed = survey->end;

	if (survey->end.rc != -EBADMSG || survey->copy.rc != -EBADMSG ||
	    memcmp(survey->end.bytes, survey->copy.bytes, VHD_FOOTER_SIZE_SHORT) != 0) {
		return;
	}
	vhd_store32(fixed.bytes + FOOTER_CHECKSUM,
		    vhd_checksum(fixed.bytes, sizeof(fixed.bytes), FOOTER_CHECKSUM));
	fixed.rc = vhd_footer_decode(fixed.bytes, &fixed.footer);
	if (!fixed.rc && fixed.footer.type != VHD_FIXED) {
		survey->end = survey->copy = fixed;
		survey->copy.offset = 0;
		survey->footer_sums_are_wrong = true;
	}
}

static int find_footers(struct vhd_survey *survey)
{
	int rc = find_end(survey);

	survey->copy = (struct vhd_survey_footer){.rc = -EINVAL};
	if (!rc && survey->file_size >= VHD_FOOTER_SIZE) {
		rc = read_footer(survey->file, 0, VHD_FOOTER_SIZE, &survey->copy);
	}
	if (!rc && survey->end.rc && survey->copy.rc) {
		rc = find_stray(survey);
		try_other_sums(survey);
	}
	if (!survey->end.rc) {
		survey->footer = &survey->end;
	} else if (!survey->copy.rc && survey->copy.footer.type != VHD_FIXED) {
		survey->footer = &survey->copy;
	}
	return rc;
}

/* A header whose checksum alone is wrong decodes with the right one, and fits the footer. */
static void try_other_sum(struct vhd_survey *survey)
{
	uint8_t bytes[VHD_HEADER_SIZE];

	memcpy(bytes, survey->header_bytes, sizeof(bytes));
	vhd_store32(bytes + HEADER_CHECKSUM, vhd_checksum(bytes, sizeof(bytes), HEADER_CHECKSUM));
	if (vhd_header_decode(bytes, &survey->header) < 0 ||
	    survey->header.table_offset >= survey->file_size ||
	    (uint64_t)survey->header.entry_count * survey->header.block_size <
		    survey->footer->footer.size) {
		return;
	}
	memcpy(survey->header_bytes, bytes, sizeof(bytes));
	survey->header_rc = 0;
	survey->header_sum_is_wrong = true;
}

static int read_header(struct vhd_survey *survey)
{
	uint64_t offset = survey->footer->footer.data_offset;
	int rc;

	survey->header_offset = offset;
	survey->header_rc = -EBADMSG;
	if (offset < VHD_SECTOR_SIZE || offset % VHD_SECTOR_SIZE || offset > survey->file_size ||
	    survey->file_size - offset < VHD_HEADER_SIZE) {
		return 0;
	}
	rc = file_read(survey->file, survey->header_bytes, VHD_HEADER_SIZE, offset);
	if (rc < 0) {
		return rc;
	}
	survey->header_rc = vhd_header_decode(survey->header_bytes, &survey->header);
	if (survey->header_rc == -EBADMSG) {
		try_other_sum(survey);
	}
	return 0;
}

static bool overlap(uint64_t start, uint64_t end, uint64_t other, uint64_t other_end)
{
	return start < other_end && other < end;
}

static uint64_t table_end(const struct vhd_survey *survey)
{
	return survey->header.table_offset + 4ull * survey->block_count;
}

static int read_table(struct vhd_survey *survey)
{
	const struct vhd_header *header = &survey->header;
	uint64_t size = survey->footer->footer.size;

	survey->bitmap_size = vhd_header_bitmap_size(header->block_size);
	survey->block_count = (uint32_t)((size + header->block_size - 1) / header->block_size);
	survey->table_rc = -EBADMSG;
	if (survey->block_count > header->entry_count || survey->block_count > VHD_BAT_MAX ||
	    header->table_offset < VHD_SECTOR_SIZE || table_end(survey) > survey->file_size ||
	    overlap(header->table_offset, table_end(survey), survey->header_offset,
		    survey->header_offset + VHD_HEADER_SIZE)) {
		return 0;
	}
	survey->table_rc = 0;
	return vhd_bat_load(&survey->bat, survey->file, header->table_offset, survey->block_count);
}

static void account(struct vhd_survey *survey, uint64_t end)
{
	survey->end_used = end > survey->end_used ? end : survey->end_used;
}

static enum vhd_survey_block judge(const struct vhd_survey *survey, uint32_t block)
{
	uint64_t start = vhd_survey_place(survey, block);
	uint64_t end = start + vhd_survey_block_bytes(survey);

	if (survey->bat.entries[block] == VHD_BAT_UNUSED) {
		return VHD_SURVEY_UNUSED;
	}
	if (start < VHD_FOOTER_SIZE ||
	    overlap(start, end, survey->header_offset, survey->header_offset + VHD_HEADER_SIZE) ||
	    overlap(start, end, survey->header.table_offset, table_end(survey))) {
		return VHD_SURVEY_TABLES;
	}
	if (start >= survey->limit || survey->limit - start <= survey->bitmap_size) {
		return VHD_SURVEY_OUTSIDE;
	}
	return end > survey->limit ? VHD_SURVEY_CUT : VHD_SURVEY_GOOD;
}

static int compare(const void *left, const void *right)
{
	uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

	return a < b ? -1 : a > b;
}

/* Of blocks that share sectors, the lowest in the file keeps its place. */
static int find_shared(struct vhd_survey *survey)
{
	uint64_t *list = malloc(((size_t)survey->bat.used_count + 1) * sizeof(*list));
	uint64_t end = 0;
	uint32_t count = 0;

	if (!list) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < survey->bat.count; i++) {
		if (survey->blocks[i] == VHD_SURVEY_GOOD || survey->blocks[i] == VHD_SURVEY_CUT) {
			list[count++] = (uint64_t)survey->bat.entries[i] << 32 | i;
		}
	}
	qsort(list, count, sizeof(*list), compare);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t block = (uint32_t)list[i];
		uint64_t start = vhd_survey_place(survey, block);

		if (start < end) {
			survey->blocks[block] = VHD_SURVEY_SHARED;
			continue; /* it goes: what follows may well be right */
		}
		end = start + vhd_survey_block_bytes(survey);
		account(survey, end < survey->limit ? end : survey->limit);
	}
	free(list);
	return 0;
}

static void account_tables(struct vhd_survey *survey)
{
	account(survey, survey->header_offset + VHD_HEADER_SIZE);
	account(survey, table_end(survey));
	for (unsigned i = 0; i < VHD_LOCATOR_COUNT; i++) {
		const struct vhd_locator *locator = &survey->header.locators[i];

		if (locator->platform && locator->offset < survey->limit &&
		    locator->length <= survey->limit - locator->offset) {
			account(survey, locator->offset + locator->length);
		}
	}
}

/* A footer that lies over the tables is not written anew there. */
static void forget_end_in_tables(struct vhd_survey *survey)
{
	uint64_t header_end = survey->header_offset + VHD_HEADER_SIZE;
	uint64_t end = table_end(survey) > header_end ? table_end(survey) : header_end;

	if (survey->footer_sums_are_wrong && survey->end.offset < end) {
		survey->end.rc = -EINVAL;
		survey->footer = &survey->copy;
	}
}

static int judge_blocks(struct vhd_survey *survey)
{
	forget_end_in_tables(survey);
	survey->limit = survey->end.rc ? survey->file_size : survey->end.offset;
	survey->blocks = calloc(1, (size_t)survey->bat.count + 1);
	if (!survey->blocks) {
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < survey->bat.count; i++) {
		survey->blocks[i] = (uint8_t)judge(survey, i);
	}
	account_tables(survey);
	return find_shared(survey);
}

int vhd_survey_make(struct file *file, struct vhd_survey *ret_survey)
{
	int rc;

	*ret_survey = (struct vhd_survey){.file = file};
	rc = file_get_size(file, &ret_survey->file_size);
	rc = rc ? rc : find_footers(ret_survey);
	if (rc < 0 || !vhd_survey_is_sparse(ret_survey)) {
		return rc;
	}
	rc = read_header(ret_survey);
	if (!rc && !ret_survey->header_rc) {
		rc = read_table(ret_survey);
		if (!rc && !ret_survey->table_rc) {
			rc = judge_blocks(ret_survey);
		}
	}
	if (rc < 0) {
		vhd_survey_fini(ret_survey);
	}
	return rc;
}

void vhd_survey_fini(struct vhd_survey *survey)
{
	vhd_bat_fini(&survey->bat);
	free(survey->blocks);
	survey->blocks = NULL;
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Whether a sector that is not set holds something; `bits` are those of the block. */
static int look_for_hidden(const struct vhd_survey *survey, uint64_t data, const uint8_t *bits,
			   uint8_t *buffer, bool *ret_hidden)
{
	uint32_t size = survey->header.block_size;
	bool hidden = false;
	int rc = 0;

	for (uint32_t at = 0; !rc && !hidden && at < size; at += CHUNK) {
		uint32_t n = size - at < CHUNK ? size - at : CHUNK;

		rc = file_read(survey->file, buffer, n, data + at);
		for (uint32_t i = 0; !rc && !hidden && i < n / VHD_SECTOR_SIZE; i++) {
			uint32_t sector = at / VHD_SECTOR_SIZE + i;

			hidden = !(bits[sector / 8] & 0x80 >> sector % 8) &&
				 !is_zero(buffer + (size_t)i * VHD_SECTOR_SIZE, VHD_SECTOR_SIZE);
		}
	}
	*ret_hidden = hidden;
	return rc;
}

int vhd_survey_look_at_bits(const struct vhd_survey *survey, uint32_t block, uint8_t *buffer,
			    enum vhd_survey_bits *ret_bits, bool *ret_hidden_data)
{
	uint32_t sectors = survey->header.block_size / VHD_SECTOR_SIZE;
	uint64_t place = vhd_survey_place(survey, block);
	uint32_t set = 0;
	bool odd = false, hidden = false;
	int rc = file_read(survey->file, buffer, survey->bitmap_size, place);

	for (uint32_t i = 0; !rc && i < sectors / 8; i++) {
		set += (uint32_t)__builtin_popcount(buffer[i]);
		odd = odd || (buffer[i] != 0 && buffer[i] != 0xff);
	}
	if (!rc && set < sectors && survey->footer->footer.type == VHD_DYNAMIC) {
		rc = look_for_hidden(survey, place + survey->bitmap_size, buffer,
				     buffer + BITMAP_MAX, &hidden);
	}
	if (rc < 0) {
		return rc;
	}
	*ret_bits = set >= sectors ? VHD_SURVEY_ALL
		    : !set	   ? VHD_SURVEY_NONE
		    : odd	   ? VHD_SURVEY_ODD
				   : VHD_SURVEY_SOME;
	*ret_hidden_data = hidden;
	return 0;
}
