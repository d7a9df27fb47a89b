/* SPDX-License-Identifier: Apache-2.0 */
/** A bundle: one stream or file that carries a desktop's disk to another PC. Every bit of it is in
 * docs/SPEC-bundle.md.
 *
 *  It is written and read from front to end without seeking: the front (a head, a summary in the
 * clear, the disk's LUKS2 header area, a hash, perhaps a signature), a sealed manifest, sealed
 * frames of changed sectors, an index of the frames' hashes, a tail. A bundle without its tail is
 * no bundle.
 */
#ifndef VHD_BUNDLE_H
#define VHD_BUNDLE_H

#include "why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUNDLE_SUFFIX		".bundle"
#define BUNDLE_PART_SUFFIX	".bundle.part" /* being written */
#define BUNDLE_SECTOR		4096u
#define BUNDLE_ID_SIZE		16u
#define BUNDLE_SECTOR_COUNT_MAX 0xfffffffeu /* of a disk: 16 TiB */
#define BUNDLE_HASH_SIZE	32u
#define BUNDLE_SUMMARY_MAX	(64u << 10)
#define BUNDLE_MANIFEST_MAX	(256u << 10)
#define BUNDLE_FRAME_MAX	(4u << 20) /* bytes of sectors in a frame */
#define BUNDLE_FRAME_COUNT_MAX	(1u << 21) /* 8 TiB of data */
#define BUNDLE_FEATURE_MAX	64u
#define BUNDLE_ROLE_MAX		8u
#define BUNDLE_NAME_MAX		128u

/** Where a bundle goes: a file that grows, or a pipe. */
struct bundle_out {
	/** Appends all bytes. 0 or -errno. */
	int (*write)(struct bundle_out *out, const void *bytes, size_t size);
};

/** Where it comes from. */
struct bundle_in {
	/** Up to `size` bytes; *ret_size 0 is the end. */
	int (*read)(struct bundle_in *in, void *ret_bytes, size_t size, size_t *ret_size);
};

/** A descriptor as either; it stays the caller's. */
struct bundle_fd {
	struct bundle_out out;
	struct bundle_in in;
	int fd;
};
void bundle_fd_init(struct bundle_fd *stream, int fd);

struct file;
/** A file (file.h) as either, from `offset` on; it stays the caller's. */
struct bundle_file {
	struct bundle_out out;
	struct bundle_in in;
	struct file *file;
	uint64_t offset; /* of the next byte */
};
void bundle_file_init(struct bundle_file *stream, struct file *file, uint64_t offset);

/** What opens a bundle. */
enum bundle_seal {
	BUNDLE_SEAL_DISK = 1,	    /* what opens the encrypted disk */
	BUNDLE_SEAL_PASSPHRASE = 2, /* a passphrase of the bundle's own */
};

/** What can be read before any passphrase: enough to say whether the desktop will run here. Texts
 * are printable ASCII or UTF-8 without control characters. */
struct bundle_summary {
	char name[BUNDLE_NAME_MAX];	 /* of the disk: the image's file name, "office.vhd" */
	char from[BUNDLE_NAME_MAX];	 /* of the PC or its owner, may be empty */
	char engine[32];		 /* version that wrote it */
	uint32_t engine_format;		 /* needed to read it; BUNDLE_VERSION */
	char roles[BUNDLE_ROLE_MAX][32]; /* what the guest is: "desktop", "browser" ... */
	unsigned role_count;
	uint8_t disk_id[16]; /* the desktop, the same on all PCs */
	uint64_t epoch;	     /* of the owner that imports it */
	bool copy;	     /* the sender keeps his own too: not a move */
	enum bundle_seal seal;
	uint64_t disk_size;	/* bytes of the virtual disk */
	uint64_t data_size;	/* bytes of sectors that the bundle changes */
	uint64_t free_needed;	/* bytes that the import takes on the target's drive */
	uint8_t image_uuid[16]; /* of the state carried, and of the image that will hold it */
	uint32_t image_timestamp;
	bool full;				   /* needs no base */
	uint8_t base_uuid[16];			   /* else of the state that must be there */
	uint8_t base_probe[BUNDLE_HASH_SIZE];	   /* hash of a sample of its sectors */
	char base_name[BUNDLE_NAME_MAX];	   /* as the sender calls it */
	unsigned cpu_level;			   /* x86-64 level needed, 1 to 4 */
	char cpu_features[BUNDLE_FEATURE_MAX][16]; /* needed beyond that, as /proc/cpuinfo spells */
	unsigned cpu_feature_count;
	uint64_t ram;	   /* bytes that the guest needs, 0: not said */
	char firmware[16]; /* "bios", "uefi", "none" */
	uint64_t time;	   /* seconds since 1970, of the export */
};

#define BUNDLE_VERSION 1u

#endif
