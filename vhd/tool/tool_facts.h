/* SPDX-License-Identifier: Apache-2.0 */
/** What info says beside the chain: encryption and its keys, the manifest, the owner. */
#ifndef VHD_TOOL_FACTS_H
#define VHD_TOOL_FACTS_H

#include "folder.h"
#include "keyslot.h"
#include "layer.h"
#include "tool.h"

/** Bytes at the start of the payload that the guest does not see; 0: not encrypted. */
uint64_t tool_facts_header(struct layer *payload);

/** Prints the facts and adds them to the result. What cannot be read is said, and no error. */
void tool_facts_show(struct tool *tool, struct folder *folder, const char *name,
		     struct layer *payload);

/** The key slots, a line each, and as "slots" of `object`. */
void tool_facts_show_slots(struct tool *tool, struct json_object *object, const char *indent,
			   const struct keyslot *slots, unsigned count);

#endif
