/* SPDX-License-Identifier: Apache-2.0 */
/** Starts in the order of the policy. */
#include "order.h"

#include <stdio.h>

#include "policy/lang/text.h"
#include "say.h"

static const struct part *missing(const struct part *parts, unsigned int count, uint32_t after)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct part *part = &parts[i];
		bool up = part->super.state == SUPER_RUNNING &&
			  (part->ready || !part->config.ready_seconds);

		if ((after >> part->config.id & 1u) && !up) {
			return part;
		}
	}
	return NULL;
}

bool order_may_start(const struct part *parts, unsigned int count, const struct part *part,
		     const struct when *when, char why[ORDER_WHY_SIZE])
{
	const struct part *first = missing(parts, count, part->config.after);
	const char *word = when_missing(when, part->config.run);

	if (part->config.start == TEXT_START_NEVER) {
		snprintf(why, ORDER_WHY_SIZE, "the policy never starts %s", part->config.name);
		return false;
	}
	if (first) {
		snprintf(why, ORDER_WHY_SIZE, "%s must run first", first->config.name);
		return false;
	}
	if (word) {
		snprintf(why, ORDER_WHY_SIZE, "%s runs only %s", part->config.name, word);
		return false;
	}
	return true;
}

unsigned int order_start_wanted(struct part *parts, unsigned int count, const struct when *when)
{
	unsigned int started = 0;
	char why[ORDER_WHY_SIZE];

	for (unsigned int i = 0; i < count; i++) {
		struct part *part = &parts[i];

		if (part->wanted && order_may_start(parts, count, part, when, why)) {
			part->wanted = false;
			started += part_start(part) == 0;
		}
	}
	return started;
}

void order_hold(struct part *parts, unsigned int count, const struct when *when)
{
	for (unsigned int i = 0; i < count; i++) {
		struct part *part = &parts[i];
		const char *word = when_missing(when, part->config.run);

		if (word && part->super.state == SUPER_RUNNING && !part->paused &&
		    part_pause(part) == 0) {
			part->held = true;
			say("%s paused: it runs only %s", part->config.name, word);
		} else if (!word && part->held && part_resume(part) == 0) {
			say("%s goes on", part->config.name);
		}
	}
}
