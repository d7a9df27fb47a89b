/* SPDX-License-Identifier: Apache-2.0 */
/** What kind of image an untrusted file is, by its own first bytes, and whether it reaches for
 * other files. Nobody else's probing is trusted: a guest can write any header into a raw disk.
 *
 *  Sources: "QCOW2 Image Format" (QEMU documentation), Microsoft MS-VHDX "File Type Identifier",
 * VMware "Virtual Disk Format 5.0" (sparse extent header, descriptor), VirtualBox VDI header.
 */
#ifndef VHD_TOOL_PROBE_H
#define VHD_TOOL_PROBE_H

#include "file.h"

enum tool_format {
	TOOL_FORMAT_RAW,
	TOOL_FORMAT_VHD,
	TOOL_FORMAT_QCOW2,
	TOOL_FORMAT_VHDX,
	TOOL_FORMAT_VMDK,
	TOOL_FORMAT_VDI,
	TOOL_FORMAT_COUNT,
};

/** "raw", "vhd", "qcow2" ... */
const char *tool_format_name(enum tool_format format);
/** As qemu calls it. */
const char *tool_format_qemu_name(enum tool_format format);
/** False: no such name. */
bool tool_format_parse(const char *name, enum tool_format *ret_format);

/** Looks at the first and last bytes. What nothing claims is raw. -errno of reading. */
VHD_MUST_CHECK int tool_probe_format(struct file *untrusted, enum tool_format *ret_format);

/** Refuses an image that names other files (backing file, data file, extents, parent) or uses what
 * is not understood. -EPERM it does; -EOPNOTSUPP; -EBADMSG; -errno. `why` says which. */
VHD_MUST_CHECK int tool_probe_check(struct file *untrusted, enum tool_format format,
				    struct why *why);

#endif
