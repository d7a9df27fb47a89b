/* SPDX-License-Identifier: Apache-2.0 */
/** Names of files that moving a disk makes. For "office.vhd": */
#ifndef VHD_MOVE_NAME_H
#define VHD_MOVE_NAME_H

#include "folder.h"

#define MOVE_NAME_SIZE 256u

struct move_name {
	char bundle[MOVE_NAME_SIZE];   /* office.bundle */
	char part[MOVE_NAME_SIZE];     /* office.bundle.part */
	char incoming[MOVE_NAME_SIZE]; /* office.vhd.incoming: sectors that came */
	char child[MOVE_NAME_SIZE];    /* office.vhd.child: empty, over it */
	char owner[MOVE_NAME_SIZE];    /* office.vhd.owner-to-be: the record of it */
	char progress[MOVE_NAME_SIZE]; /* office.vhd.arriving: how far the import came */
};

/** -EINVAL, -ENAMETOOLONG. */
VHD_MUST_CHECK int move_name_make(const char *name, struct move_name *ret_name);

/** The first name of office.e3.vhd, office.e3-2.vhd, ... that is free. */
VHD_MUST_CHECK int move_name_of_state(struct folder *folder, const char *name, uint64_t epoch,
				      char ret_name[MOVE_NAME_SIZE]);

/** Whether a file is there: 1, 0 or -errno. */
VHD_MUST_CHECK int move_name_exists(struct folder *folder, const char *name);

#endif
