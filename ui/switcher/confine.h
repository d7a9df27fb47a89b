/* SPDX-License-Identifier: Apache-2.0 */
/** What the processes give up before they look at a byte from a guest: root, capabilities, new
 * privileges, and all system calls but a short list. A call outside the list ends the process.
 */
#ifndef BH_CONFINE_H
#define BH_CONFINE_H

/** Real-time priority and locked memory; failure is reported and survived (a developer's machine).
 */
void confine_realtime(void);

/** For the switcher: no capability, and no call that opens, connects or executes. drm_fd: the one
 * fd whose DRM ioctls stay allowed. Returns 0, -1 with a line on stderr. */
int confine_switcher(unsigned uid, unsigned gid, int drm_fd);

/** For the opener: CAP_DAC_READ_SEARCH, and opening for reading. */
int confine_opener(unsigned uid, unsigned gid);

#endif
