/* SPDX-License-Identifier: Apache-2.0 */
/** The switcher without graphics: partitions, focus, surfaces, keys, pointer. Everything that
 * decides who is seen and who receives input is here and is tested without a screen.
 *
 *  Invariants: input effects name the focused partition only (releases at a switch: the old one,
 * before anything else); draw effects of a partition lie inside its place, which lies inside the
 * inner rectangle, whatever the guest says. While a question waits there are no input effects but
 * releases, and no draw effects of a partition.
 */
#ifndef BH_MODEL_H
#define BH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "damage.h"
#include "effect.h"
#include "keys.h"
#include "question.h"
#include "rect.h"
#include "ui/proto/surface.h"
#include "ui/proto/switcher.h"

#define MODEL_STRIP_HEIGHT 32 /* pixels */
#define MODEL_PART_NONE	   UINT32_MAX
#define MODEL_ABS_MAX	   32767 /* of the tablet's axes */

struct model_cursor {
	bool on;
	uint32_t hot_x, hot_y; /* in its image */
	int32_t x, y;	       /* of the hot spot, surface pixels */
};

struct model_part {
	bool used;
	uint32_t id;
	uint32_t order;
	uint32_t colour;
	enum switcher_pattern pattern;
	enum switcher_state state;
	uint32_t progress;
	char name[SWITCHER_NAME_SIZE];
	char title[SWITCHER_NAME_SIZE];
	char text[SWITCHER_TEXT_SIZE];

	bool surface_on;
	uint32_t surface_width, surface_height;
	struct damage damage; /* surface pixels */
	struct model_cursor cursor;
	int32_t pointer_x, pointer_y; /* surface pixels */
};

struct model {
	int32_t width, height; /* of the screen */
	struct model_part parts[SWITCHER_PARTS_MAX];
	uint32_t focus;	   /* index, MODEL_PART_NONE before the first partition */
	bool focus_chosen; /* by the user; until then the focus is the lowest order's */
	struct keys keys;
	bool pointer_moved; /* since the last SYN */
	bool wheel_moved;
	bool strip_dirty;
	bool whole_dirty;		  /* inner rectangle: everything in it */
	bool card_dirty;		  /* only the words of the panel that is shown */
	char warning[SWITCHER_TEXT_SIZE]; /* about the machine; empty: none */
	uint32_t label_version;		  /* counts changes of what strips say; never 0 */
	struct question_queue questions;
	uint64_t now_ms;
};

/** width, height: of the screen, height above MODEL_STRIP_HEIGHT. */
void model_init(struct model *model, int32_t width, int32_t height);
/** How wide letters of questions are; before the first question. Without it, as wide as can be. */
void model_set_letters(struct model *model, const uint8_t advance[PAGE_GLYPHS]);

/** The area that guests get, below the strip. */
struct rect model_inner(const struct model *model);

/** Index of the partition with this id or order; MODEL_PART_NONE when there is none. */
uint32_t model_find(const struct model *model, uint32_t id);
uint32_t model_find_order(const struct model *model, uint32_t order);

/** Does the focused partition show its own pixels, rather than a panel? */
bool model_part_live(const struct model_part *part);

/** Where on the screen the surface of a partition lies: centred when smaller than the inner
 * rectangle, cut off at right and bottom when larger. */
struct rect model_place(const struct model *model, const struct model_part *part);

/** SWITCHER_ADD: msg has passed message_decode_switcher(). Returns the index; MODEL_PART_NONE when
 * all places are taken or another partition has that order (nothing changed). A RESIZE effect for
 * the partition follows. */
uint32_t model_add(struct model *model, const struct switcher_msg *msg, struct effects *effects);
void model_state(struct model *model, const struct switcher_msg *msg, struct effects *effects);
void model_remove(struct model *model, uint32_t part, struct effects *effects);
void model_warning(struct model *model, const char *text);
void model_focus(struct model *model, uint32_t part, struct effects *effects);

/** SWITCHER_ASK, _WITHDRAW: the question has passed message_decode_question(). An ANSWER effect
 * follows sooner or later, unless it is withdrawn. */
void model_ask(struct model *model, const struct switcher_question *question,
	       struct effects *effects);
void model_withdraw(struct model *model, uint32_t id);
void model_withdraw_all(struct model *model);
/** Is a question shown? It is the first of model->questions. */
bool model_asking(const struct model *model);
/** Milliseconds of a clock that never goes back: model_clock() before each event and frame;
 * model_time() when no events are left, at the latest at model_wake_ms() (UINT64_MAX: no need). */
void model_clock(struct model *model, uint64_t now_ms);
void model_time(struct model *model, uint64_t now_ms, struct effects *effects);
uint64_t model_wake_ms(const struct model *model);

/** A surface message that has passed message_decode_surface() and whose memory, if any, is mapped.
 */
void model_surface(struct model *model, uint32_t part, const struct surface_msg *msg);
/** The surface connection of a partition ended. */
void model_surface_lost(struct model *model, uint32_t part);

/** One event from a device: EV_KEY, EV_REL, EV_ABS (ABS_X and ABS_Y in screen pixels), EV_SYN. */
void model_input(struct model *model, uint32_t type, uint32_t code, int32_t value,
		 struct effects *effects);
/** Releases all that the focused partition believes to be down (a device went away or lost events).
 */
void model_release_all(struct model *model, struct effects *effects);

/** Is there anything to draw? .._urgent: something that does not depend on a guest's pace. */
bool model_frame_due(const struct model *model);
bool model_frame_urgent(const struct model *model);
/** Draw effects for all that changed since the last frame. */
void model_frame(struct model *model, struct effects *effects);

#endif
