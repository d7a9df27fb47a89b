/* SPDX-License-Identifier: Apache-2.0 */
/** A policy from layers that stand in a test. */
#ifndef FAKES_POLICY_LAYERS_H
#define FAKES_POLICY_LAYERS_H

#include "compile.h"

/** Layers as text, ended by NULL. Fails the test when they do not hold. To be freed by
 * policy_layers_free(). */
struct compile *policy_layers(const char *first, ...);
void policy_layers_free(struct compile *compile);
/** Index of a node; fails the test when there is none. */
uint32_t policy_layers_node(const struct compile *compile, const char *name);

#endif
