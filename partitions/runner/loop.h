/* SPDX-License-Identifier: Apache-2.0 */
/** The main thread: signals, state of the partition, back ends that hang up or speak on their own.
 */
#ifndef RUNNER_LOOP_H
#define RUNNER_LOOP_H

#include "machine.h"

/** Blocks the signals that loop_run() reads, for this and all later threads. */
void loop_init(struct machine *machine);
/** Serves events until the process ends. */
_Noreturn void loop_run(struct machine *machine);

#endif
