/* SPDX-License-Identifier: Apache-2.0 */
/** A whole policy table made by hand: control, desktop, browser, role webcam, zones lan and all.
 *
 *  A test changes what it wants and seals again; each section is an array with room for more.
 */
#ifndef TESTS_TABLE_SAMPLE_H
#define TESTS_TABLE_SAMPLE_H

#include "table.h"

#define SAMPLE_PARTS   3u
#define SAMPLE_NODES   6u
#define SAMPLE_CELLS   (TABLE_KINDS * SAMPLE_NODES * SAMPLE_NODES)
#define SAMPLE_STRINGS 260u /* so that nothing is left behind them */

enum { SAMPLE_CONTROL, SAMPLE_DESKTOP, SAMPLE_BROWSER, SAMPLE_WEBCAM, SAMPLE_LAN, SAMPLE_ALL };
enum { SAMPLE_RULE_LAN, SAMPLE_RULE_WEB, SAMPLE_RULE_PASTE }; /* deny, allow, ask */
enum { SAMPLE_KIND_CLIPBOARD = 0, SAMPLE_KIND_NETWORK = 4 };

/** Sections in their order; no padding between them. */
struct table_sample {
	struct bh_policy root;
	struct bh_policy_part root_part[SAMPLE_PARTS];
	struct bh_policy_module root_module[1];
	struct bh_policy_device root_device[1];
	struct table_head head;
	struct table_node node[SAMPLE_NODES];
	struct table_part part[SAMPLE_PARTS];
	struct table_right right[TABLE_PERSONS * SAMPLE_PARTS];
	struct table_disk disk[2];
	struct table_match match[2];
	struct table_prefix prefix[5];
	struct table_limit limit[1];
	struct table_row row[6];
	struct table_run run[4];
	struct table_rule rule[3];
	uint32_t cell[SAMPLE_CELLS];
	char string[SAMPLE_STRINGS];
};
_Static_assert(sizeof(struct table_sample) ==
		       offsetof(struct table_sample, string) + SAMPLE_STRINGS,
	       "table_sample");

/** Fills in the table that the constants above describe, sealed. */
void table_sample_init(struct table_sample *sample);
/** Makes CRCs and hash right again. */
void table_sample_seal(struct table_sample *sample);
/** Offset of a string that is there; a test ends when it is not. */
uint32_t table_sample_string(const struct table_sample *sample, const char *text);

#endif
