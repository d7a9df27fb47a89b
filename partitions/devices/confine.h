/* SPDX-License-Identifier: Apache-2.0 */
/** A back end takes away its own rights before it reads the first byte of a guest. */
#ifndef BH_DEVICES_CONFINE_H
#define BH_DEVICES_CONFINE_H

/** What a device needs beyond what all of them need. */
struct confine {
	const int *syscalls; /* numbers, ended by -1; NULL: none */
	unsigned fd_limit;   /* open files at a time; 0: 64 */
	/** The one folder whose files may still be opened, made, renamed and removed; NULL or -1:
	 * nothing is opened any more. Where the kernel has no Landlock such calls fail. */
	const int *folder_fd;
};

/** No new privileges, no core file, a limit on files, and a list of allowed system calls; any other
 * one ends the process. Never to be undone. Returns 0 or -errno; then the process must not go on.
 */
__attribute__((warn_unused_result)) int confine_apply(const struct confine *confine);

#endif
