/* SPDX-License-Identifier: Apache-2.0 */
/** The numbers of hv/abi and of the runner in words for people. Never NULL. */
#ifndef MANAGER_WORDS_H
#define MANAGER_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include "abi/part.h"

/** "triple fault", "no handler for exit 55", ... for info->stop_reason and info->stop_detail. */
void words_stop_reason(const struct bh_part_info *info, char *text, size_t size);
/** Name of an exit kind for JSON and tables: "irq", "cpuid", ...; kind < BH_EXIT_KINDS. */
const char *words_exit_kind(unsigned int kind);
/** What a wait status of the runner means: "powered off", "a back end is lost", "runner killed by signal
 * 9". */
void words_runner_end(int status, char *text, size_t size);
/** The same for any other process: "exited with status 1". */
void words_process_end(int status, char *text, size_t size);

#endif
