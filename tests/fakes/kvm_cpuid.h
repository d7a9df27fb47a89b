/* SPDX-License-Identifier: Apache-2.0 */
/** The CPU that kvm_dev.c shows its guest. */
#ifndef FAKE_KVM_CPUID_H
#define FAKE_KVM_CPUID_H

#include <stdint.h>

/** Sets the CPUID leaves of a vcpu as root mode gives them: Intel vendor, x2APIC, TSC deadline
 * timer, TSC rate in leaf 0x15, our signature at 0x40000000, KVM's without features at 0x40000100.
 * Returns 0 or -errno. */
int kvm_cpuid_set(int kvm_fd, int vcpu_fd, uint32_t apic_id, uint32_t tsc_khz);

#endif
