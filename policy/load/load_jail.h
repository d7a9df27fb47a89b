/* SPDX-License-Identifier: Apache-2.0 */
/** A child of this process that can compute, allocate memory, and write to the files it was given.
 */
#ifndef POLICY_LOAD_JAIL_H
#define POLICY_LOAD_JAIL_H

/** Runs work(data) in a child that keeps only these descriptors. Returns what it returned (0..119),
 * -EPROTO when it was killed or could not be shut in, or -errno. */
int load_in_jail(int (*work)(void *data), void *data, const int fds[], unsigned int count);
/** Shuts this process in, for good: 0 or -errno. */
int load_shut(void);

#endif
