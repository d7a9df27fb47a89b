/* SPDX-License-Identifier: Apache-2.0 */
/** The daemon's own log: one line to standard output, which is the console of the control
 * partition. */
#ifndef MANAGER_SAY_H
#define MANAGER_SAY_H

/** Writes "bulkheadd: TEXT\n" in one piece; longer than 500 bytes is cut. */
void __attribute__((format(printf, 1, 2))) say(const char *format, ...);

/** Writes "NAME: LINE\n": a line that a guest printed for whoever watches this console. */
void say_guest(const char *name, const char *line);

#endif
