/* SPDX-License-Identifier: Apache-2.0 */
/* MBR, GPT, and the first bytes of file systems. */
#define _GNU_SOURCE

#include "tool_partition.h"

#include <stdlib.h>
#include <string.h>

#define GPT_ENTRY_SIZE_MAX 512u
#define GPT_ENTRIES_MAX	   128u
#define LOGICAL_MAX	   (TOOL_PARTITION_MAX - 4u)
#define LOOK_SIZE	   (68u << 10) /* reaches the superblock of btrfs */

struct list {
	struct layer *disk;
	struct tool_partition *at;
	unsigned count;
};

static uint32_t le32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint64_t le64(const uint8_t *at)
{
	return le32(at) | (uint64_t)le32(at + 4) << 32;
}

static const struct {
	const char *content;
	uint32_t offset;
	const char *bytes;
	uint32_t size;
} marks[] = {
	{"ntfs", 3, "NTFS    ", 8},
	{"exfat", 3, "EXFAT   ", 8},
	{"bitlocker", 3, "-FVE-FS-", 8},
	{"vfat", 82, "FAT32   ", 8},
	{"vfat", 54, "FAT16   ", 8},
	{"vfat", 54, "FAT12   ", 8},
	{"xfs", 0, "XFSB", 4},
	{"luks", 0, "LUKS\xba\xbe", 6},
	{"lvm", 512, "LABELONE", 8},
	{"squashfs", 0, "hsqs", 4},
	{"iso9660", 32769, "CD001", 5},
	{"btrfs", 65600, "_BHRfS_M", 8},
	{"swap", 4086, "SWAPSPACE2", 10},
	{"erofs", 1024, "\xe2\xe1\xf5\xe0", 4},
};

/* extents, 64bit, journal: which of the three it is matters to nobody but people. */
static const char *ext_name(const uint8_t *super)
{
	uint32_t compat = le32(super + 0x5c), incompat = le32(super + 0x60);

	return incompat & (0x40 | 0x80 | 0x200) ? "ext4" : compat & 4 ? "ext3" : "ext2";
}

static int look(struct layer *disk, struct tool_partition *partition)
{
	size_t size = partition->size < LOOK_SIZE ? (size_t)partition->size : LOOK_SIZE;
	uint8_t *head = calloc(1, LOOK_SIZE);
	int rc;

	if (!head) {
		return -1;
	}
	rc = layer_read(disk, head, size, partition->offset);
	partition->content = "";
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && !rc; i++) {
		if (!memcmp(head + marks[i].offset, marks[i].bytes, marks[i].size)) {
			partition->content = marks[i].content;
			break;
		}
	}
	if (!rc && head[0x438] == 0x53 && head[0x439] == 0xef) {
		partition->content = ext_name(head + 0x400);
		partition->needs_replay = le32(head + 0x460) & 4;
	}
	free(head);
	return rc;
}

/* Takes a partition in sectors when it lies on the disk. */
static int take(struct list *list, unsigned number, uint64_t first, uint64_t count)
{
	uint64_t sectors = list->disk->size / LAYER_SECTOR;
	struct tool_partition *partition = &list->at[list->count];

	if (list->count == TOOL_PARTITION_MAX || !count || first >= sectors ||
	    count > sectors - first) {
		return 0;
	}
	*partition = (struct tool_partition){
		.number = number,
		.offset = first * LAYER_SECTOR,
		.size = count * LAYER_SECTOR,
		.content = "",
	};
	list->count++;
	return look(list->disk, partition);
}

static int list_gpt(struct list *list, const uint8_t *header)
{
	uint64_t at = le64(header + 72);
	uint32_t count = le32(header + 80), size = le32(header + 84);
	uint8_t entry[GPT_ENTRY_SIZE_MAX];
	int rc = 0;

	if (size < 128 || size > GPT_ENTRY_SIZE_MAX || size % 128 ||
	    at > list->disk->size / LAYER_SECTOR) {
		return 0;
	}
	count = count < GPT_ENTRIES_MAX ? count : GPT_ENTRIES_MAX;
	for (uint32_t i = 0; i < count && !rc; i++) {
		static const uint8_t unused[16];
		uint64_t offset = at * LAYER_SECTOR + (uint64_t)i * size;
		uint8_t sectors[2 * LAYER_SECTOR];
		uint64_t start = offset & ~(uint64_t)(LAYER_SECTOR - 1);

		if (start > list->disk->size || list->disk->size - start < sizeof(sectors)) {
			break;
		}
		rc = layer_read(list->disk, sectors, sizeof(sectors), start);
		memcpy(entry, sectors + (offset - start), 128);
		if (!rc && memcmp(entry, unused, 16) != 0) {
			uint64_t first = le64(entry + 32), last = le64(entry + 40);

			rc = last < first ? 0 : take(list, i + 1, first, last - first + 1);
		}
	}
	return rc;
}

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* The chain of logical partitions: bounded, so that a loop ends. */
static int list_logical(struct list *list, uint64_t base)
{
	uint64_t at = base;
	uint8_t sector[LAYER_SECTOR];
	int rc = 0;

	for (unsigned i = 0; i < LOGICAL_MAX && !rc; i++) {
		const uint8_t *entry = sector + 446;

		if (at >= list->disk->size / LAYER_SECTOR) {
			break;
		}
		rc = layer_read(list->disk, sector, sizeof(sector), at * LAYER_SECTOR);
		if (rc || sector[510] != 0x55 || sector[511] != 0xaa) {
			break;
		}
		rc = take(list, 5 + i, at + le32(entry + 8), le32(entry + 12));
		if (!is_extended(entry[16 + 4])) {
			break;
		}
		at = base + le32(entry + 16 + 8);
	}
	return rc;
}

static int list_mbr(struct list *list, const uint8_t *mbr)
{
	int rc = 0;

	for (unsigned i = 0; i < 4 && !rc; i++) {
		const uint8_t *entry = mbr + 446 + 16 * i;

		if (is_extended(entry[4])) {
			rc = list_logical(list, le32(entry + 8));
		} else if (entry[4]) {
			rc = take(list, i + 1, le32(entry + 8), le32(entry + 12));
		}
	}
	return rc;
}

int tool_partition_list(struct layer *untrusted, struct tool_partition ret_list[TOOL_PARTITION_MAX],
			unsigned *ret_count)
{
	struct list list = {.disk = untrusted, .at = ret_list};
	struct tool_partition whole = {.size = untrusted->size, .content = ""};
	uint8_t head[2 * LAYER_SECTOR];
	int rc = untrusted->size < sizeof(head) ? 0 : look(untrusted, &whole);

	*ret_count = 0;
	if (rc || untrusted->size < sizeof(head)) {
		return rc;
	}
	/* The first sector of a file system may end like a table, too. */
	if (!*whole.content) {
		rc = layer_read(untrusted, head, sizeof(head), 0);
		if (!rc && !memcmp(head + LAYER_SECTOR, "EFI PART", 8)) {
			rc = list_gpt(&list, head + LAYER_SECTOR);
		} else if (!rc && head[510] == 0x55 && head[511] == 0xaa) {
			rc = list_mbr(&list, head);
		}
	}
	if (!rc && !list.count) {
		ret_list[0] = whole;
		list.count = 1;
	}
	*ret_count = list.count;
	return rc;
}
