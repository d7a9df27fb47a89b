/* SPDX-License-Identifier: Apache-2.0 */
/** Child processes that end with this one. */
#ifndef VHD_TOOL_SPAWN_H
#define VHD_TOOL_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

/** Starts argv[0], a path; stdin from nowhere, stdout and stderr to `log_fd`; `keep_fd` (-1: none)
 * stays open. Returns its pid or -errno. */
pid_t tool_spawn(char *const *argv, int log_fd, int keep_fd);

/** True while the child runs; false also for pid 0. Does not wait. */
bool tool_spawn_is_alive(pid_t *pid);

/** Waits for the child; its exit code, or 255. */
int tool_spawn_code(pid_t pid);

/** Asks the child to end, waits `ms`, kills it. Sets *pid to 0. */
void tool_spawn_end(pid_t *pid, unsigned ms);

/** Waits up to `ms` for the child to end by itself. True: it has. */
bool tool_spawn_wait(pid_t *pid, unsigned ms);

void tool_spawn_sleep(unsigned ms);

#endif
