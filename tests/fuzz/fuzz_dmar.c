/* SPDX-License-Identifier: Apache-2.0 */
/** DMAR tables of any content. The length in the header is made right first; what passes must keep the
 *  promises on which root mode maps registers and memory. */
#include <stdlib.h>
#include <string.h>

#include "iommu/dmar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *table = malloc(size ? size : 1);
	uint32_t length = (uint32_t)size;
	struct dmar dmar;

	if (!table) {
		return 0;
	}
	memcpy(table, data, size);
	if (size >= 8) {
		memcpy(table, "DMAR", 4);
		memcpy(table + 4, &length, 4);
	}
	if (dmar_parse(table, length, &dmar) == 0) {
		if (!dmar.unit_count || dmar.unit_count > DMAR_UNIT_MAX ||
		    dmar.region_count > DMAR_REGION_MAX) {
			abort();
		}
		for (uint32_t i = 0; i < dmar.unit_count; i++) {
			if (!dmar.unit[i] || dmar.unit[i] + PAGE_SIZE > BIT(52)) {
				abort();
			}
		}
		for (uint32_t i = 0; i < dmar.region_count; i++) {
			if (dmar.region[i].end <= dmar.region[i].base || dmar.region[i].end > BIT(52)) {
				abort();
			}
			(void)dmar_region_names(&dmar.region[i], data[size - 1]);
		}
	}
	free(table);
	return 0;
}
