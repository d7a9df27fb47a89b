/* SPDX-License-Identifier: Apache-2.0 */
/** Trusted questions that wait, and the one that is shown: which page of it, which choice is
 * marked, from when on keys count, how long it stays. No key that was meant for a guest answers:
 * after a page is seen, SWITCHER_DEAD_MS must pass without a key going down before the first one
 * counts. Only who had all pages on the screen can choose something else than the fallback.
 *
 *  Times are milliseconds of one clock that never goes back.
 */
#ifndef BH_QUESTION_H
#define BH_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "page.h"
#include "ui/proto/switcher.h"

/** A partition whose question ended with its fallback. */
struct question_pause {
	uint32_t part;
	uint64_t end_ms;
};

struct question_queue {
	unsigned count;
	struct switcher_question list[SWITCHER_QUESTIONS_MAX]; /* the first one is shown */
	struct page_metrics metrics;			       /* of the screen's pages */
	uint32_t choice;				       /* marked */
	uint32_t page, page_count;			       /* shown, from 0; of the question */
	uint32_t lines_seen; /* that were on the screen, from the first on */
	bool seen;	     /* on the screen: its time runs */
	bool page_seen;	     /* this page is */
	bool armed;	     /* keys count */
	uint64_t quiet_ms;   /* when it becomes armed */
	uint64_t end_ms;     /* when the fallback is taken; UINT64_MAX: never */
	struct question_pause pause[SWITCHER_PARTS_MAX]; /* a ring */
	unsigned pause_next;
	uint32_t seconds_left; /* until then, as it is drawn; 0: no limit */
};

enum question_change {
	QUESTION_SAME,
	QUESTION_REDRAW,   /* the card looks different */
	QUESTION_ANSWERED, /* the first one is gone; *ret_answer says how */
};

/** Queues a question that has passed message_decode_question(); one about the machine comes before
 * those about partitions that are not shown yet. False: too many wait or came lately, or its id is
 * taken. */
bool question_put(struct question_queue *queue, const struct switcher_question *question,
		  uint64_t now_ms);
/** True: it was the one that is shown. */
bool question_withdraw(struct question_queue *queue, uint32_t id);
/** Was all of the first one on the screen? */
bool question_is_read(const struct question_queue *queue);
/** The page of the first one is on the screen now. */
void question_see(struct question_queue *queue, uint64_t now_ms);
/** A key went down. It answers only after question_time() found that the dead time is over. */
enum question_change question_key(struct question_queue *queue, uint32_t code, uint64_t now_ms,
				  struct switcher_answer *ret_answer);
/** Time passed, and all keys until then were fed. */
enum question_change question_time(struct question_queue *queue, uint64_t now_ms,
				   struct switcher_answer *ret_answer);
/** When question_time() has something to do next; UINT64_MAX: never. */
uint64_t question_wake_ms(const struct question_queue *queue);
/** The answer to a question that cannot be put. */
struct switcher_answer question_refuse(const struct switcher_question *question);

#endif
