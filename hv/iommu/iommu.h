/* SPDX-License-Identifier: Apache-2.0 */
/** Which memory each device reaches, and which interrupts it can raise.
 *
 *  The control partition's domain holds the frames it owns and what the firmware reserves for its
 *  devices; it is made once, and every device that is not claimed is in it. A claimed device has a
 *  domain of its own while it is attached: the RAM of its partition at gpa. All tables are the same
 *  for all units, and every change is flushed everywhere: changes are rare. Calls up to
 * iommu_start: the first CPU alone. All others: any CPU, with a lock inside. Source: VT-d
 * specification, "DMA Remapping", "Interrupt Remapping". */
#ifndef BH_IOMMU_IOMMU_H
#define BH_IOMMU_IOMMU_H

#include "abi/device.h"
#include "lib/types.h"

/** Finds the units of the DMAR table, checks all addresses in it, makes the tables. Frames must be
 * final. Without a DMAR table it does nothing. Errors: -BH_CORRUPT, -BH_NOSUPP, -BH_NOMEM;
 * boot_error says what. */
BH_MUST_CHECK int iommu_init(void);
/** Translation on, then waits a moment for devices that the firmware left running. Errors:
 * -BH_NOSUPP (a unit does not answer), -BH_DENIED (such a device); boot_error says what. */
BH_MUST_CHECK int iommu_start(void);

/** Registers of the units, one page each, nobody else's; false: no more. */
bool iommu_registers(unsigned index, hpa_t *ret_page);
/** The range is no frame's, no unit's, and not where interrupts are sent: it may be a device's. */
bool iommu_range_free(uint64_t base, uint64_t size);

/** Before iommu_start: device `slot` (below BH_POLICY_DEVICE_MAX) is no longer the control
 * partition's and reaches nothing until it is attached. -BH_NOSUPP: it cannot be held apart,
 * boot_error says why. */
BH_MUST_CHECK int iommu_claim(unsigned slot, uint16_t source, unsigned part);
/** The device reaches [0, size) of its partition, which lies at `ram`. -BH_NOMEM: nothing. */
BH_MUST_CHECK int iommu_attach(unsigned slot, hpa_t ram, uint64_t size);
/** The device reaches nothing when this returns. */
void iommu_detach(unsigned slot);

/** Entry `index` (below BH_DEVICE_IRQ_MAX) turns a message of the device alone into `vector` of the
 * first CPU; vector 0: none any more. Returns the address of the message; its data is 0. */
uint64_t iommu_set_irq(unsigned index, unsigned slot, unsigned vector);

/** Takes what the units have recorded, a few a second. Returns a bit for each partition whose
 * device was denied something. While records are left, no unit interrupts. */
uint64_t iommu_fault_take(void);
/** The fault with this number, or the oldest kept after it. -BH_NOENT: none yet. */
BH_MUST_CHECK int iommu_fault_read(uint64_t number, struct bh_iommu_fault *ret_fault);
void iommu_get_info(struct bh_iommu_info *ret_info);

/** Walks all domains: true when each maps only what its partition owns, and no frame else. */
bool iommu_check_isolation(void);

#endif
