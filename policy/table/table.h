/* SPDX-License-Identifier: Apache-2.0 */
/** The compiled policy as daemons read it: opened once, validated wholly, then asked in constant
 *  time.
 *
 *  A table file is the part that root mode reads (hv/abi/policy.h) and behind it the part defined
 *  here; each bit is in docs/SPEC-policy.md. Nothing here knows the language; the numbers are those
 *  of the enums in policy/lang/text.h, which are part of the format. Bytes are little-endian.
 *  Sections follow the head in the order of struct table, without gaps.
 */
#ifndef POLICY_TABLE_TABLE_H
#define POLICY_TABLE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/policy.h"

#define TABLE_MAGIC	0x31304c464842ull /* "BHFL01" */
#define TABLE_SIZE_MAX	(64u << 20)	  /* bytes of both parts */
#define TABLE_NODES_MAX 64u
#define TABLE_DISKS_MAX 4u /* of a partition */
#define TABLE_KINDS	14u
#define TABLE_PERSONS	3u
#define TABLE_LAYERS	3u
#define TABLE_TITLE_MAX 31u /* bytes */
#define TABLE_ID_MAX	31u /* bytes, of a rule */
#define TABLE_NONE	UINT32_MAX

struct table_head { /* 88 bytes */
	uint64_t magic;
	uint64_t version[TABLE_LAYERS]; /* of each layer, 0 for one that is not there */
	uint32_t size;			/* bytes of this part, head included */
	uint32_t node_count, part_count, kind_count;
	uint32_t disk_count, match_count, prefix_count, limit_count;
	uint32_t row_count, rule_count, run_count;
	uint32_t string_size;	  /* bytes; each string ends with 0, the first one is empty */
	uint32_t confirm_seconds; /* for a provisional change */
	uint32_t layers;	  /* bits 1 << enum text_layer of those that are there */
};
_Static_assert(sizeof(struct table_head) == 88, "table_head");

enum table_type { TABLE_PART, TABLE_ROLE, TABLE_ZONE };

/** Partitions come first and have their number as partition id; 0 is control. */
struct table_node {	       /* 16 bytes */
	uint32_t name;	       /* string */
	uint32_t type;	       /* enum table_type */
	uint32_t first, count; /* matches of a role, disks of a partition; 0, 0 for a zone */
};

struct table_part {			  /* 64 bytes */
	uint64_t owns;			  /* bits of role nodes */
	uint64_t disk_rate, network_rate; /* bytes per second, 0 unlimited */
	uint32_t title;			  /* string, empty: none */
	uint32_t colour;		  /* 0xRRGGBB */
	uint8_t pattern, class, order, start;
	uint8_t health, run, guarantee, cache;
	uint16_t after; /* bits of partitions */
	uint16_t restart_count;
	uint32_t restart_seconds, health_seconds;
	uint32_t devices; /* bits of enum text_device */
	uint32_t reserved[2];
};
_Static_assert(sizeof(struct table_part) == 64, "table_part");

struct table_right { /* 8 bytes; [person * part_count + part] */
	uint32_t actions, keys;
};

struct table_disk {	/* 8 bytes */
	uint32_t file;	/* string */
	uint32_t flags; /* enum text_disk */
};

struct table_match { /* 24 bytes */
	uint32_t bus, class_code, class_mask, vendor, product, what;
};

struct table_prefix { /* 24 bytes; longest first, then by address */
	uint8_t address[16];
	uint32_t length; /* bits */
	uint32_t node;	 /* a zone */
};

struct table_limit { /* 32 bytes */
	uint64_t size_max, rate_max;
	uint32_t count_max, seconds_max;
	uint32_t flags; /* TABLE_LIMIT_* */
	uint32_t reserved;
};
#define TABLE_LIMIT_QUARANTINE 1u
#define TABLE_LIMIT_READONLY   2u

struct table_row {    /* 16 bytes; in a run by type, then by port, disjoint */
	uint8_t type; /* number of the type's bit */
	uint8_t verdict;
	uint16_t port_lo, port_hi; /* both included */
	uint16_t reserved;
	uint32_t rule;
	uint32_t limit; /* TABLE_NONE: no limits */
};

struct table_rule {    /* 20 bytes */
	uint32_t id;   /* string */
	uint32_t file; /* string */
	uint32_t line;
	uint32_t layer;
	uint32_t verdict;
};

/** Rows of one or more cells; run 0 is empty, the others follow each other in rows. */
struct table_run {
	uint32_t row, count;
};

/** An opened table. Points into the caller's bytes, which must stay and not change. */
struct table {
	const struct bh_policy *root;
	const struct bh_policy_part *root_part;
	const struct bh_policy_module *root_module;
	const struct bh_policy_device *root_device;
	const struct table_head *head;
	const struct table_node *node;
	const struct table_part *part;
	const struct table_right *right; /* TABLE_PERSONS * part_count */
	const struct table_disk *disk;
	const struct table_match *match;
	const struct table_prefix *prefix;
	const struct table_limit *limit;
	const struct table_row *row;
	const struct table_run *run;
	const struct table_rule *rule;
	const uint32_t *cell; /* [(kind * nodes + from) * nodes + to]: a run */
	const char *string;
};

struct table_query {
	uint32_t kind; /* enum text_kind */
	uint32_t from, to;
	uint32_t type; /* one bit; 1 for kinds without types */
	uint16_t port; /* 0 for kinds without ports */
};

struct table_answer {
	uint32_t verdict;		 /* enum text_verdict */
	uint32_t rule;			 /* TABLE_NONE: no rule says anything */
	const struct table_limit *limit; /* NULL: none */
};

/** bytes: 8-byte aligned, hostile; size is that of the whole file. Checks every field, order and
 *  reference, CRCs and the SHA-256. Returns 0, or -EBADMSG with a reason in *ret_why (a constant)
 * and *ret_table untouched. Linear in size. */
int table_open(const void *bytes, size_t size, struct table *ret_table, const char **ret_why);
/** The same for a file, read once into memory that *ret_bytes owns (free()). Returns 0 or -errno;
 *  *ret_why says why in each case. */
int table_load(const char *path, void **ret_bytes, struct table *ret_table, const char **ret_why);

/** Anything out of range is denied by no rule. Binary search within one run. */
void table_decide(const struct table *table, const struct table_query *query,
		  struct table_answer *ret_answer);
/** Index of a node, TABLE_NONE: there is none. */
uint32_t table_find(const struct table *table, const char *name);
/** Name of a node, "no-node" when out of range. */
const char *table_name(const struct table *table, uint32_t node);
/** Name for logs: the rule's id, "no-rule" for TABLE_NONE. */
const char *table_rule_id(const struct table *table, uint32_t rule);
/** Zone of an address (IPv4 as ::ffff:a.b.c.d): the longest prefix. TABLE_NONE: no zone. */
uint32_t table_zone(const struct table *table, const uint8_t address[16]);
/** First role in order whose match fits a device. TABLE_NONE: no role. A device on PCI or USB gives
 *  bus, class_code, vendor and product; one of input or output bus and what (it fits by any of its
 *  bits). class_mask is not looked at. */
uint32_t table_role(const struct table *table, const struct table_match *device);
/** Whether a person (enum text_person) may do all of `actions` with a partition. */
bool table_may(const struct table *table, uint32_t person, uint32_t part, uint32_t actions);
/** The same for changing all of `keys` (bits 1 << enum text_key). */
bool table_may_change(const struct table *table, uint32_t person, uint32_t part, uint32_t keys);

#endif
