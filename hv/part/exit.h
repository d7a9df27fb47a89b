/* SPDX-License-Identifier: Apache-2.0 */
/** Exits that mean the same on every back end. vtx/ and svm/ decode what the hardware says and call these.
 *
 *  Context: the CPU that ran the vcpu, right after the exit.
 */
#ifndef BH_PART_EXIT_H
#define BH_PART_EXIT_H

#include "part/part.h"

/** What a handler asks for. */
enum exit_result {
	EXIT_RESUME, /* enter again, RIP as it is */
	EXIT_SKIP,   /* the instruction is done: advance RIP */
};

/** The guest gets #GP(0) or #UD. */
enum exit_result exit_gp(struct vcpu *vcpu);
enum exit_result exit_ud(struct vcpu *vcpu);

enum exit_result exit_cpuid(struct vcpu *vcpu, uint64_t cr4);
enum exit_result exit_hlt(struct vcpu *vcpu);
enum exit_result exit_hypercall(struct vcpu *vcpu, unsigned cpl);
enum exit_result exit_rdmsr(struct vcpu *vcpu);
enum exit_result exit_wrmsr(struct vcpu *vcpu);
enum exit_result exit_xsetbv(struct vcpu *vcpu, unsigned cpl);
/** INVD, WBINVD. */
enum exit_result exit_invd(struct vcpu *vcpu);
/** MOV to or from CR8, which is the virtual APIC's task priority. */
enum exit_result exit_cr8(struct vcpu *vcpu, unsigned reg, bool write);
enum exit_result exit_triple_fault(struct vcpu *vcpu);
/** The deadline of backend->enter may have come. */
enum exit_result exit_timer(struct vcpu *vcpu, bool interrupts_on);

/** An access to guest-physical memory that is not there. delivering: of the CPU itself, on the way to an
 *  interrupt handler or through the guest's page tables. */
enum exit_result exit_memory(struct vcpu *vcpu, uint64_t gpa, bool fetch, bool delivering);
/** The gpa is a doorbell of the partition. */
bool exit_is_doorbell(const struct vcpu *vcpu, uint64_t gpa);
/** Rings it. */
void exit_doorbell(struct vcpu *vcpu, uint64_t gpa);

#endif
