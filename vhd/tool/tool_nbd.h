/* SPDX-License-Identifier: Apache-2.0 */
/** The "nbd" layer: a disk that another process serves. A bottom layer; requests are synchronous.
 */
#ifndef VHD_TOOL_NBD_H
#define VHD_TOOL_NBD_H

#include "layer.h"

/** Starts the program `argv`, which takes a listening socket by systemd's protocol and ends with
 * its client, and connects to it. -EIO: it could not be started or refused; `why` says what libnbd
 * says. */
VHD_MUST_CHECK int tool_nbd_open(char **argv, bool write, struct layer **ret_layer,
				 struct why *why);

#endif
