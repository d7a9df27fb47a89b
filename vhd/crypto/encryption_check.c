/* SPDX-License-Identifier: Apache-2.0 */
/* Marks first, then the spread of bytes. */
#include "encryption_check.h"

#include "luks.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define SECTOR	   4096u
#define CHUNK	   (64u << 10)
#define QUICK_MAX  256u
#define LOOK_EVERY (32u << 20) /* quick: one chunk of so many bytes at least */

/* Pearson's sum over 256 byte values has mean 255 and deviation 23 for noise; above 500 is one
 * noisy sector in 10^17. Text has some 20,000, program code some 3,000. */
#define UNEVEN	  500u
#define BYTES_MIN 1024u

struct mark {
	const char *name;
	uint16_t offset;
	uint8_t size;
	const char *bytes;
};

/* At least five bytes each: noise has one of them once in 10^12 sectors. */
static const struct mark marks[] = {
	{"NTFS", 3, 8, "NTFS    "},   {"BitLocker", 3, 8, "-FVE-FS-"},	{"FAT", 54, 5, "FAT12"},
	{"FAT", 54, 5, "FAT16"},      {"FAT", 82, 5, "FAT32"},		{"exFAT", 3, 8, "EXFAT   "},
	{"a GPT", 0, 8, "EFI PART"},  {"a GPT", 512, 8, "EFI PART"},	{"LVM", 512, 8, "LABELONE"},
	{"btrfs", 64, 8, "_BHRfS_M"}, {"swap", 4086, 10, "SWAPSPACE2"}, {"an ISO", 1, 5, "CD001"},
	{"a VHD", 0, 8, "conectix"},
};

static const char *find_mark(const uint8_t bytes[SECTOR])
{
	for (unsigned i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (memcmp(bytes + marks[i].offset, marks[i].bytes, marks[i].size) == 0) {
			return marks[i].name;
		}
	}
	return NULL;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

const char *encryption_check_sector(const uint8_t bytes[SECTOR])
{
	uint32_t counts[256] = {0}, n = 0;
	uint64_t sum = 0;
	const char *mark = find_mark(bytes);

	if (mark) {
		return mark;
	}
	for (unsigned at = 0; at < SECTOR; at += 512) {
		if (!all_zero(bytes + at, 512)) {
			for (unsigned i = 0; i < 512; i++) {
				counts[bytes[at + i]]++;
			}
			n += 512;
		}
	}
	if (n < BYTES_MIN) {
		return NULL;
	}
	for (unsigned i = 0; i < 256; i++) {
		uint64_t d =
			counts[i] * 256ull > n ? counts[i] * 256ull - n : n - counts[i] * 256ull;

		sum += d * d;
	}
	return sum / 256 > (uint64_t)UNEVEN * n ? "uneven bytes" : NULL;
}

static int look(struct layer *payload, uint64_t offset, size_t size,
		struct encryption_report *report)
{
	uint8_t bytes[CHUNK];
	int rc = layer_read(payload, bytes, size, offset);

	for (size_t at = 0; !rc && at + SECTOR <= size; at += SECTOR) {
		const char *is;

		if (all_zero(bytes + at, SECTOR)) {
			continue;
		}
		report->looked_count++;
		is = encryption_check_sector(bytes + at);
		if (is && !report->plain_count++) {
			report->first_plain = offset + at;
			report->first_plain_is = is;
		}
	}
	return rc;
}

/* Where to look next: what the layer knows to be zero is left out. */
static int skip_zeros(struct layer *payload, uint64_t *offset)
{
	while (*offset < payload->size) {
		uint64_t size = 0;
		unsigned extent = LAYER_DATA;
		int rc = layer_extent(payload, *offset, &size, &extent);

		if (rc || !(extent & LAYER_ZERO)) {
			return rc;
		}
		*offset += size;
	}
	return 0;
}

static int look_at_data(struct layer *payload, uint64_t from, bool quick,
			const struct progress *progress, struct encryption_report *report)
{
	uint64_t step = CHUNK, at = from;
	int rc = progress_step(progress, 0, payload->size);

	if (quick) {
		step = (payload->size - from) / QUICK_MAX / CHUNK * CHUNK;
		step = step < LOOK_EVERY ? LOOK_EVERY : step;
	}
	while (!rc) {
		uint64_t left;

		rc = skip_zeros(payload, &at);
		if (rc || at >= payload->size) {
			break;
		}
		at -= at % SECTOR;
		left = payload->size - at;
		rc = look(payload, at, left < CHUNK ? (size_t)left : CHUNK, report);
		at += step;
		rc = rc ? rc
			: progress_step(progress, at < payload->size ? at : payload->size,
					payload->size);
	}
	return rc;
}

int encryption_check(struct layer *payload, bool quick, const struct progress *progress,
		     struct encryption_report *ret_report, struct why *why)
{
	struct encryption_report report = {0};
	int rc = luks_is_there(payload, &report.has_header);

	/* Without header the first blocks are looked at too: it says what is there instead. */
	rc = rc ? rc
		: look_at_data(payload, report.has_header ? LUKS_HEADER_SIZE : 0, quick, progress,
			       &report);
	if (rc) {
		return rc;
	}
	*ret_report = report;
	if (!report.has_header && !report.plain_count) {
		return why_set(why, -EKEYREJECTED, "the disk has no LUKS2 header");
	}
	if (report.plain_count) {
		return why_set(why, -EKEYREJECTED,
			       "the disk is not encrypted%s: %" PRIu64 " of %" PRIu64
			       " sectors look like plaintext, the first (%s) at %" PRIu64,
			       report.has_header ? " throughout" : "", report.plain_count,
			       report.looked_count, report.first_plain_is, report.first_plain);
	}
	return 0;
}
