/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that fail by plan instead of being passed on. */
#include "layer_fault.h"

#include <errno.h>
#include <stdlib.h>

struct fault {
	struct layer_hook hook;
	struct layer_fault plans[LAYER_FAULT_PLANS];
	unsigned plan_count;
	uint64_t failed_count;
};

static bool touches(const struct layer_fault *plan, const struct layer_request *request)
{
	if (!(plan->kinds & LAYER_REQUEST_BIT(request->kind))) {
		return false;
	}
	if (plan->size == 0) {
		return true;
	}
	return request->offset < plan->offset
		       ? plan->offset - request->offset < request->size
		       : request->offset - plan->offset < plan->size && request->size > 0;
}

static bool wants_to_fail(struct layer_fault *plan, const struct layer_request *request)
{
	if (!touches(plan, request)) {
		return false;
	}
	if (plan->skip) {
		plan->skip--;
		return false;
	}
	if (plan->count && plan->count != LAYER_FAULT_EVER) {
		plan->count--;
		return true;
	}
	return plan->count != 0;
}

static int fault_before(struct layer_hook *hook, struct layer_request *request)
{
	struct fault *fault = (struct fault *)hook;

	for (unsigned i = 0; i < fault->plan_count; i++) {
		if (wants_to_fail(&fault->plans[i], request)) {
			fault->failed_count++;
			return fault->plans[i].error;
		}
	}
	return 0;
}

static const struct layer_ops fault_ops = LAYER_HOOK_OPS("fault");

int layer_fault_open(struct layer *below, struct layer **ret_layer)
{
	struct fault *fault = calloc(1, sizeof(*fault));

	if (!fault) {
		return -ENOMEM;
	}
	layer_init_over(&fault->hook.layer, &fault_ops, below);
	fault->hook.before = fault_before;
	*ret_layer = &fault->hook.layer;
	return 0;
}

int layer_fault_add(struct layer *layer, const struct layer_fault *plan)
{
	struct fault *fault = (struct fault *)layer;

	if (!(plan->kinds & LAYER_REQUEST_ALL) || !plan->count || plan->error >= 0) {
		return -EINVAL;
	}
	if (fault->plan_count == LAYER_FAULT_PLANS) {
		return -ENOSPC;
	}
	fault->plans[fault->plan_count++] = *plan;
	return 0;
}

void layer_fault_clear(struct layer *layer)
{
	((struct fault *)layer)->plan_count = 0;
}

uint64_t layer_fault_get_count(const struct layer *layer)
{
	return ((const struct fault *)layer)->failed_count;
}
