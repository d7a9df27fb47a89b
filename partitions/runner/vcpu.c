/* SPDX-License-Identifier: Apache-2.0 */
/** One thread per vcpu: wait, copy the request, serve it, answer. The answer travels with the next
 * wait. */
#define _GNU_SOURCE
#include "vcpu.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "bulkhead_dev.h"
#include "report.h"

struct vcpu_thread {
	struct machine *machine;
	unsigned index;
};

static struct vcpu_thread threads[BH_VCPU_MAX];
static pthread_barrier_t together; /* once when all threads are there, once when they may serve */

uint64_t vcpu_serve(struct machine *machine, const struct bh_ioreq *request)
{
	uint64_t value;

	if ((request->size != 1 && request->size != 2 && request->size != 4 &&
	     request->size != 8) ||
	    request->type > BH_IOREQ_MMIO || request->dir > BH_IOREQ_WRITE) {
		return UINT64_MAX;
	}
	pthread_mutex_lock(&machine->lock);
	value = bus_access(&machine->bus, request);
	pthread_mutex_unlock(&machine->lock);
	if (report_wants(REPORT_VCPU_IOREQ)) {
		report_debug(REPORT_VCPU_IOREQ, "%s %s 0x%" PRIx64 " size %u value 0x%" PRIx64,
			     request->type == BH_IOREQ_PIO ? "port" : "memory",
			     request->dir == BH_IOREQ_WRITE ? "write" : "read", request->addr,
			     request->size, request->dir == BH_IOREQ_WRITE ? request->data : value);
	}
	return value;
}

static void *run_vcpu(void *argument)
{
	const struct vcpu_thread *thread = argument;
	struct machine *machine = thread->machine;
	struct bh_ioreq *slot = &machine->ioreq[thread->index];
	struct bh_ioreq request;

	pthread_barrier_wait(&together);
	pthread_barrier_wait(&together);
	for (;;) {
		int err = dev_ioreq_next(machine->part_fd, thread->index);

		if (err == -EINTR) {
			continue;
		}
		if (err == -ENODEV) {
			machine_end_stopped(machine);
		}
		if (err < 0) {
			report_end(EXIT_CODE_GONE, "waiting for vcpu %u: %s", thread->index,
				   strerror(-err));
		}
		memcpy(&request, slot, sizeof(request));
		slot->data = vcpu_serve(machine, &request);
		__atomic_store_n(&slot->state, BH_IOREQ_DONE, __ATOMIC_RELEASE);
	}
	return NULL;
}

void vcpu_start_threads(struct machine *machine)
{
	pthread_barrier_init(&together, NULL, machine->vcpu_count + 1);
	for (unsigned i = 0; i < machine->vcpu_count; i++) {
		pthread_t id;
		int err;

		threads[i] = (struct vcpu_thread){machine, i};
		err = pthread_create(&id, NULL, run_vcpu, &threads[i]);
		if (err != 0) {
			report_end(EXIT_CODE_START, "thread of vcpu %u: %s", i, strerror(err));
		}
	}
	/* A thread that has yet to set itself up needs system calls that the sandbox forbids. */
	pthread_barrier_wait(&together);
}

void vcpu_go(void)
{
	pthread_barrier_wait(&together);
}
