/* SPDX-License-Identifier: Apache-2.0 */
/** The choice of the fake CPU. */
#include "root_mode.h"

#include <stdlib.h>
#include <string.h>

#include "svm_fake.h"
#include "vmx_fake.h"

void root_mode_start(void)
{
	const char *cpu = getenv("BH_FAKE_CPU");

	if (cpu && strcmp(cpu, "svm") == 0) {
		svm_fake_start_root_mode();
	} else {
		vmx_fake_start_root_mode();
	}
}

void root_mode_stop(void)
{
	vmx_fake_stop_root_mode();
}
