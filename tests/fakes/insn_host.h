/* SPDX-License-Identifier: Apache-2.0 */
/** hv/cpu/insn.h for the host: plain functions, in tests/fakes/insn.c. */
#ifndef BH_TESTS_FAKES_INSN_HOST_H
#define BH_TESTS_FAKES_INSN_HOST_H

#include "lib/types.h"

struct cpuid_regs;
struct desc_ptr;
struct cpu;

uint64_t insn_rdmsr(uint32_t msr);
void insn_wrmsr(uint32_t msr, uint64_t value);
uint64_t insn_read_cr0(void);
uint64_t insn_read_cr2(void);
uint64_t insn_read_cr3(void);
uint64_t insn_read_cr4(void);
void insn_write_cr0(uint64_t value);
void insn_write_cr2(uint64_t value);
void insn_write_cr3(uint64_t value);
void insn_write_cr4(uint64_t value);
uint64_t insn_read_dr(unsigned n);
void insn_write_dr(unsigned n, uint64_t value);
uint64_t insn_rdtsc(void);
void insn_cpuid(uint32_t leaf, uint32_t sub, struct cpuid_regs *ret);
uint8_t insn_in8(uint16_t port);
uint32_t insn_in32(uint16_t port);
void insn_out8(uint16_t port, uint8_t value);
uint32_t insn_mmio_read32(hpa_t at);
uint64_t insn_mmio_read64(hpa_t at);
void insn_mmio_write32(hpa_t at, uint32_t value);
void insn_mmio_write64(hpa_t at, uint64_t value);
void insn_clflush(const void *at);
void insn_out32(uint16_t port, uint32_t value);
void insn_cli(void);
void insn_wait(void);
void insn_irq_window(void);
void insn_pause(void);
void insn_fence(void);
BH_NORETURN void insn_stop(void);
void insn_xsave(void *area, uint64_t mask);
void insn_xrstor(const void *area, uint64_t mask);
void insn_xsetbv(uint32_t index, uint64_t value);
uint64_t insn_xgetbv(uint32_t index);
void insn_lgdt(const struct desc_ptr *ptr);
void insn_lidt(const struct desc_ptr *ptr);
void insn_ltr(uint16_t selector);
void insn_load_segments(uint16_t code, uint16_t data);
void insn_wbinvd(void);
struct cpu *insn_this_cpu(void);

#endif
