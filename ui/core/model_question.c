/* SPDX-License-Identifier: Apache-2.0 */
/** Trusted questions of the model; see model.h. While one waits, guests get no input and none of
 * their pixels is drawn: the inner rectangle and the strip are the question's.
 */
#include "model.h"
#include "model_private.h"

#include <string.h>

static void push_answer(struct effects *effects, const struct switcher_answer *answer)
{
	effects_push(effects, (struct effect){.type = EFFECT_ANSWER,
					      .part = EFFECT_PART_NONE,
					      .answer = *answer});
}

/** Another question is shown, or the partition again. */
static void change_view(struct model *model)
{
	model_change_labels(model);
	model->whole_dirty = true;
}

void model_set_letters(struct model *model, const uint8_t advance[PAGE_GLYPHS])
{
	memcpy(model->questions.metrics.advance, advance, PAGE_GLYPHS);
}

bool model_asking(const struct model *model)
{
	return model->questions.count > 0;
}

void model_ask(struct model *model, const struct switcher_question *question,
	       struct effects *effects)
{
	bool first = !model_asking(model);

	if (!question_put(&model->questions, question, model->now_ms)) {
		struct switcher_answer answer = question_refuse(question);

		push_answer(effects, &answer);
		return;
	}
	if (first) {
		model_release_all(model, effects);
		model->pointer_moved = false;
		model->wheel_moved = false;
		change_view(model);
	}
}

void model_withdraw(struct model *model, uint32_t id)
{
	if (question_withdraw(&model->questions, id)) {
		change_view(model);
	}
}

void model_withdraw_all(struct model *model)
{
	while (model_asking(model)) {
		model_withdraw(model, model->questions.list[0].id);
	}
}

static void follow(struct model *model, enum question_change change,
		   const struct switcher_answer *answer, struct effects *effects)
{
	switch (change) {
	case QUESTION_ANSWERED:
		push_answer(effects, answer);
		change_view(model);
		break;
	case QUESTION_REDRAW:
		model->card_dirty = true;
		break;
	case QUESTION_SAME:
		break;
	}
}

void model_question_key(struct model *model, uint32_t code, int32_t value, struct effects *effects)
{
	struct switcher_answer answer;

	if (value == 1 && !keys_is_button(code)) {
		follow(model, question_key(&model->questions, code, model->now_ms, &answer),
		       &answer, effects);
	}
}

void model_clock(struct model *model, uint64_t now_ms)
{
	model->now_ms = now_ms;
}

void model_time(struct model *model, uint64_t now_ms, struct effects *effects)
{
	struct switcher_answer answer;

	model->now_ms = now_ms;
	follow(model, question_time(&model->questions, now_ms, &answer), &answer, effects);
}

uint64_t model_wake_ms(const struct model *model)
{
	return question_wake_ms(&model->questions);
}

void model_question_frame(struct model *model, bool whole, bool card, struct effects *effects)
{
	if (whole || card) {
		effects_push(effects,
			     (struct effect){.type = whole ? EFFECT_QUESTION : EFFECT_QUESTION_CARD,
					     .part = EFFECT_PART_NONE,
					     .rect = model_inner(model)});
		question_see(&model->questions, model->now_ms);
	}
}
