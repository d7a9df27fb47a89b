/* SPDX-License-Identifier: Apache-2.0 */
/** Provisional changes of policy, and their record. */
#include "policy_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NEEDS_ALL ((uint32_t)(POLICY_NEED_PROMPT | POLICY_NEED_IT))

static bool is_boot(const char *boot)
{
	size_t size = strlen(boot);

	return size > 0 && size < POLICY_BOOT_SIZE && strspn(boot, "0123456789abcdef-") == size;
}

static void end_trial(struct policy_state *state)
{
	*state = (struct policy_state){.current = state->current};
}

bool policy_state_begin(struct policy_state *state, uint32_t generation, uint32_t needs,
			uint64_t now_ms, uint64_t seconds, const char *boot)
{
	uint64_t ms = seconds < POLICY_TRIAL_MS_MAX / 1000 ? seconds * 1000 : POLICY_TRIAL_MS_MAX;

	if (state->trial || generation <= state->current || (needs && !is_boot(boot))) {
		return false;
	}
	if (!(needs & NEEDS_ALL)) {
		state->current = generation;
		return true;
	}
	state->trial = generation;
	state->needs = needs & NEEDS_ALL;
	state->deadline_ms = now_ms + ms;
	snprintf(state->boot, sizeof(state->boot), "%s", boot);
	return true;
}

bool policy_state_confirm(struct policy_state *state, uint32_t way)
{
	if (!state->trial || !(state->needs & way)) {
		return false;
	}
	state->needs &= ~way;
	if (!state->needs) {
		state->current = state->trial;
		end_trial(state);
	}
	return true;
}

bool policy_state_revert(struct policy_state *state)
{
	if (!state->trial) {
		return false;
	}
	end_trial(state);
	return true;
}

bool policy_state_is_due(const struct policy_state *state, uint64_t now_ms)
{
	return state->trial && now_ms >= state->deadline_ms;
}

uint64_t policy_state_left_ms(const struct policy_state *state, uint64_t now_ms)
{
	return state->trial && now_ms < state->deadline_ms ? state->deadline_ms - now_ms : 0;
}

bool policy_state_goes_on(const struct policy_state *state, const char *boot, uint64_t now_ms)
{
	uint64_t left = policy_state_left_ms(state, now_ms);

	return left > 0 && left <= POLICY_TRIAL_MS_MAX && !strcmp(state->boot, boot);
}

size_t policy_state_encode(const struct policy_state *state, char text[POLICY_STATE_TEXT])
{
	int size = snprintf(text, POLICY_STATE_TEXT,
			    "bulkhead-policy-state 1\ncurrent %" PRIu32 "\ntrial %" PRIu32
			    " %" PRIu32 " %" PRIu64 " %s\n",
			    state->current, state->trial, state->needs, state->deadline_ms,
			    state->trial ? state->boot : "-");

	if (state->by) {
		size += snprintf(text + size, POLICY_STATE_TEXT - (size_t)size, "by %" PRIu32 "\n",
				 state->by);
	}
	return (size_t)size;
}

/* Whatever encode would not write again as it stands is refused, so there is one reading only. */
int policy_state_decode(const char *text, size_t size, struct policy_state *ret_state)
{
	struct policy_state state = {0};
	char copy[POLICY_STATE_TEXT], again[POLICY_STATE_TEXT];

	if (size == 0 || size >= sizeof(copy)) {
		return -EBADMSG;
	}
	memcpy(copy, text, size);
	copy[size] = 0;
	if (sscanf(copy,
		   "bulkhead-policy-state 1\ncurrent %" SCNu32 "\ntrial %" SCNu32 " %" SCNu32
		   " %" SCNu64 " %39s\nby %" SCNu32 "\n",
		   &state.current, &state.trial, &state.needs, &state.deadline_ms, state.boot,
		   &state.by) < 5) {
		return -EBADMSG;
	}
	if (state.trial ? !is_boot(state.boot) || !state.needs || (state.needs & ~NEEDS_ALL) ||
				  state.trial <= state.current
			: state.needs || state.deadline_ms || state.by || strcmp(state.boot, "-")) {
		return -EBADMSG;
	}
	if (!state.trial) {
		state.boot[0] = 0;
	}
	if (policy_state_encode(&state, again) != size || memcmp(again, text, size)) {
		return -EBADMSG;
	}
	*ret_state = state;
	return 0;
}
