/* SPDX-License-Identifier: Apache-2.0 */
/** The seam between bulkheadd and the switcher: one SOCK_SEQPACKET Unix socket pair (`--control-fd
 * N` of bulkhead-switcher) that carries struct switcher_msg, one to a packet, whatever the type;
 * fields that a type does not name are 0. bulkheadd is trusted to be honest but not to be free of
 * mistakes: a packet of another size, an unknown type or a value out of range is dropped with a
 * line in the log, its fds are closed, the connection stays. Questions and their answers have
 * structs of their own on the same socket.
 *
 *  The switcher outlives partitions. When the socket closes it goes on with the partitions that it
 * has, and drops its questions.
 */
#ifndef BH_SWITCHER_H
#define BH_SWITCHER_H

#include <stddef.h>
#include <stdint.h>

#define SWITCHER_PARTS_MAX 8u
#define SWITCHER_NAME_SIZE 32u /* bytes, with the closing 0; printable ASCII */
#define SWITCHER_TEXT_SIZE 64u /* the same */
#define SWITCHER_ORDER_MAX 9u  /* Super+1 .. Super+9 */

enum switcher_type {
	/** bulkheadd -> switcher: here is a partition: id, order, name, title, colour, pattern,
	 * fds. The fds that `fds` names come along (SCM_RIGHTS), in the order of its bits. With an
	 * id that is known already it takes the place of all of that (new sockets after a restart);
	 * state and focus stay. */
	SWITCHER_ADD = 1,
	/** bulkheadd -> switcher: id, state, progress, text. Before the first one a partition is
	 *  STOPPED. */
	SWITCHER_STATE = 2,
	/** bulkheadd -> switcher: id is gone for good; its sockets are closed. */
	SWITCHER_REMOVE = 3,
	/** bulkheadd -> switcher: the user asked by `bulkhead focus` for id. */
	SWITCHER_FOCUS = 4,
	/** switcher -> bulkheadd: the focus moved to id; tsc = time stamp counter when its pixels
	 * were on the screen. */
	SWITCHER_FOCUSED = 5,
	/** switcher -> bulkheadd: the screen is up, messages are served; width and height of the
	 * area that guests get. First message, sent once. */
	SWITCHER_READY = 6,
	/** bulkheadd -> switcher: text is a warning about the machine, shown in the strip beside
	 * every partition's name from now on; empty: no more. */
	SWITCHER_WARNING = 7,
	/** bulkheadd -> switcher, struct switcher_question: put it to the person at the keyboard.
	 * Each one gets exactly one ANSWER, unless it is withdrawn or the socket closes: a switcher
	 * that was started anew must be asked again. */
	SWITCHER_ASK = 8,
	/** switcher -> bulkheadd, struct switcher_answer. */
	SWITCHER_ANSWER = 9,
	/** bulkheadd -> switcher: the question id is not to be asked any more. No answer comes
	 * after this but one that is on its way already. */
	SWITCHER_WITHDRAW = 10,
};

enum switcher_state {
	SWITCHER_STOPPED = 0,
	SWITCHER_STARTING = 1, /* progress in percent, 0: not known */
	SWITCHER_RUNNING = 2,
	SWITCHER_PAUSED = 3,
	SWITCHER_FAILED = 4, /* text says why, as in "triple fault" */
};
#define SWITCHER_STATE_COUNT 5u

/** Drawn beside and over the colour, so that partitions differ on a grey screen too. */
enum switcher_pattern {
	SWITCHER_PLAIN = 0,
	SWITCHER_STRIPES = 1,
	SWITCHER_DOTS = 2,
	SWITCHER_CHECKS = 3,
	SWITCHER_WAVES = 4,
	SWITCHER_BARS = 5,
};
#define SWITCHER_PATTERN_COUNT 6u

enum switcher_fd {
	SWITCHER_FD_SURFACE = 1u << 0,	/* struct surface_msg, the switcher's end */
	SWITCHER_FD_KEYBOARD = 1u << 1, /* struct surface_input: EV_KEY */
	SWITCHER_FD_TABLET = 1u << 2,	/* struct surface_input: EV_ABS, BTN_*, REL_WHEEL */
};
#define SWITCHER_FDS_MAX 3u

struct switcher_msg {
	uint32_t type;
	uint32_t id;		/* the partition's number, any value, as in hypercalls */
	uint32_t order;		/* 1..SWITCHER_ORDER_MAX: the digit of its key; unique */
	uint32_t colour;	/* 0xRRGGBB */
	uint32_t pattern;	/* enum switcher_pattern */
	uint32_t state;		/* enum switcher_state */
	uint32_t progress;	/* percent, 0..100 */
	uint32_t fds;		/* bits of enum switcher_fd */
	uint32_t width, height; /* pixels, READY only */
	uint64_t tsc;
	char name[SWITCHER_NAME_SIZE];	/* "browser": what commands call it */
	char title[SWITCHER_NAME_SIZE]; /* "Browser": what people read */
	char text[SWITCHER_TEXT_SIZE];	/* one short line of state, may be empty */
};
_Static_assert(sizeof(struct switcher_msg) == 176, "switcher_msg");

/* So that no partition can keep the screen by asking: how many questions wait at a time, how many
 * of them about one partition (one place is kept for the machine), and how long none about a
 * partition is taken after one of it ended with its fallback. What is too much is answered BY_BUSY
 * at once. */
#define SWITCHER_QUESTIONS_MAX	    4u
#define SWITCHER_QUESTIONS_PART_MAX 2u
#define SWITCHER_PAUSE_MS	    5000u
#define SWITCHER_LINES_MAX	    128u /* of a question: what a person can be made to read */
#define SWITCHER_LINE_SIZE	    128u /* bytes, with the closing 0; printable ASCII */
#define SWITCHER_CHOICES_MAX	    3u
#define SWITCHER_CHOICE_SIZE	    24u	  /* bytes, with the closing 0; printable ASCII */
#define SWITCHER_SECONDS_MAX	    3600u /* of a question */
#define SWITCHER_NOBODY		    UINT32_MAX
#define SWITCHER_DEAD_MS	    500u /* without a key, before a page takes its first one */

/** A trusted question. While one is shown the inner rectangle holds nothing else, guests get no
 * keys, buttons or pointer, and only keys of real keyboards answer: Left, Right, Tab choose, Enter
 * takes the choice, Escape the fallback. The fallback is what is chosen when the question appears;
 * keys count after SWITCHER_DEAD_MS in which none went down.
 *
 *  Lines that do not fit are shown page by page (Down, Page Down, Up, Page Up), each page with a
 * dead time of its own. Until the last line was on the screen nothing but the fallback can be
 * chosen.
 *
 *  The packet ends behind the last line: SWITCHER_QUESTION_SIZE(line_count) bytes, so at most
 * sizeof(struct switcher_question). Who has more to say than SWITCHER_LINES_MAX lines does not ask:
 * a person who cannot see all of it cannot agree to it. */
struct switcher_question {
	uint32_t type;	       /* SWITCHER_ASK */
	uint32_t id;	       /* of the question; not that of one that waits */
	uint32_t part;	       /* the partition that it is about: its colour and pattern are shown;
				  SWITCHER_NOBODY: the machine */
	uint32_t choice_count; /* 2..SWITCHER_CHOICES_MAX */
	uint32_t fallback;     /* the safe choice */
	uint32_t seconds;      /* from when it appears until the fallback is taken; 0: no limit */
	uint32_t line_count;   /* 0..SWITCHER_LINES_MAX */
	char title[SWITCHER_TEXT_SIZE]; /* "Copy from Browser to Desktop?" */
	char choice[SWITCHER_CHOICES_MAX][SWITCHER_CHOICE_SIZE]; /* "Deny", "Allow once" */
	char line[SWITCHER_LINES_MAX][SWITCHER_LINE_SIZE];	 /* details; may be empty */
};
_Static_assert(sizeof(struct switcher_question) == 16548, "switcher_question");
#define SWITCHER_QUESTION_SIZE(line_count)                                                         \
	(sizeof(struct switcher_question) -                                                        \
	 (size_t)(SWITCHER_LINES_MAX - (line_count)) * SWITCHER_LINE_SIZE)

enum switcher_by {
	SWITCHER_BY_KEY = 0,  /* somebody pressed Enter or Escape */
	SWITCHER_BY_TIME = 1, /* nobody did */
	SWITCHER_BY_BUSY = 2, /* not shown: too many wait or came, or the id is taken */
};

struct switcher_answer {
	uint32_t type;	 /* SWITCHER_ANSWER */
	uint32_t id;	 /* of the question */
	uint32_t choice; /* index; the fallback unless BY_KEY */
	uint32_t by;	 /* enum switcher_by */
	uint64_t tsc;	 /* when the key went down */
	uint32_t lines;	 /* that were on the screen, from the first on: all of them, or bulkheadd
			    takes the fallback */
	uint32_t reserved;
};
_Static_assert(sizeof(struct switcher_answer) == 32, "switcher_answer");

#endif
