/* SPDX-License-Identifier: Apache-2.0 */
/** Which memory each device reaches, and which interrupts it can raise.
 *
 *  One domain per partition: the control partition's holds the frames it owns and what the firmware
 * reserves for its devices; it is made once. A guest's holds its RAM at gpa and exists while
 * devices are attached. All tables are the same for all units, and every change is flushed
 * everywhere: changes are rare. Calls from iommu_init to iommu_start: the first CPU alone. All
 * others: any CPU, with a lock inside. Source: VT-d specification, "DMA Remapping", "Interrupt
 * Remapping". */
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

/** Before iommu_start: why some device reaches all memory, NULL: none does. */
const char *iommu_gap(void);
void iommu_get_info(struct bh_iommu_info *ret_info);
/** Registers of the units, one page each, nobody else's; false: no more. */
bool iommu_registers(unsigned index, hpa_t *ret_page);

/** Before iommu_start: the device is no longer the control partition's and reaches nothing until it
 * is attached. -BH_NOSUPP: it cannot be held apart, boot_error says why. */
BH_MUST_CHECK int iommu_claim(uint16_t source, unsigned part);
/** The device reaches [0, size) of its partition, which lies at `ram`. -BH_NOMEM: nothing changed.
 */
BH_MUST_CHECK int iommu_attach(uint16_t source, hpa_t ram, uint64_t size);
/** The device reaches nothing when this returns. The domain goes with its last device. */
void iommu_detach(uint16_t source);

/** Entry `index` (below BH_DEVICE_IRQ_MAX) turns the message it returns, from this device alone,
 * into `vector` of the first CPU. */
void iommu_irq_allow(unsigned index, uint16_t source, unsigned vector, uint64_t *ret_address,
		     uint32_t *ret_data);
void iommu_irq_forbid(unsigned index);

/** Takes what the units have recorded. Returns a bit for each partition whose device was denied
 * something. */
uint64_t iommu_fault_take(void);
/** The fault with this number, or the oldest kept after it. -BH_NOENT: none yet. */
BH_MUST_CHECK int iommu_fault_read(uint64_t number, struct bh_iommu_fault *ret_fault);

/** Walks all domains: true when each maps only what its partition owns (and no frame at all). */
bool iommu_check_isolation(void);

#endif
