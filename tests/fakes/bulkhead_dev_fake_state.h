/* SPDX-License-Identifier: Apache-2.0 */
/** What the two halves of the fake device share: its state, under one lock. */
#ifndef BULKHEAD_DEV_FAKE_STATE_H
#define BULKHEAD_DEV_FAKE_STATE_H

#include <pthread.h>
#include "bulkhead_dev_fake.h"
#include "abi/policy.h"

#define FAKE_PARTS    4u
#define FAKE_IRQFDS   64u
#define FAKE_MSIS     256u
#define FAKE_LOG      16384u
#define FAKE_FAILURES 16u /* planned at once */

struct fake_irqfd {
	int fd; /* our duplicate, -1 free */
	unsigned long id;
	uint64_t addr;
	uint32_t data;
};

struct fake_msi {
	uint64_t addr;
	uint32_t data;
};

struct fake_part {
	bool known;
	struct bh_part_info info;
	int fd; /* our duplicate of the partition fd, -1 while EMPTY */
	unsigned long id;
	int ram_fd;
	void *ram;
	int ioreq_fd;
	struct bh_ioreq *slots;
	int wake[BH_VCPU_MAX];	   /* for dev_ioreq_next */
	int answered[BH_VCPU_MAX]; /* for fake_dev_access */
	unsigned int epoch;	   /* counts resets */
	struct bh_vcpu_start start[BH_VCPU_MAX];
	struct bh_vcpu_stats stats[BH_VCPU_MAX];
	int doorbell[BH_DOORBELL_MAX][BH_DOORBELL_QUEUE_MAX];
	uint64_t window;
	uint32_t window_pages;
	struct fake_irqfd irqfd[FAKE_IRQFDS];
	struct fake_msi msi[FAKE_MSIS];
	unsigned int msi_head, msi_tail;
	int msi_event;
};

struct fake_state {
	pthread_mutex_t lock;
	struct fake_part parts[FAKE_PARTS];
	struct fake_dev_device device[BH_POLICY_DEVICE_MAX];
	uint32_t device_count;
	struct bh_iommu_info iommu;
	struct bh_policy_info policy;
	char log_text[FAKE_LOG];
	size_t log_size;
	int irq_epoll;
	struct {
		unsigned long request;
		int error;
	} planned[FAKE_FAILURES];
};
extern struct fake_state fake;

/** Kernel-wide id of an eventfd, 0 if it is none. */
unsigned long fake_event_id(int fd);
void fake_event_set(int fd);
void fake_event_clear(int fd);
/** 0, -ETIMEDOUT or -EINTR. */
int fake_event_wait(int fd, int timeout_ms);

/** Finds the partition and locks; on failure (unknown fd, planned error) returns it and does not lock. */
int fake_part_enter(int fd, unsigned long request, struct fake_part **ret_part);
/** Unlocks and returns `ret`. */
int fake_part_leave(int ret);

/** The rest needs the lock. */
/** What a reset of the partition takes away from its devices. */
void fake_device_clear(uint32_t part);
void fake_setup(void);
/** The error planned for this call, or 0. */
int fake_planned_error(unsigned long request);
/** Everything that a reset takes away. */
void fake_part_clear(struct fake_part *part);
void fake_part_destroy(struct fake_part *part);
void fake_part_set_state(struct fake_part *part, enum bh_part_state state);
void fake_msi_push(struct fake_part *part, uint64_t addr, uint32_t data);

#endif
