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
/** The partition has new sockets (-1: has none of that kind); they are taken over. */
void switch_add(const struct config *config, int surface, int keyboard, int tablet);
void switch_state(uint32_t id, enum switcher_state state, const char *text);
void switch_focus(uint32_t id);
/** A few words that stay in the strip, whoever has the focus. */
void switch_warn(const char *text);

#endif
