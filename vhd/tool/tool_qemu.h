/* SPDX-License-Identifier: Apache-2.0 */
/** Images of other formats as layers: qemu-nbd reads or writes the file, confined to it, and this
 * program talks NBD to it over a socket that nobody else has.
 */
#ifndef VHD_TOOL_QEMU_H
#define VHD_TOOL_QEMU_H

#include "layer.h"
#include "tool.h"
#include "tool_probe.h"

/** Opens the image at `path`, whose format is named and never guessed by qemu. Check it by
 * tool_probe_check() before. Returns 0 or -errno; tool->why says what qemu said. */
VHD_MUST_CHECK int tool_qemu_open(struct tool *tool, const char *path, enum tool_format format,
				  bool write, struct layer **ret_layer);

/** Makes an empty image of `size` bytes over the existing empty file `path`. */
VHD_MUST_CHECK int tool_qemu_create(struct tool *tool, const char *path, enum tool_format format,
				    uint64_t size);

/** The verb "confined", which this program runs itself by: confines itself and becomes the program
 * that `arguments` name: [--read PATH]... [--write PATH]... [--memory BYTES] [--stderr FD] PROGRAM
 * ARGUMENT... */
int tool_confined(char **arguments);

#endif
