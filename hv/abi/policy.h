/* SPDX-License-Identifier: Apache-2.0 */
/** The compiled policy table: a boot module, read-only, validated wholly before anything starts.
 *
 *  Layout: struct bh_policy, then part_count struct bh_policy_part, then module_count struct
 *  bh_policy_module, then device_count struct bh_policy_device: the part that root mode reads. Behind it, up
 *  to file_size, the part of the daemons (policy/table/table.h), of which root mode checks the CRC only.
 *  All little-endian. See docs/SPEC-policy.md.
 */
#ifndef BH_ABI_POLICY_H
#define BH_ABI_POLICY_H

#include "types.h"

#define BH_POLICY_MAGIC 0x31304c4f50484221ull /* "!BHPOL01" */
#define BH_POLICY_VERSION 2u
#define BH_POLICY_SIZE_MAX BH_PAGE_SIZE /* of the part that root mode reads */

struct bh_policy {
	uint64_t magic;
	uint32_t version;
	uint32_t size;	 /* bytes of root mode's part */
	uint32_t crc32c; /* of root mode's part, with this field as 0 */
	uint32_t part_count;   /* 1..BH_PART_MAX; part 0 is the control partition */
	uint32_t module_count; /* boot modules that must be there */
	uint16_t device_count; /* 0..BH_POLICY_DEVICE_MAX */
	uint16_t flags;	       /* BH_POLICY_IOMMU_* */
	uint64_t serial;       /* of this table, as its maker counts */
	uint32_t file_size;    /* bytes of the whole table, >= size */
	uint32_t rest_crc32c;  /* of the bytes from size to file_size */
	uint8_t hash[32];      /* SHA-256 of the whole table with crc32c and hash as 0: its name in logs */
	uint64_t reserved[5];
};
BH_ABI_ASSERT(sizeof(struct bh_policy) == 120);

#define BH_POLICY_IOMMU_REQUIRED 0x1u /* without an IOMMU: refuse to start; else run with a warning */

#define BH_POLICY_CONTROL 0x1u /* may call the partition hypercalls; part 0 only */

struct bh_policy_part {
	char name[16]; /* 0-terminated */
	uint64_t ram_size; /* bytes, multiple of 2 MiB; part 0: at least this much must remain */
	uint32_t vcpu_count; /* 1..BH_VCPU_MAX */
	uint32_t weight;     /* share of CPU, 1..10000 */
	uint32_t flags;      /* BH_POLICY_* */
	uint32_t doorbell_count; /* 0..BH_DOORBELL_MAX */
	uint32_t cap;      /* percent of one CPU over all its vcpus, 0: none */
	uint16_t map_by;   /* bit p: partition p may map its RAM */
	uint16_t ring_to;  /* bit p: its doorbells may reach partition p */
	uint16_t irq_from; /* bit p: partition p may raise interrupts in it */
	uint16_t reserved16[3];
	uint64_t reserved[1];
};
BH_ABI_ASSERT(sizeof(struct bh_policy_part) == 64);

/** A boot module is named by the first word of its multiboot string: "kernel", "initrd", "guest", ... */
struct bh_policy_module {
	char role[16]; /* 0-terminated */
	uint64_t size; /* bytes */
	uint32_t crc32c; /* of its bytes; the CRC-32C of RFC 3720 */
	uint32_t reserved;
};
BH_ABI_ASSERT(sizeof(struct bh_policy_module) == 32);

#define BH_POLICY_DEVICE_MAX 8u
#define BH_POLICY_DEVICE_ANY 0xffffu /* as vendor or device */

/** A real PCI device that belongs to a guest: the nth function, by bus, device, function, that fits. */
struct bh_policy_device {
	char role[16]; /* 0-terminated */
	uint32_t class_code; /* base class << 16 | subclass << 8 | interface */
	uint32_t class_mask; /* bits of the class code that count */
	uint16_t vendor, device; /* BH_POLICY_DEVICE_ANY: any */
	uint16_t nth;  /* from 0 */
	uint16_t part; /* 1..part_count - 1 */
};
BH_ABI_ASSERT(sizeof(struct bh_policy_device) == 32);

/** Which tables root mode goes by. */
struct bh_policy_info {
	uint8_t hash[32];      /* name of the table in force */
	uint8_t boot_hash[32]; /* of the table of this boot, within which others must stay */
	uint64_t serial;       /* of the table in force */
	uint32_t loads;        /* tables taken by BH_HC_POLICY_LOAD since the start */
	uint32_t part_count;
	uint64_t refused; /* answers of the gate that were no, since the start */
	uint64_t reserved;
};
BH_ABI_ASSERT(sizeof(struct bh_policy_info) == 96);

#endif
