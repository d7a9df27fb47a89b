/* SPDX-License-Identifier: Apache-2.0 */
/* Each rate is a meter that knows until when what has passed is paid for ("virtual scheduling" of
 * the generic cell rate algorithm). It may run ahead of the clock by the burst; a request passes
 * while the lead is smaller than that, and moves it by its own cost, however large. So a meter
 * needs no timer, no refilling and no request is too big to ever pass. */
#include "layer_throttle.h"

#include "fiber.h"

#include <errno.h>
#include <stdlib.h>

#define NS_PER_S     1000000000ull
#define BURST_NS     (NS_PER_S / 10)
#define BURST_NS_MAX (60 * NS_PER_S)
#define ZERO_STEP    (16u << 20)

struct meter {
	uint64_t rate;	   /* units a second; 0: does not measure */
	uint64_t burst_ns; /* lead that is allowed */
	uint64_t paid_ns;  /* the clock at which everything that passed is paid for */
};

struct pair {
	struct meter requests, bytes;
};

struct throttle_group {
	struct pair budget;
	uint64_t share_iops, share_bytes; /* sums over the members */
};

struct throttle {
	struct layer_hook hook;
	struct pair limit, share;
	struct throttle_group *group;
	const struct layer_clock *clock;
	struct fiber_mutex turn; /* held by the request that waits */
};

/* The time that `units` take; ends in the biggest value instead of overflowing. */
static uint64_t cost_ns(uint64_t units, uint64_t rate)
{
	uint64_t whole = units / rate, rest = units % rate;

	if (whole > UINT64_MAX / NS_PER_S / 4) {
		return UINT64_MAX / 4;
	}
	return whole * NS_PER_S + (uint64_t)((long double)rest * NS_PER_S / (long double)rate);
}

static struct meter meter_of(uint64_t rate, uint64_t burst)
{
	struct meter meter = {.rate = rate, .burst_ns = BURST_NS};

	if (rate && burst) {
		uint64_t ns = cost_ns(burst, rate);

		meter.burst_ns = ns < BURST_NS_MAX ? ns : BURST_NS_MAX;
	}
	if (!meter.burst_ns) {
		meter.burst_ns = 1; /* else nothing would ever pass */
	}
	return meter;
}

static struct pair pair_of(const struct throttle_rate *rate)
{
	return (struct pair){meter_of(rate->iops, rate->iops_burst),
			     meter_of(rate->bytes, rate->bytes_burst)};
}

/* 0: a request may pass now. */
static uint64_t meter_wait(const struct meter *meter, uint64_t now)
{
	if (!meter->rate || meter->paid_ns < now + meter->burst_ns) {
		return 0;
	}
	return meter->paid_ns - meter->burst_ns - now + 1;
}

static void meter_pay(struct meter *meter, uint64_t units, uint64_t now)
{
	if (meter->rate) {
		uint64_t from = meter->paid_ns > now ? meter->paid_ns : now;
		uint64_t cost = cost_ns(units, meter->rate);

		meter->paid_ns = cost < UINT64_MAX / 2 - from ? from + cost : UINT64_MAX / 2;
	}
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Pays one resource of the budget; returns how long the request has to wait for that. Paid is at
 * once, also what passes later: so the disks that wait have places one after the other. What passes
 * by share counts in the budget too; what a disk borrows from the budget does not count in its
 * share, or it would be held below its share after a while alone. */
static uint64_t pay_budget(struct meter *budget, struct meter *share, uint64_t units, uint64_t now)
{
	uint64_t wait = meter_wait(budget, now);

	if (share->rate) {
		uint64_t own = meter_wait(share, now);

		if (own <= wait) {
			meter_pay(share, units, now);
			wait = own;
		}
	}
	meter_pay(budget, units, now);
	return wait;
}

static uint64_t pay(struct throttle *throttle, uint64_t requests, uint64_t bytes, uint64_t now)
{
	uint64_t wait = larger(meter_wait(&throttle->limit.requests, now),
			       meter_wait(&throttle->limit.bytes, now));

	meter_pay(&throttle->limit.requests, requests, now);
	meter_pay(&throttle->limit.bytes, bytes, now);
	if (throttle->group) {
		struct pair *budget = &throttle->group->budget, *share = &throttle->share;

		wait = larger(wait, pay_budget(&budget->requests, &share->requests, requests, now));
		wait = larger(wait, pay_budget(&budget->bytes, &share->bytes, bytes, now));
	}
	return wait;
}

static void pass(struct throttle *throttle, uint64_t requests, uint64_t bytes)
{
	const struct layer_clock *clock = throttle->clock;
	uint64_t now = clock->now_ns(clock);
	uint64_t end = now + pay(throttle, requests, bytes, now);

	while (now < end) {
		clock->wait_ns(clock, end - now);
		now = clock->now_ns(clock);
	}
}

/* Large zeroing is paid in steps: else one request could lock the disk for hours. */
static int throttle_before(struct layer_hook *hook, struct layer_request *request)
{
	struct throttle *throttle = (struct throttle *)hook;
	uint64_t bytes = request->kind == LAYER_REQUEST_DISCARD ? 0 : request->size;

	if (request->kind == LAYER_REQUEST_FLUSH) {
		return 0;
	}
	fiber_mutex_lock(&throttle->turn);
	pass(throttle, 1, bytes < ZERO_STEP ? bytes : ZERO_STEP);
	while (bytes > ZERO_STEP) {
		bytes -= ZERO_STEP;
		pass(throttle, 0, bytes < ZERO_STEP ? bytes : ZERO_STEP);
	}
	fiber_mutex_unlock(&throttle->turn);
	return 0;
}

static void leave_group(struct throttle *throttle)
{
	if (throttle->group) {
		throttle->group->share_iops -= throttle->share.requests.rate;
		throttle->group->share_bytes -= throttle->share.bytes.rate;
	}
}

/* What the budget does not limit needs no share. */
static int join_group(struct throttle *throttle, struct throttle_group *group,
		      const struct throttle_rate *share)
{
	struct throttle_rate asked = *share;
	struct meter *requests = &group->budget.requests, *bytes = &group->budget.bytes;

	asked.iops = requests->rate ? asked.iops : 0;
	asked.bytes = bytes->rate ? asked.bytes : 0;
	if (asked.iops > requests->rate - group->share_iops ||
	    asked.bytes > bytes->rate - group->share_bytes) {
		return -EDQUOT;
	}
	throttle->group = group;
	throttle->share = pair_of(&asked);
	group->share_iops += asked.iops;
	group->share_bytes += asked.bytes;
	return 0;
}

static int throttle_close(struct layer *layer)
{
	leave_group((struct throttle *)layer);
	return layer_hook_close(layer);
}

static const struct layer_ops throttle_ops = {
	.name = "throttle",
	.read = layer_hook_read,
	.write = layer_hook_write,
	.zero = layer_hook_zero,
	.discard = layer_hook_discard,
	.flush = layer_hook_flush,
	.extent = layer_hook_extent,
	.close = throttle_close,
};

int layer_throttle_open(struct layer *below, const struct layer_throttle_limits *limits,
			struct layer **ret_layer)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));
	int rc = 0;

	if (!throttle) {
		return -ENOMEM;
	}
	layer_init_over(&throttle->hook.layer, &throttle_ops, below);
	throttle->hook.before = throttle_before;
	throttle->limit = pair_of(&limits->limit);
	throttle->clock = limits->clock ? limits->clock : &layer_clock_real;
	if (limits->group) {
		rc = join_group(throttle, limits->group, &limits->share);
	}
	if (rc < 0) {
		free(throttle);
		return rc;
	}
	*ret_layer = &throttle->hook.layer;
	return 0;
}

void layer_throttle_set_limit(struct layer *layer, const struct throttle_rate *limit)
{
	((struct throttle *)layer)->limit = pair_of(limit);
}

int throttle_group_create(const struct throttle_rate *budget, struct throttle_group **ret_group)
{
	struct throttle_group *group = calloc(1, sizeof(*group));

	if (!group) {
		return -ENOMEM;
	}
	group->budget = pair_of(budget);
	*ret_group = group;
	return 0;
}

void throttle_group_destroy(struct throttle_group *group)
{
	free(group);
}
