/* SPDX-License-Identifier: Apache-2.0 */
/** What holds after layering, as lines of the language, each with where it comes from. */
#ifndef POLICY_EFFECTIVE_H
#define POLICY_EFFECTIVE_H

#include "compile.h"

struct effective_line {
	char *subject; /* what it is about: equal in two policies when it says the same thing
			  differently */
	char *text;    /* a statement, without the `default` before it */
	bool inside;   /* a property of the partition above it */
	bool claim;    /* an assertion */
	bool known;    /* origin counts */
	struct model_origin origin;
};

struct effective {
	struct effective_line *line;
	uint32_t count, room;
};

/** Everything but rules, rights and the head: devices, zones, partitions with their properties,
 * assertions. Returns 0 or -ENOMEM. */
int effective_facts(const struct compile *compile, struct effective *ret_facts);
/** Rights, one line per person for partitions with the same ones. */
int effective_rights(const struct compile *compile, struct effective *ret_rights);
/** All decisions as rules that do not overlap; their ids are unique. denied: also those that a
 * rule denies. */
int effective_rules(const struct compile *compile, bool denied, struct effective *ret_rules);
void effective_fini(struct effective *effective);

/** Names of the nodes in a set, in the caller's array. */
struct text_names effective_names(const struct model *model, model_set nodes,
				  struct text_name names[MODEL_NODES_MAX]);

/** Adds a statement in the language's own words. Takes `subject`, which may be NULL. */
int effective_add(struct effective *effective, const struct compile *compile,
		  const struct text_statement *statement, char *subject,
		  const struct model_origin *origin);

#endif
