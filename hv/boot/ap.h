/* SPDX-License-Identifier: Apache-2.0 */
/** Starts the other CPUs. */
#ifndef BH_BOOT_AP_H
#define BH_BOOT_AP_H

#include "lib/types.h"

struct boot_info;

/** Starts the CPUs of the MADT in its order, up to CPU_MAX in all or the boot option cpus=N; each waits in
 *  sched_run for something to do. One that does not come up, lacks something or whose TSC is not in step is
 *  named in the log and stays off. Context: the first CPU, ready to run vcpus; frames are final, the control
 *  partition does not run yet: a page of its low memory is borrowed. */
void ap_start_all(const struct boot_info *info);

#endif
