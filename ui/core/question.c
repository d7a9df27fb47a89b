/* SPDX-License-Identifier: Apache-2.0 */
/** Trusted questions; see question.h. */
#include "question.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define SECOND_MS 1000u

static void begin(struct question_queue *queue)
{
	queue->choice = queue->count ? queue->list[0].fallback : 0;
	queue->seen = false;
	queue->armed = false;
	queue->quiet_ms = 0;
	queue->end_ms = UINT64_MAX;
	queue->seconds_left = queue->count ? queue->list[0].seconds : 0;
}

static void drop(struct question_queue *queue, unsigned index)
{
	queue->count--;
	memmove(&queue->list[index], &queue->list[index + 1],
		(queue->count - index) * sizeof(queue->list[0]));
	if (index == 0) {
		begin(queue);
	}
}

bool question_put(struct question_queue *queue, const struct switcher_question *question)
{
	for (unsigned i = 0; i < queue->count; i++) {
		if (queue->list[i].id == question->id) {
			return false;
		}
	}
	if (queue->count == SWITCHER_QUESTIONS_MAX) {
		return false;
	}
	queue->list[queue->count++] = *question;
	if (queue->count == 1) {
		begin(queue);
	}
	return true;
}

bool question_withdraw(struct question_queue *queue, uint32_t id)
{
	for (unsigned i = 0; i < queue->count; i++) {
		if (queue->list[i].id == id) {
			drop(queue, i);
			return i == 0;
		}
	}
	return false;
}

void question_see(struct question_queue *queue, uint64_t now_ms)
{
	if (queue->count && !queue->seen) {
		queue->seen = true;
		queue->quiet_ms = now_ms + SWITCHER_DEAD_MS;
		if (queue->list[0].seconds) {
			queue->end_ms = now_ms + (uint64_t)queue->list[0].seconds * SECOND_MS;
		}
	}
}

static enum question_change answer(struct question_queue *queue, uint32_t choice,
				   enum switcher_by by, struct switcher_answer *ret_answer)
{
	*ret_answer = (struct switcher_answer){
		.type = SWITCHER_ANSWER, .id = queue->list[0].id, .choice = choice, .by = by};
	drop(queue, 0);
	return QUESTION_ANSWERED;
}

static enum question_change mark(struct question_queue *queue, uint32_t step)
{
	queue->choice = (queue->choice + step) % queue->list[0].choice_count;
	return QUESTION_REDRAW;
}

enum question_change question_key(struct question_queue *queue, uint32_t code, uint64_t now_ms,
				  struct switcher_answer *ret_answer)
{
	if (!queue->count || !queue->seen) {
		return QUESTION_SAME;
	}
	/* Also when the time is over: what waited in a device's queue was not meant for this. */
	if (!queue->armed) {
		queue->quiet_ms = now_ms + SWITCHER_DEAD_MS;
		return QUESTION_SAME;
	}
	switch (code) {
	case KEY_LEFT:
		return mark(queue, queue->list[0].choice_count - 1);
	case KEY_RIGHT:
	case KEY_TAB:
		return mark(queue, 1);
	case KEY_ENTER:
	case KEY_KPENTER:
		return answer(queue, queue->choice, SWITCHER_BY_KEY, ret_answer);
	case KEY_ESC:
		return answer(queue, queue->list[0].fallback, SWITCHER_BY_KEY, ret_answer);
	default:
		return QUESTION_SAME;
	}
}

enum question_change question_time(struct question_queue *queue, uint64_t now_ms,
				   struct switcher_answer *ret_answer)
{
	enum question_change change = QUESTION_SAME;

	if (!queue->count || !queue->seen) {
		return QUESTION_SAME;
	}
	if (now_ms >= queue->end_ms) {
		return answer(queue, queue->list[0].fallback, SWITCHER_BY_TIME, ret_answer);
	}
	if (!queue->armed && now_ms >= queue->quiet_ms) {
		queue->armed = true;
		change = QUESTION_REDRAW;
	}
	if (queue->end_ms != UINT64_MAX) {
		uint64_t left = (queue->end_ms - now_ms + SECOND_MS - 1) / SECOND_MS;

		if (left != queue->seconds_left) {
			queue->seconds_left = (uint32_t)left;
			change = QUESTION_REDRAW;
		}
	}
	return change;
}

uint64_t question_wake_ms(const struct question_queue *queue)
{
	uint64_t wake = UINT64_MAX;

	if (!queue->count || !queue->seen) {
		return wake;
	}
	if (!queue->armed) {
		wake = queue->quiet_ms;
	}
	if (queue->end_ms != UINT64_MAX) {
		/* When one second less is left. */
		uint64_t next = queue->end_ms - (uint64_t)(queue->seconds_left - 1) * SECOND_MS;

		wake = next < wake ? next : wake;
	}
	return wake;
}

struct switcher_answer question_refuse(const struct switcher_question *question)
{
	return (struct switcher_answer){.type = SWITCHER_ANSWER,
					.id = question->id,
					.choice = question->fallback,
					.by = SWITCHER_BY_BUSY};
}
