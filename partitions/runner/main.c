/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead-runner: one process per partition. Sets the machine up, starts it, serves it to its
 * end. */
#define _GNU_SOURCE
#include <string.h>
#include "bulkhead_dev.h"
#include "loop.h"
#include "machine.h"
#include "report.h"
#include "sandbox.h"
#include "vcpu.h"

static struct machine machine;

int main(int argc, char **argv)
{
	struct options options;
	int err;

	options_parse(argc, argv, &options);
	machine_init(&machine, &options);
	machine_add_devices(&machine, &options);
	machine_load(&machine, &options);
	loop_init(&machine);
	if (options.confine) {
		err = sandbox_drop_capabilities();
		if (err < 0) {
			report_end(EXIT_CODE_START, "capabilities: %s", strerror(-err));
		}
	}
	vcpu_start_threads(&machine);
	if (options.confine) {
		err = sandbox_enter();
		if (err < 0) {
			report_end(EXIT_CODE_START, "system call filter: %s", strerror(-err));
		}
	}
	err = dev_part_start(machine.part_fd);
	if (err < 0) {
		report_end(EXIT_CODE_START, "start: %s", strerror(-err));
	}
	vcpu_go();
	loop_run(&machine);
}
