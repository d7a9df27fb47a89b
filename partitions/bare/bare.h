/* SPDX-License-Identifier: Apache-2.0 */
/** The bare control partition: starts one guest and serves it, without an operating system. */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/event.h"
#include "abi/hypercall.h"
#include "abi/ioreq.h"
#include "abi/part.h"
#include "guest.h"

#define BARE_PART 1u /* the guest */

/** Doorbell rings of the guest, for the test ports. */
struct bare_doorbells {
	uint32_t count;  /* rings seen, modulo 2^32; several before one look count once */
	uint32_t queues; /* queues 0..31 rung since the guest last asked */
};

/** How the guest ended by itself, filled by the device that noticed. */
struct bare_end {
	bool ended;
	uint32_t status; /* 0..255 */
};

extern struct bare_doorbells bare_doorbells;
extern struct bare_end bare_end;

/** Answers one access of the guest: takes the request, gives the data for reads (0 for writes). */
uint64_t serve_access(const struct bh_ioreq *rq);

/** 16550 of the guest at 0x3f8 + reg, on the real COM1. */
uint8_t uart_read(uint32_t reg);
void uart_write(uint32_t reg, uint8_t value);
/** Real line: FIFOs on, no interrupts, 115200 8n1. */
void uart_init(void);

/** I/O port of the real machine's PM1a control register; 0 when its tables name none. rsdp: physical
 *  address, 0 if unknown. */
uint16_t fadt_power_port(uint64_t rsdp);

/** Gives the guest its edu device, before it starts, and finds our own. Error as of a hypercall. */
int64_t dma_init(void);
/** See GUEST_PORT_CANARY, GUEST_PORT_FAULTS. */
uint32_t dma_canary(void);
uint32_t dma_faults(void);
/** Has our device write; 1: it arrived in our own memory. */
uint32_t dma_write(uint32_t gpa, uint64_t ram_hpa);

/** The machine's policy table, a copy of which is a boot module "table". */
void policy_init(const void *table, uint64_t size);
/** See GUEST_PORT_POLICY. */
void policy_try(uint32_t changes);
uint32_t policy_result(void);

/** Where the guest's RAM lies. */
extern uint64_t bare_ram_hpa;

/** Prints one last line about the guest and switches the machine off. */
_Noreturn void bare_finish(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
