/* SPDX-License-Identifier: Apache-2.0 */
/** What is taken from the runner before its guest runs: capabilities, new privileges, system calls.
 */
#ifndef RUNNER_SANDBOX_H
#define RUNNER_SANDBOX_H

/** Gives up all capabilities of this thread and those that it starts. Before any thread runs; not
 * root without CAP_SETPCAP: nothing to give up. Returns 0 or -errno. */
int sandbox_drop_capabilities(void);
/** Confines all threads of the process for good. Everything that has to be opened is open by now.
 * Returns 0 or -errno. */
int sandbox_enter(void);

#endif
