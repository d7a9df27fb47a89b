/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the repair of a file. In this order, each step lasting before the next: header, stray bytes,
 * entries that lead nowhere, blocks that need a place of their own, bitmaps; then the image opens,
 * and opening it for writing puts its footers in order. A repair that was cut off is begun again.
 */
#define _GNU_SOURCE

#include "vhd_repair.h"

#include "vhd_bytes.h"
#include "vhd_disk.h"
#include "vhd_journal.h"
#include "vhd_survey.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT     4096u
#define KEPT_AT_FIRST 16u
#define COPY_SIZE     (1u << 20)

struct job {
	struct vhd_survey survey;
	struct vhd_repair report;
	const struct progress *progress;
	bool dry_run;
	uint64_t end; /* where the next block goes, on ALIGNMENT */
	uint8_t *buffer;
};

static struct vhd_repair_change *next_change(struct vhd_repair *report)
{
	unsigned kept = report->kept;

	report->count++;
	if (kept == VHD_CHECK_KEPT_MAX) {
		return NULL;
	}
	if (!report->changes || (kept >= KEPT_AT_FIRST && !(kept & (kept - 1)))) {
		size_t count = kept ? 2 * kept : KEPT_AT_FIRST;
		struct vhd_repair_change *more =
			realloc(report->changes, count * sizeof(*report->changes));

		if (!more) {
			return NULL;
		}
		report->changes = more;
	}
	return &report->changes[report->kept++];
}

__attribute__((format(printf, 5, 6))) static void
tell(struct job *job, enum vhd_check_kind kind, bool lost, uint64_t offset, const char *format, ...)
{
	struct vhd_repair_change *change = next_change(&job->report);
	va_list args;

	job->report.is_lossy = job->report.is_lossy || lost;
	if (change) {
		change->kind = kind;
		change->lost = lost;
		change->offset = offset;
		va_start(args, format);
		vsnprintf(change->sentence, sizeof(change->sentence), format, args);
		va_end(args);
	}
}

static int write_and_flush(struct job *job, const void *bytes, size_t size, uint64_t offset)
{
	int rc = file_write(job->survey.file, bytes, size, offset);

	return rc ? rc : file_flush(job->survey.file);
}

/* Four bytes in one sector. */
static int repair_header(struct job *job)
{
	struct vhd_survey *survey = &job->survey;

	if (!survey->header_sum_is_wrong) {
		return 0;
	}
	tell(job, VHD_CHECK_HEADER, false, survey->header_offset,
	     "the checksum of the header was written anew");
	return job->dry_run ? 0
			    : write_and_flush(job, survey->header_bytes, VHD_SECTOR_SIZE,
					      survey->header_offset);
}

static int repair_stray(struct job *job)
{
	struct vhd_survey *survey = &job->survey;
	uint64_t end = survey->file_size - survey->stray;
	int rc;

	if (!survey->stray) {
		return 0;
	}
	tell(job, VHD_CHECK_STRAY, false, end, "%" PRIu64 " bytes behind the footer were removed",
	     survey->stray);
	if (job->dry_run) {
		return 0;
	}
	rc = file_resize(survey->file, end);
	return rc ? rc : file_flush(survey->file);
}

/* One entry of the table, in the file and here. */
static int set_entry(struct job *job, uint32_t block, uint32_t sector)
{
	struct vhd_survey *survey = &job->survey;

	vhd_bat_set(&survey->bat, block, sector);
	return job->dry_run ? 0 : vhd_bat_store(&survey->bat, survey->file);
}

static int drop_entries(struct job *job)
{
	struct vhd_survey *survey = &job->survey;
	bool dropped = false;
	int rc = 0;

	for (uint32_t i = 0; !rc && i < survey->bat.count; i++) {
		bool outside = survey->blocks[i] == VHD_SURVEY_OUTSIDE;

		if (!outside && survey->blocks[i] != VHD_SURVEY_TABLES) {
			continue;
		}
		tell(job, outside ? VHD_CHECK_BLOCK_OUTSIDE : VHD_CHECK_BLOCK_OVERLAP, true,
		     vhd_survey_place(survey, i),
		     "block %" PRIu32 " was taken out of the table: bytes %" PRIu64 " to %" PRIu64
		     " of the disk are lost%s",
		     i, (uint64_t)i * survey->header.block_size,
		     ((uint64_t)i + 1) * survey->header.block_size - 1,
		     survey->footer->footer.type == VHD_DIFFERENCING ? " and show the parent's"
								     : " and read as zeros");
		rc = set_entry(job, i, VHD_BAT_UNUSED);
		survey->blocks[i] = VHD_SURVEY_UNUSED;
		dropped = true;
	}
	return rc || !dropped || job->dry_run ? rc : file_flush(survey->file);
}

/* What follows `limit` reads as zeros. */
static int copy_block(struct job *job, uint64_t from, uint64_t to, uint64_t size)
{
	struct vhd_survey *survey = &job->survey;
	int rc = 0;

	for (uint64_t at = 0; !rc && at < size; at += COPY_SIZE) {
		uint64_t n = size - at < COPY_SIZE ? size - at : COPY_SIZE;
		uint64_t there = from + at < survey->limit ? survey->limit - from - at : 0;

		there = there < n ? there : n;
		memset(job->buffer, 0, n);
		rc = there ? file_read(survey->file, job->buffer, there, from + at) : 0;
		rc = rc ? rc : file_write(survey->file, job->buffer, n, to + at);
	}
	return rc;
}

/* A copy at the end of the file, with a footer behind it before the table names it. */
static int give_own_place(struct job *job, uint32_t block)
{
	struct vhd_survey *survey = &job->survey;
	uint64_t data = vhd_align_up(job->end + survey->bitmap_size, ALIGNMENT);
	uint64_t to = data - survey->bitmap_size;
	uint64_t end = vhd_align_up(data + survey->header.block_size, ALIGNMENT);
	int rc = 0;

	if (to / VHD_SECTOR_SIZE >= VHD_BAT_UNUSED) {
		return -EFBIG;
	}
	if (!job->dry_run) {
		rc = file_write(survey->file, survey->footer->bytes, VHD_FOOTER_SIZE, end);
		rc = rc ? rc : file_flush(survey->file);
		rc = rc ? rc
			: copy_block(job, vhd_survey_place(survey, block), to,
				     vhd_survey_block_bytes(survey));
		rc = rc ? rc : file_flush(survey->file);
	}
	rc = rc ? rc : set_entry(job, block, (uint32_t)(to / VHD_SECTOR_SIZE));
	if (!rc && !job->dry_run) {
		rc = file_flush(survey->file);
		survey->blocks[block] = VHD_SURVEY_GOOD; /* now its bitmap can be looked at */
	}
	job->end = end;
	return rc;
}

static int move_blocks(struct job *job)
{
	struct vhd_survey *survey = &job->survey;
	int rc = 0;

	/* Behind everything that is named and the footer that is there. */
	job->end = vhd_align_up(survey->file_size, ALIGNMENT);
	for (uint32_t i = 0; !rc && i < survey->bat.count; i++) {
		uint64_t place = vhd_survey_place(survey, i);

		if (survey->blocks[i] == VHD_SURVEY_CUT) {
			/* Without a footer, a file may end where it was last written. */
			tell(job, VHD_CHECK_BLOCK_OUTSIDE, !survey->end.rc, place,
			     "block %" PRIu32 " ends with the file: its last %" PRIu64
			     " bytes are not there and read as zeros",
			     i, place + vhd_survey_block_bytes(survey) - survey->limit);
		} else if (survey->blocks[i] == VHD_SURVEY_SHARED) {
			tell(job, VHD_CHECK_BLOCK_OVERLAP, true, place,
			     "block %" PRIu32 " got a copy of the place that it shared: bytes "
			     "%" PRIu64 " to %" PRIu64 " of the disk may be another block's",
			     i, (uint64_t)i * survey->header.block_size,
			     ((uint64_t)i + 1) * survey->header.block_size - 1);
		} else {
			continue;
		}
		rc = give_own_place(job, i);
		rc = rc ? rc : progress_step(job->progress, i, survey->bat.count);
	}
	return rc;
}

static int repair_bitmap(struct job *job, uint32_t block)
{
	struct vhd_survey *survey = &job->survey;
	uint64_t place = vhd_survey_place(survey, block);
	enum vhd_survey_bits bits;
	bool hidden;
	int rc = vhd_survey_look_at_bits(survey, block, job->buffer, &bits, &hidden);

	/* Where data hide, nobody knows whether they are meant to be seen. */
	if (rc || bits == VHD_SURVEY_ALL || hidden) {
		return rc;
	}
	tell(job, VHD_CHECK_BITMAP, false, place,
	     "the bitmap of block %" PRIu32 " was filled; what it did not show is zero", block);
	if (job->dry_run) {
		return 0;
	}
	memset(job->buffer, 0xff, survey->bitmap_size);
	return file_write(survey->file, job->buffer, survey->bitmap_size, place);
}

static int repair_bitmaps(struct job *job)
{
	struct vhd_survey *survey = &job->survey;
	unsigned before = job->report.count;
	int rc = 0;

	if (survey->footer->footer.type != VHD_DYNAMIC) {
		return 0;
	}
	for (uint32_t i = 0; !rc && i < survey->bat.count; i++) {
		if (survey->blocks[i] == VHD_SURVEY_GOOD) {
			rc = repair_bitmap(job, i);
			rc = rc ? rc : progress_step(job->progress, i, survey->bat.count);
		}
	}
	return rc || job->dry_run || job->report.count == before ? rc : file_flush(survey->file);
}

static int repair_sums(struct job *job)
{
	struct vhd_survey_footer *end = &job->survey.end;
	int rc;

	tell(job, VHD_CHECK_FOOTER, false, end->offset,
	     "the checksums of the footer and its copy were written anew");
	if (job->dry_run) {
		return 0;
	}
	rc = write_and_flush(job, end->bytes, VHD_FOOTER_SIZE, 0);
	return rc || end->rc ? rc : write_and_flush(job, end->bytes, end->size, end->offset);
}

/* Before the file grows: the footer at its end is at risk then. */
static int repair_copy(struct job *job)
{
	struct vhd_survey *survey = &job->survey;

	if (survey->footer_sums_are_wrong) {
		return repair_sums(job);
	}
	if (survey->end.rc ||
	    memcmp(survey->end.bytes, survey->copy.bytes, VHD_FOOTER_SIZE_SHORT) == 0) {
		return 0;
	}
	tell(job, survey->copy.rc ? VHD_CHECK_FOOTER_COPY : VHD_CHECK_FOOTERS_DIFFER, false, 0,
	     "the copy of the footer was written anew");
	return job->dry_run ? 0 : write_and_flush(job, survey->end.bytes, VHD_FOOTER_SIZE, 0);
}

static int repair_sparse(struct job *job)
{
	struct vhd_survey *survey = &job->survey;
	int rc;

	if (survey->header_rc || survey->table_rc) {
		return -EBADMSG;
	}
	rc = repair_copy(job);
	rc = rc ? rc : repair_header(job);
	rc = rc ? rc : drop_entries(job);
	rc = rc ? rc : move_blocks(job);
	rc = rc ? rc : repair_bitmaps(job);
	if (!rc && survey->end.rc) { /* opening for writing does that */
		tell(job, VHD_CHECK_FOOTER, false, survey->file_size,
		     "the footer was written anew from its copy");
	}
	return rc;
}

static int repair_file(struct job *job, struct file *file)
{
	int rc = vhd_survey_make(file, &job->survey);

	job->buffer = malloc(COPY_SIZE > VHD_SURVEY_BUFFER ? COPY_SIZE : VHD_SURVEY_BUFFER);
	if (!rc && !job->buffer) {
		rc = -ENOMEM;
	}
	if (!rc && !job->survey.footer) {
		rc = job->survey.end.rc == -EINVAL && job->survey.copy.rc == -EINVAL ? -EINVAL
										     : -EBADMSG;
	}
	rc = rc ? rc : progress_step(job->progress, 0, 1);
	if (!rc) {
		rc = vhd_survey_is_sparse(&job->survey) ? repair_sparse(job) : repair_stray(job);
	}
	free(job->buffer);
	vhd_survey_fini(&job->survey);
	return rc;
}

static int settle(struct folder *folder, const char *name)
{
	struct layer *layer;
	int rc = vhd_disk_open(folder, name, VHD_DISK_WRITE | VHD_DISK_TOP_ONLY | VHD_DISK_NO_LOCK,
			       &layer, NULL);

	if (rc == -EBADMSG) {
		return 0; /* what is left is told by the check that follows */
	}
	return rc ? rc : layer_close(layer);
}

static int check_again(struct folder *folder, const char *name, struct vhd_repair *report,
		       const struct progress *progress, struct why *why)
{
	struct vhd_check check;
	int rc = vhd_check_run(folder, name, progress, &check, why);

	if (rc < 0) {
		return rc;
	}
	report->worst = check.worst;
	vhd_check_fini(&check);
	return 0;
}

static int explain(struct why *why, const char *name, int rc)
{
	return why_set(why, rc, "%s: %s", name,
		       rc == -EINVAL ? "it is no VHD"
		       : rc == -EBADMSG
			       ? "nothing can be done, too much of it is missing: get a copy"
		       : rc == -EAGAIN ? "it is in use: stop the program that has it open"
		       : rc == -ECANCELED
			       ? "stopped; what was repaired so far stays, and a second run goes on"
			       : strerror(-rc));
}

int vhd_repair_run(struct folder *folder, const char *name, bool dry_run,
		   const struct progress *progress, struct vhd_repair *ret_repair, struct why *why)
{
	struct job job = {.progress = progress, .dry_run = dry_run};
	struct file *file;
	int rc = dry_run ? 0 : vhd_journal_recover(folder, why);

	if (rc < 0) {
		return rc;
	}
	rc = folder_open_file(folder, name, dry_run ? FOLDER_READ : FOLDER_WRITE, &file);
	if (rc < 0) {
		return explain(why, name, rc);
	}
	rc = file_lock(file, !dry_run);
	rc = rc ? rc : repair_file(&job, file);
	rc = rc || dry_run ? rc : settle(folder, name);
	file_close(file);
	if (rc < 0) {
		explain(why, name, rc);
	} else {
		rc = check_again(folder, name, &job.report, progress, why);
	}
	if (rc < 0) {
		vhd_repair_fini(&job.report);
		return rc;
	}
	*ret_repair = job.report;
	return 0;
}

void vhd_repair_fini(struct vhd_repair *repair)
{
	free(repair->changes);
	*repair = (struct vhd_repair){.changes = NULL};
}
