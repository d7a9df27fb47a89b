/* SPDX-License-Identifier: Apache-2.0 */
/** Starts from what KVM supports and changes what differs, so that features of the machine stay. */
#include "kvm_cpuid.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define ENTRY_MAX 200u

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, uint32_t function)
{
	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (cpuid->entries[i].function == function) {
			return &cpuid->entries[i];
		}
	}
	return NULL;
}

static struct kvm_cpuid_entry2 *put(struct kvm_cpuid2 *cpuid, uint32_t function, uint32_t index,
				    uint32_t flags)
{
	struct kvm_cpuid_entry2 *entry = &cpuid->entries[cpuid->nent++];

	memset(entry, 0, sizeof(*entry));
	entry->function = function;
	entry->index = index;
	entry->flags = flags;
	return entry;
}

/* Leaves that we make ourselves, or that only an AMD processor has. */
static int is_replaced(uint32_t function)
{
	return function == 0x02 || function == 0x04 || function == 0x0b || function == 0x15 ||
	       function == 0x16 || (function >= 0x40000000u && function < 0x50000000u) ||
	       function > 0x80000008u;
}

static void drop_replaced(struct kvm_cpuid2 *cpuid)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < cpuid->nent; i++) {
		if (!is_replaced(cpuid->entries[i].function)) {
			cpuid->entries[kept++] = cpuid->entries[i];
		}
	}
	cpuid->nent = kept;
}

static void put_signature(struct kvm_cpuid2 *cpuid, uint32_t function, const char text[12])
{
	struct kvm_cpuid_entry2 *entry = put(cpuid, function, 0, 0);

	entry->eax = function + 1;
	memcpy(&entry->ebx, text, 4);
	memcpy(&entry->ecx, text + 4, 4);
	memcpy(&entry->edx, text + 8, 4);
	put(cpuid, function + 1, 0, 0);
}

static void edit(struct kvm_cpuid2 *cpuid, uint32_t apic_id, uint32_t tsc_khz)
{
	struct kvm_cpuid_entry2 *entry;

	drop_replaced(cpuid);
	if ((entry = find(cpuid, 0)) != NULL) {
		entry->eax = 0x16;
		memcpy(&entry->ebx, "Genu", 4);
		memcpy(&entry->edx, "ineI", 4);
		memcpy(&entry->ecx, "ntel", 4);
	}
	if ((entry = find(cpuid, 1)) != NULL) {
		entry->eax = 0x000306d4;
		entry->ebx = (entry->ebx & 0x0000ffff) | apic_id << 24 | 1u << 16;
		entry->ecx |= 1u << 31 | 1u << 24 | 1u << 21; /* hypervisor, TSC deadline, x2APIC */
	}
	if ((entry = find(cpuid, 0x80000000u)) != NULL) {
		entry->eax = 0x80000008u;
	}
	if ((entry = find(cpuid, 0x80000001u)) != NULL) {
		entry->ecx &= 1u << 0 | 1u << 5 | 1u << 8;
		entry->edx &= 1u << 11 | 1u << 20 | 1u << 26 | 1u << 27 | 1u << 29;
	}
	entry = find(cpuid, 0x80000007u);
	if (entry == NULL) {
		entry = put(cpuid, 0x80000007u, 0, 0);
	}
	entry->edx = 1u << 8; /* the TSC never stops */
	entry = put(cpuid, 0x0b, 0, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	entry->ebx = 1;
	entry->ecx = 1u << 8;
	entry->edx = apic_id;
	entry = put(cpuid, 0x0b, 1, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	entry->eax = 3;
	entry->ebx = 8;
	entry->ecx = 2u << 8 | 1;
	entry->edx = apic_id;
	entry = put(cpuid, 0x15, 0, 0);
	entry->eax = 1;
	entry->ebx = tsc_khz;
	entry->ecx = 1000; /* Hz */
	entry = put(cpuid, 0x16, 0, 0);
	entry->eax = entry->ebx = tsc_khz / 1000;
	put_signature(cpuid, 0x40000000u, "BulkheadHyp");
	put_signature(cpuid, 0x40000100u, "KVMKVMKVM\0\0");
}

int kvm_cpuid_set(int kvm_fd, int vcpu_fd, uint32_t apic_id, uint32_t tsc_khz)
{
	struct kvm_cpuid2 *cpuid =
		calloc(1, sizeof(*cpuid) + (ENTRY_MAX + 16) * sizeof(struct kvm_cpuid_entry2));
	int err = 0;

	if (cpuid == NULL) {
		return -ENOMEM;
	}
	cpuid->nent = ENTRY_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) < 0) {
		err = -errno;
	} else {
		edit(cpuid, apic_id, tsc_khz);
		if (ioctl(vcpu_fd, KVM_SET_CPUID2, cpuid) < 0) {
			err = -errno;
		}
	}
	free(cpuid);
	return err;
}
