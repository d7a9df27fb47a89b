/* SPDX-License-Identifier: Apache-2.0 */
/** Fixed-width types for headers shared by root mode, kernel module and user space. */
#ifndef BH_ABI_TYPES_H
#define BH_ABI_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#include <linux/build_bug.h>
#define BH_ABI_ASSERT(cond) static_assert(cond)
#else
#include <stdint.h>
#define BH_ABI_ASSERT(cond) _Static_assert(cond, #cond)
#endif

#define BH_PAGE_SIZE 4096u

/** Highest number of partitions a policy table can name; the control partition is number 0. */
#define BH_PART_MAX 16u
#define BH_PART_CONTROL 0u
/** Highest number of vcpus of one partition. */
#define BH_VCPU_MAX 8u
/** Doorbell pages of one partition, and queues rung through one page. */
#define BH_DOORBELL_MAX 16u
#define BH_DOORBELL_QUEUE_MAX 64u

#endif
