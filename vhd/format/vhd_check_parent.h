/* SPDX-License-Identifier: Apache-2.0 */
/** The part of a check that leaves the file: whether its parent is there, and the one meant. Also
 * how findings are written down.
 */
#ifndef VHD_CHECK_PARENT_H
#define VHD_CHECK_PARENT_H

#include "vhd_check.h"
#include "vhd_survey.h"

__attribute__((format(printf, 5, 6))) void vhd_check_add(struct vhd_check *check,
							 enum vhd_check_kind kind,
							 enum vhd_check_grade grade,
							 uint64_t offset, const char *format, ...);

/** survey: of a differencing image whose header was decoded. -ENOMEM, -errno of reading. */
VHD_MUST_CHECK int vhd_check_parent(struct folder *folder, const struct vhd_survey *survey,
				    struct vhd_check *check);

#endif
