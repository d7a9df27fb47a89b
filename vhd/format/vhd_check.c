/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the findings about a file: what the survey saw, in sentences. */
#define _GNU_SOURCE

#include "vhd_check.h"

#include "vhd_check_parent.h"
#include "vhd_journal.h"
#include "vhd_survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT     4096u
#define GEOMETRY      56u	  /* "Disk Geometry" in the footer */
#define PROGRESS_STEP (64u << 20) /* bytes of the file between two calls */
#define KEPT_AT_FIRST 16u

static const char *const kind_names[VHD_CHECK_KIND_COUNT] = {
	[VHD_CHECK_FOOTER] = "footer",
	[VHD_CHECK_FOOTER_COPY] = "footer-copy",
	[VHD_CHECK_FOOTERS_DIFFER] = "footers-differ",
	[VHD_CHECK_GEOMETRY] = "geometry",
	[VHD_CHECK_UUID] = "uuid",
	[VHD_CHECK_HEADER] = "header",
	[VHD_CHECK_BAT] = "block-table",
	[VHD_CHECK_BLOCK_OUTSIDE] = "block-outside",
	[VHD_CHECK_BLOCK_OVERLAP] = "block-overlap",
	[VHD_CHECK_BLOCK_MISALIGNED] = "block-misaligned",
	[VHD_CHECK_BITMAP] = "bitmap",
	[VHD_CHECK_LEAKED] = "leaked",
	[VHD_CHECK_STRAY] = "stray",
	[VHD_CHECK_PARENT] = "parent",
	[VHD_CHECK_LOCATOR] = "locator",
	[VHD_CHECK_SIZE] = "size",
	[VHD_CHECK_JOURNAL] = "journal",
};

const char *vhd_check_kind_name(enum vhd_check_kind kind)
{
	return kind < VHD_CHECK_KIND_COUNT ? kind_names[kind] : "?";
}

const char *vhd_check_grade_name(enum vhd_check_grade grade)
{
	static const char *const names[] = {
		[VHD_CHECK_NOTE] = "note",
		[VHD_CHECK_REPAIRABLE] = "repairable",
		[VHD_CHECK_LOST] = "lost",
	};

	return grade <= VHD_CHECK_LOST ? names[grade] : "?";
}

static struct vhd_check_finding *next_finding(struct vhd_check *check)
{
	unsigned capacity = check->kept < KEPT_AT_FIRST ? KEPT_AT_FIRST : check->kept;

	check->count++;
	if (check->kept == VHD_CHECK_KEPT_MAX) {
		return NULL;
	}
	/* The capacity is a power of two from KEPT_AT_FIRST on: full when `kept` is one. */
	if (!check->findings || (check->kept == capacity && !(capacity & (capacity - 1)))) {
		size_t size =
			(check->findings ? 2 * capacity : capacity) * sizeof(*check->findings);
		struct vhd_check_finding *more = realloc(check->findings, size);

		if (!more) {
			return NULL;
		}
		check->findings = more;
	}
	return &check->findings[check->kept++];
}

void vhd_check_add(struct vhd_check *check, enum vhd_check_kind kind, enum vhd_check_grade grade,
		   uint64_t offset, const char *format, ...)
{
	struct vhd_check_finding *finding = next_finding(check);
	va_list args;

	if (grade > check->worst) {
		check->worst = grade;
	}
	check->is_sound = check->worst == VHD_CHECK_NOTE;
	if (finding) {
		finding->kind = kind;
		finding->grade = grade;
		finding->offset = offset;
		va_start(args, format);
		vsnprintf(finding->sentence, sizeof(finding->sentence), format, args);
		va_end(args);
	}
}

/* Footers. */

static bool geometry_is_usual(const struct vhd_survey_footer *found)
{
	uint8_t usual[VHD_FOOTER_SIZE];

	vhd_footer_encode(&found->footer, usual);
	return memcmp(usual + GEOMETRY, found->bytes + GEOMETRY, 4) == 0;
}

static void check_footer_fields(struct vhd_check *check, const struct vhd_survey_footer *found)
{
	static const uint8_t none[16];

	if (!geometry_is_usual(found)) {
		vhd_check_add(
			check, VHD_CHECK_GEOMETRY, VHD_CHECK_NOTE, found->offset + GEOMETRY,
			"cylinders, heads and sectors are not those of the size; readers that "
			"go by them see another size");
	}
	if (memcmp(found->footer.uuid, none, sizeof(none)) == 0) {
		vhd_check_add(
			check, VHD_CHECK_UUID, VHD_CHECK_NOTE, found->offset,
			"the UUID is all zero; a child could not tell this parent from another");
	}
}

static void check_footers(struct vhd_check *check, const struct vhd_survey *survey)
{
	const struct vhd_survey_footer *end = &survey->end, *copy = &survey->copy;

	if (!survey->footer) {
		vhd_check_add(check, VHD_CHECK_FOOTER, VHD_CHECK_LOST, end->offset,
			      "the footer is damaged and there is no good copy of it");
		return;
	}
	if (end->rc) {
		vhd_check_add(check, VHD_CHECK_FOOTER, VHD_CHECK_REPAIRABLE, end->offset,
			      end->rc == -EINVAL ? "there is no footer at the end; the copy is good"
						 : "the footer is damaged; the copy is good");
	}
	if (survey->footer_sums_are_wrong) {
		vhd_check_add(check, VHD_CHECK_FOOTER, VHD_CHECK_REPAIRABLE, end->offset,
			      "the checksum of the footer and that of its copy are wrong; both say "
			      "the same");
	}
	if (survey->stray) {
		vhd_check_add(check, VHD_CHECK_STRAY, VHD_CHECK_REPAIRABLE,
			      survey->file_size - survey->stray,
			      "%" PRIu64 " bytes follow the footer; other readers refuse that",
			      survey->stray);
	}
	if (!end->rc && end->size == VHD_FOOTER_SIZE_SHORT) {
		vhd_check_add(check, VHD_CHECK_FOOTER, VHD_CHECK_NOTE, end->offset,
			      "the footer has 511 bytes, as old versions of Virtual PC wrote it");
	}
	if (vhd_survey_is_sparse(survey) && !end->rc && copy->rc) {
		vhd_check_add(check, VHD_CHECK_FOOTER_COPY, VHD_CHECK_REPAIRABLE, 0,
			      copy->rc == -EINVAL
				      ? "there is no copy of the footer at the start"
				      : "the copy of the footer at the start is damaged");
	} else if (vhd_survey_is_sparse(survey) && !end->rc &&
		   memcmp(end->bytes, copy->bytes, VHD_FOOTER_SIZE_SHORT) != 0) {
		vhd_check_add(
			check, VHD_CHECK_FOOTERS_DIFFER, VHD_CHECK_REPAIRABLE, 0,
			"the copy of the footer at the start differs from the one at the end, "
			"which counts");
	}
	check_footer_fields(check, survey->footer);
}

static void check_fixed(struct vhd_check *check, const struct vhd_survey *survey)
{
	uint64_t size = survey->footer->footer.size;

	if (size > survey->end.offset) {
		vhd_check_add(check, VHD_CHECK_SIZE, VHD_CHECK_LOST, survey->end.offset,
			      "the disk has %" PRIu64 " bytes and the file holds %" PRIu64
			      " of them; get a whole copy",
			      size, survey->end.offset);
	} else if (size < survey->end.offset) {
		vhd_check_add(check, VHD_CHECK_SIZE, VHD_CHECK_NOTE, size,
			      "%" PRIu64 " bytes between the disk and the footer are not used",
			      survey->end.offset - size);
	}
}

/* Header and block table. Returns whether there are blocks to look at. */

static bool check_tables(struct vhd_check *check, const struct vhd_survey *survey)
{
	if (survey->header_rc) {
		vhd_check_add(check, VHD_CHECK_HEADER, VHD_CHECK_LOST, survey->header_offset,
			      survey->header_rc == -EOPNOTSUPP
				      ? "the header has a block size that no writer uses"
				      : "the header is damaged or lies out of the file");
		return false;
	}
	if (survey->header_sum_is_wrong) {
		vhd_check_add(check, VHD_CHECK_HEADER, VHD_CHECK_REPAIRABLE, survey->header_offset,
			      "the checksum of the header is wrong, its fields fit");
	}
	if (survey->table_rc) {
		vhd_check_add(
			check, VHD_CHECK_BAT, VHD_CHECK_LOST, survey->header.table_offset,
			"the block table is too short for the disk, or lies out of the file or "
			"over the header");
		return false;
	}
	if (survey->header.entry_count > survey->block_count) {
		vhd_check_add(check, VHD_CHECK_BAT, VHD_CHECK_NOTE, survey->header_offset,
			      "the block table has %" PRIu32 " entries for %" PRIu32
			      " blocks; 7-Zip refuses that",
			      survey->header.entry_count, survey->block_count);
	}
	return true;
}

static void check_block(struct vhd_check *check, const struct vhd_survey *survey, uint32_t block)
{
	uint64_t place = vhd_survey_place(survey, block);

	switch ((enum vhd_survey_block)survey->blocks[block]) {
	case VHD_SURVEY_OUTSIDE:
		vhd_check_add(check, VHD_CHECK_BLOCK_OUTSIDE, VHD_CHECK_REPAIRABLE, place,
			      "block %" PRIu32 " lies out of the file: its %" PRIu32
			      " bytes are lost",
			      block, survey->header.block_size);
		break;
	case VHD_SURVEY_CUT:
		vhd_check_add(check, VHD_CHECK_BLOCK_OUTSIDE, VHD_CHECK_REPAIRABLE, place,
			      "block %" PRIu32 " ends with the file: its last %" PRIu64
			      " bytes are not there",
			      block, place + vhd_survey_block_bytes(survey) - survey->limit);
		break;
	case VHD_SURVEY_TABLES:
		vhd_check_add(check, VHD_CHECK_BLOCK_OVERLAP, VHD_CHECK_REPAIRABLE, place,
			      "block %" PRIu32
			      " lies over the header or the block table: its %" PRIu32
			      " bytes are lost",
			      block, survey->header.block_size);
		break;
	case VHD_SURVEY_SHARED:
		vhd_check_add(check, VHD_CHECK_BLOCK_OVERLAP, VHD_CHECK_REPAIRABLE, place,
			      "block %" PRIu32
			      " shares its place with another one: one of the two is "
			      "wrong",
			      block);
		break;
	case VHD_SURVEY_GOOD:
	case VHD_SURVEY_UNUSED:
		break;
	}
}

/* Sums over all blocks, told in one sentence each. */
struct sums {
	uint32_t misaligned, none, some, hidden, odd;
	uint64_t first_misaligned, first_bits;
	uint64_t good_bytes;
};

static void add_bits(struct vhd_check *check, const struct vhd_survey *survey, uint32_t block,
		     enum vhd_survey_bits bits, bool hidden, struct sums *sums)
{
	uint64_t place = vhd_survey_place(survey, block);

	if (survey->footer->footer.type == VHD_DIFFERENCING) {
		sums->first_bits = bits == VHD_SURVEY_ODD && !sums->odd ? place : sums->first_bits;
		sums->odd += bits == VHD_SURVEY_ODD;
	} else if (hidden) {
		vhd_check_add(check, VHD_CHECK_BITMAP, VHD_CHECK_NOTE, place,
			      "block %" PRIu32
			      " holds data in sectors that its bitmap does not show; "
			      "they read as zeros here, and not in every reader",
			      block);
	} else if (bits != VHD_SURVEY_ALL) {
		vhd_check_add(check, VHD_CHECK_BITMAP, VHD_CHECK_REPAIRABLE, place,
			      "the bitmap of block %" PRIu32
			      " does not show all of its sectors; some "
			      "readers refuse that",
			      block);
	}
}

static int check_bits(struct vhd_check *check, const struct vhd_survey *survey, uint32_t block,
		      uint8_t *buffer, struct sums *sums)
{
	uint64_t place = vhd_survey_place(survey, block);
	enum vhd_survey_bits bits;
	bool hidden;
	int rc = vhd_survey_look_at_bits(survey, block, buffer, &bits, &hidden);

	if (rc < 0) {
		return rc;
	}
	add_bits(check, survey, block, bits, hidden, sums);
	if ((place + survey->bitmap_size) % ALIGNMENT) {
		sums->first_misaligned = sums->misaligned ? sums->first_misaligned : place;
		sums->misaligned++;
	}
	sums->good_bytes += vhd_survey_block_bytes(survey);
	return 0;
}

static void tell_sums(struct vhd_check *check, const struct vhd_survey *survey,
		      const struct sums *sums)
{
	uint64_t tables = survey->header.table_offset + 4ull * survey->block_count;
	uint64_t room = survey->limit > tables ? survey->limit - tables : 0;

	if (sums->misaligned) {
		vhd_check_add(
			check, VHD_CHECK_BLOCK_MISALIGNED, VHD_CHECK_NOTE, sums->first_misaligned,
			"data of %" PRIu32 " blocks lie off the pages of the file; writing them "
			"is slower",
			sums->misaligned);
	}
	if (sums->odd) {
		vhd_check_add(check, VHD_CHECK_BITMAP, VHD_CHECK_NOTE, sums->first_bits,
			      "bitmaps of %" PRIu32
			      " blocks show single sectors; libvhdi reads zeros "
			      "for some of the parent's",
			      sums->odd);
	}
	if (room > sums->good_bytes && room - sums->good_bytes >= vhd_survey_block_bytes(survey)) {
		vhd_check_add(check, VHD_CHECK_LEAKED, VHD_CHECK_NOTE, survey->end_used,
			      "about %" PRIu64 " bytes of the file are used by no block",
			      room - sums->good_bytes);
	}
}

static int check_blocks(struct vhd_check *check, const struct vhd_survey *survey,
			const struct progress *progress)
{
	uint64_t done = 0, told = 0, total = (uint64_t)survey->bat.used_count;
	uint8_t *buffer = malloc(VHD_SURVEY_BUFFER);
	struct sums sums = {0};
	int rc = buffer ? progress_step(progress, 0, survey->file_size) : -ENOMEM;

	total = total ? total : 1;
	for (uint32_t i = 0; !rc && i < survey->bat.count; i++) {
		if (survey->blocks[i] == VHD_SURVEY_UNUSED) {
			continue;
		}
		check_block(check, survey, i);
		if (survey->blocks[i] == VHD_SURVEY_GOOD) {
			rc = check_bits(check, survey, i, buffer, &sums);
		}
		done++;
		if (!rc && (done - told) * survey->header.block_size >= PROGRESS_STEP) {
			told = done;
			rc = progress_step(progress, survey->file_size / total * done,
					   survey->file_size);
		}
	}
	free(buffer);
	if (!rc) {
		tell_sums(check, survey, &sums);
	}
	return rc;
}

static int run(struct folder *folder, const struct vhd_survey *survey,
	       const struct progress *progress, struct vhd_check *check)
{
	int rc = 0;

	check_footers(check, survey);
	if (survey->footer && !vhd_survey_is_sparse(survey)) {
		check_fixed(check, survey);
	} else if (survey->footer && check_tables(check, survey)) {
		rc = check_blocks(check, survey, progress);
	}
	if (!rc && vhd_survey_is_sparse(survey) && !survey->header_rc &&
	    survey->footer->footer.type == VHD_DIFFERENCING) {
		rc = vhd_check_parent(folder, survey, check);
	}
	return rc ? rc : progress_step(progress, survey->file_size, survey->file_size);
}

static void check_journal(struct folder *folder, struct vhd_check *check)
{
	struct file *file;

	if (folder_open_file(folder, VHD_JOURNAL_NAME, FOLDER_READ, &file) == 0) {
		file_close(file);
		vhd_check_add(
			check, VHD_CHECK_JOURNAL, VHD_CHECK_REPAIRABLE, 0,
			"%s tells of an operation in this folder that was cut off or still runs",
			VHD_JOURNAL_NAME);
	}
}

int vhd_check_run(struct folder *folder, const char *name, const struct progress *progress,
		  struct vhd_check *ret_check, struct why *why)
{
	struct vhd_check check = {.is_sound = true};
	struct vhd_survey survey = {0};
	struct file *file;
	int rc = folder_open_file(folder, name, FOLDER_READ, &file);

	if (rc < 0) {
		return why_set(why, rc, "%s: %s", name, strerror(-rc));
	}
	rc = file_lock(file, false);
	rc = rc ? rc : vhd_survey_make(file, &survey);
	if (!rc && survey.end.rc == -EINVAL && survey.copy.rc == -EINVAL) {
		rc = -EINVAL;
	}
	rc = rc ? rc : run(folder, &survey, progress, &check);
	vhd_survey_fini(&survey);
	file_close(file);
	if (rc < 0) {
		vhd_check_fini(&check);
		return why_set(why, rc, "%s: %s", name,
			       rc == -EINVAL   ? "it is no VHD"
			       : rc == -EAGAIN ? "it is in use: stop the program that has it open"
					       : strerror(-rc));
	}
	check_journal(folder, &check);
	*ret_check = check;
	return 0;
}

void vhd_check_fini(struct vhd_check *check)
{
	free(check->findings);
	*check = (struct vhd_check){.is_sound = false};
}
