/* SPDX-License-Identifier: Apache-2.0 */
/** What a change of policy says at the trusted prompt: all of it, the most dangerous first. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "policy_private.h"

_Static_assert(POLICY_DIFF_MAX == 1024 && SWITCHER_LINES_MAX == 128, "said below");
#define STEPS "apply it in smaller steps, or make it part of the boot image"

const char *policy_prompt_refuse(const struct policy_diff *diff, const struct policy_held *before,
				 const struct policy_held *after)
{
	if (before->layer[TEXT_USER].there && !after->layer[TEXT_USER].there) {
		return NULL;
	}
	if (diff->more) {
		return "it changes more than 1024 things, which nobody can review: " STEPS;
	}
	if (diff->needs & POLICY_NEED_PROMPT && diff->count > SWITCHER_LINES_MAX) {
		return "it touches keys or screen and changes more than 128 things, which is more "
		       "than the person at the keyboard can be shown: " STEPS;
	}
	return NULL;
}

static void write_line(const struct policy_diff_item *item, char line[SWITCHER_LINE_SIZE])
{
	static const char *const whens[] = {[POLICY_DIFF_NOW] = "",
					    [POLICY_DIFF_START] = ", from its next start",
					    [POLICY_DIFF_BOOT] = ", from the next boot"};
	int size = snprintf(line, SWITCHER_LINE_SIZE, "%s %s%s",
			    policy_diff_effect_word(item->effect), item->text, whens[item->when]);

	if (size >= (int)SWITCHER_LINE_SIZE) {
		strcpy(line + SWITCHER_LINE_SIZE - 4, "...");
	}
}

/* Nobody else can make a list that long: policy_prompt_refuse(). */
static void write_rest(uint32_t rest, char line[SWITCHER_LINE_SIZE])
{
	snprintf(line, SWITCHER_LINE_SIZE,
		 "AND %u MORE that do not fit: the user's layer is left out, what vendor and IT "
		 "signed counts",
		 rest);
}

void policy_prompt_make(const struct policy_diff *diff, uint64_t left_ms,
			struct switcher_question *ret_question)
{
	struct switcher_question question = {.part = SWITCHER_NOBODY,
					     .choice_count = 2,
					     .fallback = 0,
					     .title = "Keep the new policy?",
					     .choice = {"Take it back", "Keep it"}};
	uint32_t all = diff->count + diff->more, told = all;
	uint64_t seconds = left_ms / 1000 + 1;

	question.seconds =
		seconds < SWITCHER_SECONDS_MAX ? (uint32_t)seconds : SWITCHER_SECONDS_MAX;
	if (all > SWITCHER_LINES_MAX) {
		told = SWITCHER_LINES_MAX - 1;
		write_rest(all - told, question.line[told]);
	}
	for (uint32_t i = 0; i < told; i++) {
		write_line(&diff->item[i], question.line[i]);
	}
	question.line_count = told < all ? told + 1 : told;
	*ret_question = question;
}
