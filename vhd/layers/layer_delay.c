/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait before they are passed on. */
#include "layer_delay.h"

#include <errno.h>
#include <stdlib.h>

struct delay {
	struct layer_hook hook;
	struct layer_delay plan;
};

static int delay_before(struct layer_hook *hook, struct layer_request *request)
{
	const struct layer_delay *plan = &((struct delay *)hook)->plan;
	const struct layer_clock *clock = plan->clock;
	uint64_t span = plan->ns[request->kind];
	uint64_t end, now;

	if (!span || (plan->size && request->offset - plan->offset >= plan->size)) {
		return 0;
	}
	now = clock->now_ns(clock);
	end = now + span;
	while (now < end) {
		clock->wait_ns(clock, end - now);
		now = clock->now_ns(clock);
	}
	return 0;
}

static const struct layer_ops delay_ops = LAYER_HOOK_OPS("delay");

int layer_delay_open(struct layer *below, const struct layer_delay *plan, struct layer **ret_layer)
{
	struct delay *delay = calloc(1, sizeof(*delay));

	if (!delay) {
		return -ENOMEM;
	}
	layer_init_over(&delay->hook.layer, &delay_ops, below);
	delay->hook.before = delay_before;
	delay->plan = *plan;
	delay->plan.clock = plan->clock ? plan->clock : &layer_clock_real;
	*ret_layer = &delay->hook.layer;
	return 0;
}
