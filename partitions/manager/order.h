/* SPDX-License-Identifier: Apache-2.0 */
/** Which partition may start now: never-start, dependencies and conditions of the policy. */
#ifndef MANAGER_ORDER_H
#define MANAGER_ORDER_H

#include "part.h"
#include "when.h"

#define ORDER_WHY_SIZE 64u

/** Whether it may; if not, *why says what is in the way. A partition that another one comes after
 * has to run, and to be ready where the policy wants to hear that from it. */
bool order_may_start(const struct part *parts, unsigned int count, const struct part *part,
		     const struct when *when, char why[ORDER_WHY_SIZE]);
/** Starts those that are wanted and may, in their order. Returns how many. */
unsigned int order_start_wanted(struct part *parts, unsigned int count, const struct when *when);
/** Pauses those that run outside of their conditions, and resumes them inside. */
void order_hold(struct part *parts, unsigned int count, const struct when *when);

#endif
