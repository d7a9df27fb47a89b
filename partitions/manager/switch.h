/* SPDX-License-Identifier: Apache-2.0 */
/** The daemon's end of the seam to the switcher (ui/proto/switcher.h). Keeps what it told, and
 * duplicates of the fds, so that a switcher that died is started again and told everything anew.
 */
#ifndef MANAGER_SWITCH_H
#define MANAGER_SWITCH_H

#include <stdbool.h>
#include <stdint.h>
#include "config.h"
#include "ui/proto/switcher.h"

/** Ends a switcher that an earlier daemon left behind (it changes its user, so it outlives its
 * parent); its number is in run_dir, where those of the next ones will be noted. Call before
 * switch_start(). */
void switch_end_stale(const char *run_dir);
/** Starts `program` of `directory`. Without it partitions run unseen. Returns 0 or -errno. */
int switch_start(const char *directory, const char *program);
/** Tells it to end; call loop_step() until switch_running() is false. */
void switch_stop(void);
bool switch_running(void);
/** The partition has new sockets (-1: has none of that kind); they are taken over. One without an
 * order is kept out of sight, and its sockets are closed. */
void switch_add(const struct config *config, int surface, int keyboard, int tablet);
/** The partition is not to be seen any more. */
void switch_remove(uint32_t id);
void switch_state(uint32_t id, enum switcher_state state, const char *text);
void switch_focus(uint32_t id);
/** A few words that stay in the strip, whoever has the focus. */
void switch_warn(const char *text);

struct switch_question {
	struct switcher_question text; /* type and id are filled in */
	/** Called once, unless it is withdrawn first: with the choice that a real keyboard made, or
	 * the fallback (by_key false). */
	void (*answered)(void *data, uint32_t choice, bool by_key);
	void *data;
	bool open; /* waits for its answer */
};

/** Puts a question to the person at the keyboard; it stays where it is until it was answered. A
 * switcher that dies and is started again is asked again. Without a switcher the fallback is the
 * answer, before this returns. */
void switch_ask(struct switch_question *question);
void switch_withdraw(struct switch_question *question);

#endif
