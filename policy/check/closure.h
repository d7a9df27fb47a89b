/* SPDX-License-Identifier: Apache-2.0 */
/** What reaches what, over any number of steps, and by which rules.
 *
 *  Edges, from where data is to where it can get: each row that allows (or asks, when questions
 *  count as open), in the direction of its kind and back where the kind goes both ways (network,
 *  usb, folder without readonly); a partition and a real device that it owns (both ways); a disk
 *  that one partition writes and another one has; a zone that carries to another. A path passes
 *  through partitions, roles and zones, but never through the control partition, nor through a zone
 *  that is trusted. Roles of real devices (pci, usb) pass on; input and output roles do not.
 *
 *  For one kind alone: the edges of its rows, for network those that carry too, no other ones.
 *
 *  As an earlier layer sees it, a zone of a later one is a part of the zones that it was taken out
 *  of: data goes between them. One of the user layer is trusted only where each of those is.
 */
#ifndef POLICY_CLOSURE_H
#define POLICY_CLOSURE_H

#include "cells.h"

enum closure_why { CLOSURE_RULE, CLOSURE_OWNS, CLOSURE_DISK, CLOSURE_CARRIES, CLOSURE_INSIDE };

struct closure_step {
	uint32_t from, to;
	enum closure_why why;
	enum text_kind kind; /* RULE */
	/* RULE: against the direction of the rule; OWNS: from the device; INSIDE: into the inner
	 * zone */
	bool back;
	uint32_t rule;	  /* RULE: index in model.rule; one that allows before one that asks */
	const char *disk; /* DISK: its file */
};

struct closure {
	uint32_t nodes;
	model_set direct[MODEL_NODES_MAX]; /* [from]: in one step, without itself */
	model_set reach[MODEL_NODES_MAX];  /* [from]: in one step or more */
	model_set pass;			   /* nodes that a path may go through */
	struct closure_step *step;	   /* [from * nodes + to] for each direct edge */
};

/** kind: TEXT_KINDS for all of them. Returns 0 or -ENOMEM. */
int closure_build(const struct model *model, const struct cells *cells, unsigned int kind,
		  bool ask_open, struct closure *ret_closure);
/** The same as `layer` sees it, for its assertions. */
int closure_build_for(const struct model *model, const struct cells *cells, unsigned int kind,
		      bool ask_open, enum text_layer layer, struct closure *ret_closure);
void closure_fini(struct closure *closure);
/** Shortest path. Returns the number of steps written (at most MODEL_NODES_MAX), 0: none, or from
 *  and to are the same. */
uint32_t closure_path(const struct closure *closure, uint32_t from, uint32_t to,
		      struct closure_step steps[MODEL_NODES_MAX]);
/** One step as a clause, for notes and explanations: "browser -> internet by rule web (allow
 *  network)". Writes at most `size` bytes, the closing 0 among them. */
void closure_step_text(const struct closure_step *step, const struct model *model, char *buffer,
		       size_t size);

#endif
