/* SPDX-License-Identifier: Apache-2.0 */
/** virtio-blk on a file: read, write, flush, get-id.
 *
 *  Guest memory is not file-backed in the control partition, so read() and write() cannot reach it:
 * all data passes through one bounce buffer. A flush is acknowledged after fdatasync() has
 * returned; once that has failed, nothing is acknowledged as written any more, because nobody knows
 * what was lost.
 *
 *  Source: virtio 1.2, "Block Device".
 */
#ifndef BH_DEVICES_BLK_H
#define BH_DEVICES_BLK_H

#include "vq.h"

#define BLK_QUEUE_COUNT 1u
#define BLK_SECTOR_SIZE 512u
#define BLK_BOUNCE_SIZE (256u << 10)
#define BLK_ID_SIZE	20u
/** Data segments that the guest may put into one request. */
#define BLK_SEG_MAX 126u

struct blk {
	int fd;
	uint64_t size; /* bytes */
	bool read_only;
	bool write_through; /* the guest does not know flush: each write is followed by one */
	bool failed;	    /* a flush has failed */
	char id[BLK_ID_SIZE];
	struct vq_chain chain;
	uint8_t bounce[BLK_BOUNCE_SIZE] __attribute__((aligned(4096)));
};

/** fd stays the caller's; id: text, cut to BLK_ID_SIZE characters. */
void blk_init(struct blk *blk, int fd, uint64_t size, bool read_only, const char *id);

/** Feature bits that the device offers. */
uint64_t blk_features(const struct blk *blk);

/** Size of the configuration space in bytes, and its content. */
uint32_t blk_config_size(void);
void blk_get_config(const struct blk *blk, uint8_t *config);

void blk_set_features(struct blk *blk, uint64_t features);

/** Serves requests; true when there may be more. */
bool blk_handle_queue(struct blk *blk, struct vq *vq);

#endif
