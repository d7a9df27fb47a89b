/* SPDX-License-Identifier: Apache-2.0 */
/** A virtual disk: one VHD file, or a differencing one with its chain of parents, as the bottom
 * layer of a stack. See docs/SPEC-vhd.md for every bit of the files.
 *
 *  Only the top image of a chain is ever written. A grown image stays open to stock readers at
 * every instant of a power cut; the order of writes is in docs/SPEC-vhd.md.
 *
 *  Source: Microsoft, "Virtual Hard Disk Image Format Specification" 1.0.
 */
#ifndef VHD_DISK_H
#define VHD_DISK_H

#include "folder.h"
#include "layer.h"
#include "vhd_footer.h"

/** Images in a chain, the top one included. */
#define VHD_DEPTH_MAX 32u

enum vhd_disk_flags {
	VHD_DISK_WRITE = 1u << 0,    /* else read-only, all of the chain */
	VHD_DISK_NO_LOCK = 1u << 1,  /* the caller has the locks already */
	VHD_DISK_TOP_ONLY = 1u << 2, /* no parents: what lies there reads as zeros */
};

/** Opens, checks and locks (top image: exclusively when written, else shared; parents: shared) a
 * disk. All sizes and offsets of the files are checked before they are used; a hostile image costs
 * at most 64 MiB and 100 ms to refuse. With VHD_DISK_WRITE, what a power cut left (footer, leaked
 * blocks at the end) is put in order first. Returns 0 and the layer, named "vhd";
 *  -EINVAL no VHD; -EBADMSG damaged (vhd_repair.h may help); -ENOENT also for a parent that is
 * missing; -ESTALE a parent that was changed (UUID differs); -EAGAIN in use; -EOPNOTSUPP; -ELOOP
 * too deep; -errno. `why` names the file and says what to do.
 */
VHD_MUST_CHECK int vhd_disk_open(struct folder *folder, const char *name, unsigned flags,
				 struct layer **ret_layer, struct why *why);

struct vhd_disk_create {
	enum vhd_type type;
	uint64_t size;		 /* bytes, rounded up to VHD_SIZE_STEP; ignored with a parent */
	const char *parent;	 /* VHD_DIFFERENCING: a name in the same folder */
	const char *parent_name; /* what the image calls it, when its file gets that name only
				    afterwards; NULL: `parent` */
	uint8_t uuid[16];	 /* all zero: a random one */
	uint32_t timestamp;	 /* seconds since 2000-01-01 00:00 UTC; 0: now */
	uint64_t reserve; /* room for a block table of that many bytes of disk; 0: as `size` */
};

/** Makes a new image; the name must be free. It appears whole or not at all: a temporary name
 * first, then flushed, renamed, the folder flushed. -EEXIST, -EFBIG, -EINVAL, -errno. */
VHD_MUST_CHECK int vhd_disk_create(struct folder *folder, const char *name,
				   const struct vhd_disk_create *create, struct why *why);

/** One image of the chain: depth 0 is the top. */
struct vhd_disk_info {
	const char *name; /* valid until close */
	struct vhd_footer footer;
	uint64_t file_size;
	uint32_t block_size;	  /* 0: fixed */
	uint32_t block_count;	  /* entries of the block table */
	uint32_t allocated_count; /* blocks that the image holds */
	uint8_t parent_uuid[16];  /* differencing only */
	const char *parent_name;  /* as the image spells it, made printable; NULL: none */
	bool was_unclean; /* opening for writing had, or would have, to put something in order */
};

/** Returns the number of images in the chain; fills *ret_info when depth is below it. */
unsigned vhd_disk_get_info(const struct layer *layer, unsigned depth,
			   struct vhd_disk_info *ret_info);

/** What of [offset, offset + *ret_size) the top image itself holds: *ret_present for *ret_size > 0
 * bytes. For export and commit: the sectors that differ from the parent. */
VHD_MUST_CHECK int vhd_disk_find(struct layer *layer, uint64_t offset, uint64_t *ret_size,
				 bool *ret_present);

/** Changes the size of the disk, and of a differencing one that of its top image. Bytes past the
 * old end are zero. Crash-safe: old or new size. Shrinking throws away what lies past `size`. No
 * other request may be in flight. */
VHD_MUST_CHECK int vhd_disk_resize(struct layer *layer, uint64_t size, struct why *why);

#endif
