/* SPDX-License-Identifier: Apache-2.0 */
/** How a runner ends: its exit codes, for bulkheadd and for people. */
#ifndef RUNNER_EXIT_CODE_H
#define RUNNER_EXIT_CODE_H

enum exit_code {
	EXIT_CODE_POWER_OFF = 0, /* the guest switched itself off */
	EXIT_CODE_USAGE = 2,	 /* wrong options, nothing was started */
	EXIT_CODE_START = 3,	 /* image, memory or device could not be set up */
	EXIT_CODE_RESET = 10,	 /* the guest asked for a reset */
	EXIT_CODE_STOPPED = 20,	 /* root mode stopped the partition, see its stop reason */
	EXIT_CODE_GONE = 21,	 /* the partition was reset or destroyed by somebody else */
	EXIT_CODE_BACK_END =
		30,	       /* a device back end hung up, broke the protocol or did not answer */
	EXIT_CODE_SIGNAL = 40, /* SIGTERM, SIGINT or SIGHUP */
	EXIT_CODE_DEBUG_EXIT =
		128, /* 128 | low 7 bits of what the guest wrote to the debug-exit port */
};

#endif
