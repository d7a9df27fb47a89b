/* SPDX-License-Identifier: Apache-2.0 */
/** Part of this program in namespaces of its own: mounts, processes, network, System V objects; as
 * an ordinary user also users. When it ends, its processes and mounts are gone.
 */
#ifndef VHD_TOOL_JAIL_H
#define VHD_TOOL_JAIL_H

#include "why.h"

/** Runs body(context) in there and waits; *ret_code is what it returned (an exit code). Ctrl-C
 * reaches it. -EPERM: this kernel or its settings do not allow it. */
VHD_MUST_CHECK int tool_jail_run(int (*body)(void *context), void *context, int *ret_code,
				 struct why *why);

#endif
