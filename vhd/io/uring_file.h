/* SPDX-License-Identifier: Apache-2.0 */
/** Files and folders whose calls on a fiber do not stop the other fibers of the thread.
 *
 *  What the page cache answers at once is read by a plain call, which costs the least; what would
 * wait for the medium goes through the ring, and so does every flush. Off a fiber all calls are
 * plain.
 */
#ifndef VHD_URING_FILE_H
#define VHD_URING_FILE_H

#include "folder.h"
#include "uring.h"

/** Puts `inner` behind the ring; it belongs to *ret_file from now on when 0 is returned. A file
 * without a descriptor is returned as it is. -ENOMEM, -errno. */
VHD_MUST_CHECK int uring_file_wrap(struct uring *ring, struct file *inner, struct file **ret_file);

/** A folder that opens its files like this. Owns `inner` from now on when 0 is returned. */
VHD_MUST_CHECK int uring_folder_wrap(struct uring *ring, struct folder *inner,
				     struct folder **ret_folder);

#endif
