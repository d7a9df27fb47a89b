/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs. */
#include "tool_verbs.h"

#include <stddef.h>

const struct tool_verb tool_verbs[] = {
	{.name = "create-fixed",
	 .arguments = "RAW VHD",
	 .help = "make a fixed VHD from a raw image",
	 .details = "Copies the raw disk image RAW to VHD and adds a footer. The virtual size is "
		    "that\n"
		    "of RAW, rounded up to a multiple of 2 MiB. Holes stay holes.\n"
		    "\n"
		    "  bulkhead vhd create-fixed --size 1G disk.raw disk.vhd",
	 .least = 2,
	 .most = 2,
	 .flags = TOOL_HIDDEN,
	 .options = tool_fixed_options,
	 .run = tool_fixed},
	{.name = NULL},
};
