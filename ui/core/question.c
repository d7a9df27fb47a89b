/* SPDX-License-Identifier: Apache-2.0 */
/** Trusted questions; see question.h. */
#include "question.h"

#include <linux/input-event-codes.h>
#include <string.h>

#define SECOND_MS 1000u

static void begin(struct question_queue *queue)
{
	queue->choice = queue->count ? queue->list[0].fallback : 0;
	queue->page = 0;
	queue->page_count = queue->count ? page_count(&queue->metrics, &queue->list[0]) : 0;
	queue->lines_seen = 0;
	queue->seen = false;
	queue->page_seen = false;
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

static bool is_paused(const struct question_queue *queue, uint32_t part, uint64_t now_ms)
{
	for (unsigned i = 0; i < SWITCHER_PARTS_MAX; i++) {
		if (queue->pause[i].part == part && now_ms < queue->pause[i].end_ms) {
			return true;
		}
	}
	return false;
}

static bool has_room(const struct question_queue *queue, const struct switcher_question *question,
		     uint64_t now_ms)
{
	bool machine = question->part == SWITCHER_NOBODY;
	unsigned of_parts = 0, of_part = 0;

	for (unsigned i = 0; i < queue->count; i++) {
		if (queue->list[i].id == question->id) {
			return false;
		}
		of_parts += queue->list[i].part != SWITCHER_NOBODY;
		of_part += queue->list[i].part == question->part;
	}
	if (queue->count == SWITCHER_QUESTIONS_MAX) {
		return false;
	}
	return machine ||
	       (of_parts < SWITCHER_QUESTIONS_MAX - 1 && of_part < SWITCHER_QUESTIONS_PART_MAX &&
		!is_paused(queue, question->part, now_ms));
}

/* Behind the one that is shown and others about the machine. */
static unsigned place_of(const struct question_queue *queue,
			 const struct switcher_question *question)
{
	unsigned place = queue->count ? 1 : 0;

	if (question->part != SWITCHER_NOBODY) {
		return queue->count;
	}
	while (place < queue->count && queue->list[place].part == SWITCHER_NOBODY) {
		place++;
	}
	return place;
}

bool question_put(struct question_queue *queue, const struct switcher_question *question,
		  uint64_t now_ms)
{
	unsigned place = place_of(queue, question);

	if (!has_room(queue, question, now_ms)) {
		return false;
	}
	memmove(&queue->list[place + 1], &queue->list[place],
		(queue->count - place) * sizeof(queue->list[0]));
	queue->list[place] = *question;
	queue->count++;
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

bool question_is_read(const struct question_queue *queue)
{
	return queue->count && queue->seen && queue->page_count > 0 &&
	       queue->lines_seen == queue->list[0].line_count;
}

static void see_page(struct question_queue *queue, uint64_t now_ms)
{
	struct page page;

	queue->page_seen = true;
	queue->quiet_ms = now_ms + SWITCHER_DEAD_MS;
	if (page_make(&queue->metrics, &queue->list[0], queue->page, &page) &&
	    page.line_end > queue->lines_seen) {
		queue->lines_seen = page.line_end;
	}
}

void question_see(struct question_queue *queue, uint64_t now_ms)
{
	if (queue->count && !queue->seen) {
		queue->seen = true;
		if (queue->list[0].seconds) {
			queue->end_ms = now_ms + (uint64_t)queue->list[0].seconds * SECOND_MS;
		}
	}
	if (queue->count && !queue->page_seen) {
		see_page(queue, now_ms);
	}
}

static void pause_part(struct question_queue *queue, uint32_t part, uint64_t now_ms)
{
	if (part != SWITCHER_NOBODY) {
		queue->pause[queue->pause_next] =
			(struct question_pause){.part = part, .end_ms = now_ms + SWITCHER_PAUSE_MS};
		queue->pause_next = (queue->pause_next + 1) % SWITCHER_PARTS_MAX;
	}
}

static enum question_change answer(struct question_queue *queue, uint32_t choice,
				   enum switcher_by by, uint64_t now_ms,
				   struct switcher_answer *ret_answer)
{
	if (choice == queue->list[0].fallback) {
		pause_part(queue, queue->list[0].part, now_ms);
	}
	*ret_answer = (struct switcher_answer){.type = SWITCHER_ANSWER,
					       .id = queue->list[0].id,
					       .choice = choice,
					       .by = by,
					       .lines = queue->lines_seen};
	drop(queue, 0);
	return QUESTION_ANSWERED;
}

/* Nobody agrees to what they have not seen. */
static enum question_change mark(struct question_queue *queue, uint32_t step)
{
	if (!question_is_read(queue)) {
		return QUESTION_SAME;
	}
	queue->choice = (queue->choice + step) % queue->list[0].choice_count;
	return QUESTION_REDRAW;
}

static enum question_change turn(struct question_queue *queue, uint32_t page)
{
	if (page >= queue->page_count) { /* also before the first one */
		return QUESTION_SAME;
	}
	queue->page = page;
	queue->page_seen = false;
	queue->armed = false;
	return QUESTION_REDRAW;
}

enum question_change question_key(struct question_queue *queue, uint32_t code, uint64_t now_ms,
				  struct switcher_answer *ret_answer)
{
	if (!queue->count || !queue->page_seen) {
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
	case KEY_UP:
	case KEY_PAGEUP:
		return turn(queue, queue->page - 1);
	case KEY_DOWN:
	case KEY_PAGEDOWN:
		return turn(queue, queue->page + 1);
	case KEY_ENTER:
	case KEY_KPENTER:
		return answer(queue, queue->choice, SWITCHER_BY_KEY, now_ms, ret_answer);
	case KEY_ESC:
		return answer(queue, queue->list[0].fallback, SWITCHER_BY_KEY, now_ms, ret_answer);
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
		return answer(queue, queue->list[0].fallback, SWITCHER_BY_TIME, now_ms, ret_answer);
	}
	if (!queue->armed && queue->page_seen && now_ms >= queue->quiet_ms) {
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
	if (!queue->armed && queue->page_seen) {
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
