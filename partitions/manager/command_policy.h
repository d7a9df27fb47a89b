/* SPDX-License-Identifier: Apache-2.0 */
/** `bulkhead policy apply|confirm|revert|status|ask`: the verbs that the daemon answers. */
#ifndef MANAGER_COMMAND_POLICY_H
#define MANAGER_COMMAND_POLICY_H

#include <stdbool.h>

/** True for a verb of the list above; the others are bulkhead-policy's. */
bool command_policy_knows(const char *verb);
/** argv[0] is the verb. Returns the exit code. */
int command_policy(int argc, char **argv);

#endif
