/* SPDX-License-Identifier: Apache-2.0 */
/** Opening files in the jail: one name, one descriptor. */
#ifndef VHD_UNLOCK_OPEN_H
#define VHD_UNLOCK_OPEN_H

#define UNLOCK_OPEN_NAME "/proc/self/fd/3"

/** From now on UNLOCK_OPEN_NAME opens copies of `fd`, and nothing else opens. */
void unlock_open_only(int fd);

#endif
