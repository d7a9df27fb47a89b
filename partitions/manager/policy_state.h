/* SPDX-License-Identifier: Apache-2.0 */
/** Which policy stays and which one is only tried: a state machine without clocks, files and
 * tables.
 *
 *  A policy that was applied is known by its generation, a number that grows; 0 is the one that
 * this machine booted with. One that touches the way to the machine itself is tried first: it needs
 * to be confirmed through each way that it touches, and ends at its deadline, at a revert, or with
 * the boot in which it began. The caller makes each change of the state lasting before it tells
 * anybody.
 */
#ifndef MANAGER_POLICY_STATE_H
#define MANAGER_POLICY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_BOOT_SIZE    40u /* of a boot's name, with the closing 0 */
#define POLICY_TRIAL_MS_MAX 86400000ull
#define POLICY_STATE_TEXT   256u /* bytes of the longest record */

/** Ways through which a change has to be confirmed. */
enum policy_need {
	POLICY_NEED_PROMPT = 1, /* the trusted prompt, with a real keyboard */
	POLICY_NEED_IT = 2,	/* somebody of IT, from where IT comes */
};

struct policy_state {
	uint32_t current;     /* generation that stays */
	uint32_t trial;	      /* generation that is tried, 0: none */
	uint32_t needs;	      /* bits of enum policy_need that are still open, 0 without a trial */
	uint64_t deadline_ms; /* of the trial, since the machine started */
	char boot[POLICY_BOOT_SIZE]; /* in which the trial began: [0-9a-f-] */
	uint32_t by;		     /* the user who began it, 0: IT, or no trial */
};

/** A new policy was loaded. Without needs it stays; else it is tried for so many seconds, by IT
 * unless the caller says by whom. False, and nothing changed, while another one is tried, or when
 * the generation is not newer. */
bool policy_state_begin(struct policy_state *state, uint32_t generation, uint32_t needs,
			uint64_t now_ms, uint64_t seconds, const char *boot);
/** Somebody confirmed through these ways. False: nothing was waiting for that. When nothing is open
 * any more, the trial is over and its policy stays. */
bool policy_state_confirm(struct policy_state *state, uint32_t way);
/** The trial ends and the policy before it counts again. False: none is tried. */
bool policy_state_revert(struct policy_state *state);
/** True when the trial has to be reverted by now. */
bool policy_state_is_due(const struct policy_state *state, uint64_t now_ms);
/** Until then; 0 without a trial. */
uint64_t policy_state_left_ms(const struct policy_state *state, uint64_t now_ms);
/** The caller started and read the state. True when its trial goes on: the same boot, in time. */
bool policy_state_goes_on(const struct policy_state *state, const char *boot, uint64_t now_ms);

/** The state as a record of a few lines. Returns its length. */
size_t policy_state_encode(const struct policy_state *state, char text[POLICY_STATE_TEXT]);
/** Returns 0, or -EBADMSG and *ret_state untouched for anything that encode does not write. */
int policy_state_decode(const char *text, size_t size, struct policy_state *ret_state);

#endif
