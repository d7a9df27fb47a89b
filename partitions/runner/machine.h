/* SPDX-License-Identifier: Apache-2.0 */
/** The machine around a guest: its RAM, bus and devices, and the lock that guards all of them.
 *
 *  Threads: one per vcpu (vcpu.c) and the event loop (loop.c). Whoever touches the bus, PCI, UART,
 * or a virtio device holds `lock`. Set up once by main() before any thread runs; never torn down,
 * the process ends instead. */
#ifndef RUNNER_MACHINE_H
#define RUNNER_MACHINE_H

#include <pthread.h>
#include "assigned.h"
#include "bus.h"
#include "cmos.h"
#include "layout.h"
#include "options.h"
#include "pci.h"
#include "power.h"
#include "uart.h"
#include "virtio_dev.h"

struct machine {
	pthread_mutex_t lock;
	int part_fd;
	struct bh_ioreq *ioreq; /* slots shared with root mode */
	uint8_t *ram;
	uint64_t ram_size; /* bytes that the guest is told of */
	uint32_t tsc_khz;
	int ram_fd;
	unsigned vcpu_count;
	struct bus bus;
	struct pci_host pci;
	struct uart uart;
	struct cmos cmos;
	struct power power;
	struct virtio_dev *device[LAYOUT_DEVICE_MAX];
	unsigned device_count;
	struct assigned *assigned[LAYOUT_ASSIGNED_MAX];
	int wake_fd; /* eventfd that makes the event loop look at the devices again */
};

/** Opens the partition, maps its RAM and builds the devices that every machine has. Ends the
 * process with a message on failure. */
void machine_init(struct machine *machine, const struct options *options);
/** Joins the devices of the command line to their back ends, and shows the guest its real ones. Ends
 * the process with a message on failure. */
void machine_add_devices(struct machine *machine, const struct options *options);
/** Loads kernel and tables and sets the first vcpu. Ends the process with a message on failure. */
void machine_load(struct machine *machine, const struct options *options);
/** Looks why the partition does not run any more and ends the process. */
_Noreturn void machine_end_stopped(const struct machine *machine);

#endif
