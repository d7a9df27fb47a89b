/* SPDX-License-Identifier: Apache-2.0 */
/** Messages of bulkheadd and events of devices, mixed, through decoder and model. The first byte of
 * each record says which: 0..7 a message with that many fds, 8 a question (how many lines it has,
 * how many bytes are missing, its fields, and what its lines are made of again and again), 9 time
 * that passes (its second byte, in tenths of a second), 10 another screen, otherwise an event of
 * seven bytes.
 *
 *  Besides what each message and event may do: nothing of a question is left out of its pages, and
 * who answers with something else than the fallback had each page on the screen, and the last one
 * for as long as the dead time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ui/core/message.h"
#include "ui/core/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model model;
static struct effects effects;

#define PAGES_MAX  (SWITCHER_LINES_MAX * SWITCHER_LINE_SIZE)
#define WORDS	   64u /* that lines are made of */
#define ROWS_LINES 16u /* of a question whose rows are checked: time grows with their square */

/* The question that was shown before the event, as this file knows it. */
static struct {
	uint32_t fallback, line_count, page, drawn_count;
	bool drawn[PAGES_MAX];
	uint64_t drawn_ms; /* the page that is shown */
} shown;

static void obey(const struct switcher_msg *msg)
{
	uint32_t part = model_find(&model, msg->id);

	switch (msg->type) {
	case SWITCHER_ADD:
		model_add(&model, msg, &effects);
		break;
	case SWITCHER_STATE:
		model_state(&model, msg, &effects);
		break;
	case SWITCHER_REMOVE:
		model_remove(&model, part, &effects);
		break;
	case SWITCHER_WARNING:
		model_warning(&model, msg->text);
		break;
	case SWITCHER_WITHDRAW:
		model_withdraw(&model, msg->id);
		break;
	case SWITCHER_FOCUS:
		model_focus(&model, part, &effects);
		break;
	default:
		abort();
	}
}

/** Every letter is in one row, in order; only blanks between rows are in none. */
static void check_rows(const struct question_queue *queue)
{
	const struct switcher_question *question = &queue->list[0];
	uint32_t line = 0, at = 0;
	struct page page;

	for (uint32_t i = 0; i < queue->page_count; i++) {
		if (!page_make(&queue->metrics, question, i, &page) ||
		    page.row_count > queue->metrics.rows) {
			abort();
		}
		for (uint32_t k = 0; k < page.row_count; k++) {
			const struct page_row *row = &page.row[k];

			at += row->line == line ? (uint32_t)strspn(question->line[line] + at, " ")
						: 0;
			if (row->line == line + 1 && !question->line[line][at]) {
				line++;
				at = 0;
			}
			if (row->line != line || (row->begin != at && row->begin != 0)) {
				abort();
			}
			at = row->begin + row->size;
		}
	}
	if (queue->page_count && question->line_count &&
	    (line + 1 != question->line_count || page.line_end != question->line_count ||
	     question->line[line][at + strspn(question->line[line] + at, " ")])) {
		abort();
	}
}

/** After an event: a question that is shown newly, or a page. */
static void follow_question(void)
{
	const struct question_queue *queue = &model.questions;

	if (!model_asking(&model)) {
		return;
	}
	if (!queue->seen) {
		if (queue->list[0].line_count <= ROWS_LINES) {
			check_rows(queue);
		}
		memset(shown.drawn, 0, sizeof(shown.drawn));
		shown.drawn_count = 0;
	}
	shown.fallback = queue->list[0].fallback;
	shown.line_count = queue->list[0].line_count;
	shown.page = queue->page;
	if (queue->page >= (queue->page_count ? queue->page_count : 1) ||
	    (queue->choice != shown.fallback && shown.drawn_count != queue->page_count)) {
		abort();
	}
}

/** The page is drawn. */
static void see_question(bool drawn)
{
	if (!drawn || !model_asking(&model)) {
		return;
	}
	if (!model.questions.armed && !shown.drawn[shown.page]) {
		shown.drawn[shown.page] = true;
		shown.drawn_count++;
	}
	shown.drawn_ms = model.questions.page_seen ? model.questions.quiet_ms - SWITCHER_DEAD_MS
						   : UINT64_MAX;
}

static void check_answer(const struct switcher_answer *answer, uint32_t page_count)
{
	if (answer->choice >= SWITCHER_CHOICES_MAX) {
		abort();
	}
	if (answer->by == SWITCHER_BY_KEY && model.now_ms < shown.drawn_ms + SWITCHER_DEAD_MS) {
		abort();
	}
	if (answer->by != SWITCHER_BY_BUSY && answer->choice != shown.fallback &&
	    (answer->by != SWITCHER_BY_KEY || answer->lines != shown.line_count ||
	     shown.drawn_count != page_count || page_count == 0)) {
		abort();
	}
}

/** Input goes to one partition only, and the list never overflows. */
static void check(uint32_t page_count)
{
	bool drawn = false;

	if (effects.count >= EFFECTS_MAX) {
		abort();
	}
	for (unsigned i = 0; i < effects.count; i++) {
		const struct effect *e = &effects.list[i];

		if ((e->type == EFFECT_INPUT || e->type == EFFECT_POINTER) &&
		    e->part >= SWITCHER_PARTS_MAX) {
			abort();
		}
		if (e->type == EFFECT_ANSWER) {
			check_answer(&e->answer, page_count);
		}
	}
	if (model.focus != MODEL_PART_NONE && !model.parts[model.focus].used) {
		abort();
	}
	effects.count = 0;
	follow_question();
	model_frame(&model, &effects);
	for (unsigned i = 0; i < effects.count; i++) {
		drawn |= effects.list[i].type == EFFECT_QUESTION ||
			 effects.list[i].type == EFFECT_QUESTION_CARD;
		if (model_asking(&model) && effects.list[i].part != EFFECT_PART_NONE) {
			abort(); /* something of a guest beside a question */
		}
	}
	see_question(drawn);
	effects.count = 0;
}

/** Returns how many bytes of the record were used. */
static size_t take_question(const uint8_t *data, size_t size)
{
	static uint8_t packet[sizeof(struct switcher_question) + 8];
	static struct switcher_question question;
	size_t fields = SWITCHER_QUESTION_SIZE(0), used = 2, whole, words;

	if (size < used) {
		return size;
	}
	whole = SWITCHER_QUESTION_SIZE(data[0] % (SWITCHER_LINES_MAX + 1));
	memset(packet, 0, sizeof(packet));
	words = size - used < fields ? size - used : fields;
	memcpy(packet, data + used, words);
	used += words;
	words = size - used < WORDS ? size - used : WORDS;
	for (size_t i = fields; words && i < whole; i++) {
		packet[i] = data[used + i % words];
	}
	if (message_decode_question(packet, whole - data[1] % 4, 0, &question)) {
		model_ask(&model, &question, &effects);
	}
	return used + words;
}

static void take_event(const uint8_t *data)
{
	uint16_t code;
	int32_t value;

	memcpy(&code, data + 1, sizeof(code));
	memcpy(&value, data + 3, sizeof(value));
	model_input(&model, data[0] & 3, code, value, &effects);
}

static size_t take_record(uint8_t head, const uint8_t *data, size_t size)
{
	struct switcher_msg msg;
	size_t room = head < 8 ? sizeof(msg) : head == 9 ? 1 : head == 10 ? 2 : 7;
	size_t take = size < room ? size : room;

	if (head == 8) {
		return take_question(data, size);
	}
	if (head < 8) {
		if (message_decode_switcher(data, take, head, &msg)) {
			obey(&msg);
		}
	} else if (head == 9) {
		model_time(&model, model.now_ms + (take ? data[0] * 100u : 0), &effects);
	} else if (head == 10 && take == 2) {
		model_init(&model, 320 + data[0] * 8, 200 + data[1] * 4);
	} else if (head > 10 && take == 7) {
		take_event(data);
	}
	return take;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	model_init(&model, 1024, 768);
	effects.count = 0;
	while (size > 0) {
		uint32_t page_count = model.questions.page_count;
		size_t take = take_record(data[0], data + 1, size - 1);

		check(page_count);
		data += 1 + take;
		size -= 1 + take;
	}
	return 0;
}
