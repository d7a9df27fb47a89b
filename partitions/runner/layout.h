/* SPDX-License-Identifier: Apache-2.0 */
/** Where things lie in the guest's address space, beside its RAM. dsdt.asl repeats the PCI hole. */
#ifndef RUNNER_LAYOUT_H
#define RUNNER_LAYOUT_H

#include "abi/types.h"

#define LAYOUT_ACPI_GPA	 0xe0000ull /* RSDP first; inside the BIOS area that PCs search for it */
#define LAYOUT_ACPI_SIZE 0x10000ull

/** Where the firmware of a PC begins: F000:FFF0. */
#define LAYOUT_RESET_VECTOR_GPA 0xffff0ull

#define LAYOUT_PCI_HOLE	    0xc0000000ull
#define LAYOUT_PCI_HOLE_END 0xfec00000ull

/** Doorbell page of device d is the notify BAR of its function. */
#define LAYOUT_DOORBELL_GPA LAYOUT_PCI_HOLE
/** First BAR of device d, LAYOUT_DEVICE_STRIDE bytes apart. */
#define LAYOUT_DEVICE_GPA    (LAYOUT_PCI_HOLE + 0x100000ull)
#define LAYOUT_DEVICE_STRIDE 0x4000ull

/** BARs of real devices lie from here on, each aligned to its size. */
#define LAYOUT_ASSIGNED_GPA (LAYOUT_PCI_HOLE + 0x10000000ull)

/** What image_load() accepts; everything above belongs to devices. */
#define LAYOUT_RAM_MAX LAYOUT_PCI_HOLE

/** Devices of one runner: one doorbell page each. */
#define LAYOUT_DEVICE_MAX BH_DOORBELL_MAX

/** Real devices of one runner; their PCI slots follow those of the devices above. */
#define LAYOUT_ASSIGNED_MAX  4u
#define LAYOUT_ASSIGNED_SLOT (LAYOUT_DEVICE_MAX + 1u)

/** Constant added to a guest-physical address to get the "user address" that vhost-user speaks of.
 */
#define LAYOUT_VHOST_BASE 0x100000000000ull

#endif
