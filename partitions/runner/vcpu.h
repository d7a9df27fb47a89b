/* SPDX-License-Identifier: Apache-2.0 */
/** Threads that answer the accesses of the vcpus. */
#ifndef RUNNER_VCPU_H
#define RUNNER_VCPU_H

#include "machine.h"

/** Makes one thread per vcpu, which wait for vcpu_go(); they are all there when it returns. Ends the process
 *  on failure. */
void vcpu_start_threads(struct machine *machine);
/** Lets the threads serve accesses. The partition runs. */
void vcpu_go(void);
/** Serves one access: validates the copied request and asks the bus. Takes the machine lock. */
uint64_t vcpu_serve(struct machine *machine, const struct bh_ioreq *request);

#endif
