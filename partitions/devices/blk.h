/* SPDX-License-Identifier: Apache-2.0 */
/** virtio-blk over a stack of layers: each request runs on a fiber of its own, so that one that
 * waits for the medium stops no other.
 *
 *  Data moves between guest memory and the disk without a copy of ours in between. The guest may
 * change it on its way: then the disk holds a mixture that only this guest reads. Headers, ranges
 * and lengths are copied once, checked, and used from the copy.
 *
 *  A flush is acknowledged when the disk has flushed; once that has failed, no write and no flush
 * is acknowledged any more, because nobody knows what was lost.
 *
 *  Context: one thread. Source: virtio 1.2, "Block Device".
 */
#ifndef BH_DEVICES_BLK_H
#define BH_DEVICES_BLK_H

#include "layer.h"
#include "uring.h"
#include "vq.h"

#include <linux/virtio_blk.h>

#define BLK_QUEUE_MAX	8u
#define BLK_SECTOR_SIZE 512u
#define BLK_ID_SIZE	20u
/** Data segments that the guest may put into one request; and parts of memory that we take: some
 * more, because a segment may cross regions. */
#define BLK_SEG_MAX 126u
#define BLK_IOV_MAX (BLK_SEG_MAX + 10u)
/** Ranges of one discard or write-zeroes request. */
#define BLK_RANGE_MAX 16u
/** Largest range of discard, and of write-zeroes (which may have to write), in sectors. */
#define BLK_DISCARD_MAX (1u << 21)
#define BLK_ZERO_MAX	(1u << 13)
/** Requests that are worked on at a time, over all queues. */
#define BLK_IN_FLIGHT_MAX 256u

struct blk;

/** What is known of a request once it was taken from its queue; guest memory holds nothing more of
 * it but the data. */
struct blk_request {
	struct blk *blk;
	struct blk_request *next; /* while it is free */
	struct vq *vq;
	unsigned queue;
	uint16_t head;
	uint32_t type;
	uint64_t sector;
	uint32_t size;	    /* bytes of data */
	uint8_t *status;    /* in guest memory; written once, never read */
	uint32_t written;   /* what the used ring will report */
	unsigned iov_count; /* BLK_IOV_MAX + 1: the data are in too many parts */
	unsigned range_count;
	struct iovec iov[BLK_IOV_MAX];
	struct virtio_blk_discard_write_zeroes range[BLK_RANGE_MAX];
};

struct blk {
	struct layer *disk;
	struct uring *ring; /* NULL: every request ends before blk_handle_queue() does */
	unsigned queue_count;
	bool writeback; /* the guest flushes; else each write is followed by a flush */
	bool failed;	/* a flush has failed */
	char id[BLK_ID_SIZE];
	unsigned in_flight;
	uint32_t starved; /* queues that stopped for want of a free request, by bit */
	uint32_t dirty;	  /* queues with chains that the guest was not told of */
	uint64_t untold_bytes;
	struct vq *queue[BLK_QUEUE_MAX];
	struct blk_request *free;
	struct vq_chain chain;
	struct blk_request request[BLK_IN_FLIGHT_MAX];
};

/** disk and ring stay the caller's; id: text, cut to BLK_ID_SIZE characters. queue_count in [1,
 * BLK_QUEUE_MAX]. */
void blk_init(struct blk *blk, struct layer *disk, struct uring *ring, unsigned queue_count,
	      const char *id);

/** Feature bits that the device offers. */
uint64_t blk_features(const struct blk *blk);

/** Size of the configuration space in bytes, and its content. */
uint32_t blk_config_size(void);
void blk_get_config(const struct blk *blk, uint8_t *config);

void blk_set_features(struct blk *blk, uint64_t features);

/** Takes requests and starts them; true when there may be more. */
bool blk_handle_queue(struct blk *blk, struct vq *vq, unsigned index);

/** Lets requests go on whose answers are there, and tells the guest. */
void blk_reap(struct blk *blk);

/** Queues that have room again, by bit; they are forgotten. */
uint32_t blk_take_starved(struct blk *blk);

/** Returns when no request is in flight. Only on the thread's own stack. */
void blk_drain(struct blk *blk);

/** Runs one request to its end; returns its status. Only on a fiber, or without a ring. */
uint8_t blk_request_run(struct blk_request *request);

#endif
