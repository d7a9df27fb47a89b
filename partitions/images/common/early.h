/* SPDX-License-Identifier: Apache-2.0 */
/** What the first program of every image does: mounts, modules, marks with the time-stamp counter. */
#ifndef IMAGES_EARLY_H
#define IMAGES_EARLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Mounts /proc, /sys, /dev and /run; failures are reported by early_mark and otherwise ignored. */
void early_mount_all(void);

/** Mounts one file system, making the mount point when it is missing. Returns 0 or -1 (errno). */
int early_mount(const char *source, const char *target, const char *type, unsigned long flags,
		const char *data);

/** Loads the modules named in the file `list`: one "patterns path [parameters]" per line, in that order.
 *  Patterns: "*", or one or more with commas between, of which one must fit the modalias of a PCI
 *  device of the machine.
 *  A module that does not load is reported and does not stop the others. */
void early_load_modules(const char *list);

/** Prints "who: what tsc=N" to the console; what may be formatted. */
void early_mark(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Where early_mark writes; default /dev/console. */
void early_mark_to(const char *path);

/** The time-stamp counter of this CPU. */
uint64_t early_tsc(void);

/** Finds "key=value" (or the word "key") among the words of the kernel command line.
 *  Copies the value (or "") and returns true when it is there. */
bool early_option(const char *key, char *ret_value, size_t size);

/** Environment of every program started here. */
extern char *const early_environment[];

/** Starts a program with its standard streams on `tty` (NULL: inherited). Returns its pid or -1. */
int early_spawn(const char *tty, char *const argv[]);

/** Waits until a path exists, looking every 2 ms for at most `timeout_ms`. */
bool early_wait_path(const char *path, unsigned timeout_ms);

#endif
