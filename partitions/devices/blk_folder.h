/* SPDX-License-Identifier: Apache-2.0 */
/** A folder in which there is one file, given as an open descriptor: for a disk whose path the back
 * end never learns. Nothing beside it can be opened, so such a disk has no parents and no manifest.
 */
#ifndef BH_DEVICES_BLK_FOLDER_H
#define BH_DEVICES_BLK_FOLDER_H

#include "folder.h"

/** The name of the file. */
#define BLK_FOLDER_NAME "disk"

/** fd stays the caller's and outlives the folder. -ENOMEM. */
VHD_MUST_CHECK int blk_folder_create(int fd, struct folder **ret_folder);

#endif
