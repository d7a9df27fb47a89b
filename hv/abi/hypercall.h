/* SPDX-License-Identifier: Apache-2.0 */
/** Hypercalls: VMCALL (VT-x) or VMMCALL (AMD-V) at CPL 0 in 64-bit or 32-bit protected mode. The vendor
 *  in CPUID leaf 0 says which: VMMCALL for "AuthenticAMD" and "HygonGenuine". The other one is #UD.
 *
 *  In: RAX number, RDI, RSI, RDX, RCX arguments. Out: RAX, negative enum bh_err on failure.
 *  No other register changes. At CPL > 0 the guest gets #UD. Only BH_HC_VERSION is open to every
 *  partition; all others belong to the partition whose policy entry has BH_POLICY_CONTROL.
 *  "gpa" arguments name memory of the caller, inside one page. See docs/SPEC-abi.md.
 */
#ifndef BH_ABI_HYPERCALL_H
#define BH_ABI_HYPERCALL_H

#define BH_ABI_VERSION 0x00010002u /* major << 16 | minor */

enum bh_hypercall {
	/** () -> BH_ABI_VERSION. */
	BH_HC_VERSION = 0,
	/** (event page gpa, MSI address, MSI data): where events are recorded (struct bh_event_page, page
	 *  aligned) and which interrupt of the caller announces them. gpa 0: nowhere, and none. */
	BH_HC_EVENT_SETUP = 0x10,
	/** (part, ioreq page gpa): gives the partition zeroed RAM, maps that RAM into the caller at
	 *  guest-physical = host-physical address, and records its ioreqs in the page (struct bh_ioreq per
	 *  vcpu). State becomes CREATED. */
	BH_HC_PART_CREATE = 0x11,
	/** (part): CREATED -> RUNNING. Vcpus without a start state wait for INIT/SIPI. */
	BH_HC_PART_START = 0x12,
	/** (part): RUNNING -> PAUSED. */
	BH_HC_PART_PAUSE = 0x13,
	/** (part): PAUSED -> RUNNING. */
	BH_HC_PART_RESUME = 0x14,
	/** (part): any but EMPTY -> CREATED, RAM zeroed, doorbells and vcpu state gone. */
	BH_HC_PART_RESET = 0x15,
	/** (part): any but EMPTY -> EMPTY; RAM unmapped from the caller and zeroed. */
	BH_HC_PART_DESTROY = 0x16,
	/** (part, gpa): writes struct bh_part_info. */
	BH_HC_PART_INFO = 0x17,
	/** (part, vcpu, gpa): reads struct bh_vcpu_start. State CREATED only. */
	BH_HC_VCPU_SET = 0x18,
	/** (part, vcpu, flags): the ioreq of this vcpu is answered; its slot has state BH_IOREQ_DONE.
	 *  With BH_IOREQ_WAIT the caller then halts until it has an interrupt or this vcpu asks again; a
	 *  request that ends the halt is in the slot and records no event. */
	BH_HC_IOREQ_DONE = 0x19,
	/** (part, MSI address, MSI data): raises that interrupt in the partition. */
	BH_HC_MSI_POST = 0x1a,
	/** (part, base gpa, pages): doorbell window; page i rings doorbell i. base 0 removes it. */
	BH_HC_DOORBELL_SETUP = 0x1b,
	/** (part, vcpu, gpa): writes struct bh_vcpu_stats. */
	BH_HC_STATS = 0x1c,
	/** (gpa): struct bh_log_read, in and out: text of the hypervisor log from a cursor on. */
	BH_HC_LOG_READ = 0x1d,
	/** (gpa): writes struct bh_iommu_info. */
	BH_HC_IOMMU_INFO = 0x1e,
	/** (gpa): struct bh_iommu_fault, in and out. -BH_NOENT: none with this number or a higher one. */
	BH_HC_IOMMU_FAULT = 0x1f,
	/** (device, gpa): writes struct bh_device_info. Devices are numbered as in the policy table. */
	BH_HC_DEVICE_INFO = 0x20,
	/** (device, BAR, gpa in its partition): moves the BAR from the caller to the partition, without the
	 *  pages that hold the MSI-X table. gpa 0: back to the caller. */
	BH_HC_DEVICE_MAP = 0x21,
	/** (device, gpa): struct bh_device_irq, in and out: one interrupt of the device becomes one of its
	 *  partition. */
	BH_HC_DEVICE_IRQ = 0x22,
	/** (gpa): writes struct bh_policy_info. */
	BH_HC_POLICY_INFO = 0x23,
	/** (gpa, size): root mode's part of another policy table, inside one page. From then on the gate
	 *  answers by it. -BH_CORRUPT: not a table. -BH_DENIED: it allows what that of this boot does not.
	 *  What a partition was created with it keeps until it is destroyed. */
	BH_HC_POLICY_LOAD = 0x24,
};

#endif
