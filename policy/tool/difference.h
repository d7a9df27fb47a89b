/* SPDX-License-Identifier: Apache-2.0 */
/** Two policies compared by what they decide, not by their lines. */
#ifndef POLICY_DIFFERENCE_H
#define POLICY_DIFFERENCE_H

#include "compile.h"

/** In the order in which they are shown: what is new and open first. */
enum difference_section {
	DIFFERENCE_POSSIBLE,
	DIFFERENCE_UNASKED,
	DIFFERENCE_REACH,
	DIFFERENCE_UNPROVED,
	DIFFERENCE_RIGHT_GIVEN,
	DIFFERENCE_IMPOSSIBLE,
	DIFFERENCE_ASKED,
	DIFFERENCE_UNREACH,
	DIFFERENCE_PROVED,
	DIFFERENCE_RIGHT_TAKEN,
	DIFFERENCE_LIMIT,
	DIFFERENCE_FACT,
};
#define DIFFERENCE_SECTIONS 12u

struct difference_line {
	enum difference_section section;
	char *text;
};

struct difference {
	struct difference_line *line;
	uint32_t count, room;
};

/** Nodes are the same when they have the same name and are of the same type. Returns 0 or -ENOMEM.
 */
int difference_build(const struct compile *old, const struct compile *new,
		     struct difference *ret_difference);
void difference_fini(struct difference *difference);
/** Adds a line, printf-like. Returns 0 or -ENOMEM. */
__attribute__((format(printf, 3, 4))) int difference_add(struct difference *difference,
							 enum difference_section section,
							 const char *format, ...);
/** Parts of the above: flows and what data reaches. */
int difference_add_flows(const struct compile *old, const struct compile *new,
			 struct difference *difference);
int difference_add_reach(const struct compile *old, const struct compile *new,
			 struct difference *difference);

#endif
