/* SPDX-License-Identifier: Apache-2.0 */
/** DMAR tables of any content. The length in the header is made right first; what passes must keep the
 *  promises on which root mode maps registers and memory. */
#include <stdlib.h>
#include <string.h>

#include "iommu/dmar.h"

static void walk(struct dmar_scopes scopes, const uint8_t *table, size_t size)
{
	struct dmar_scope scope;

	while (dmar_scope_next(&scopes, &scope)) {
		if (!scope.depth || scope.path + 2 * scope.depth > table + size ||
		    scope.path[2 * scope.depth - 2] > 31 || scope.path[2 * scope.depth - 1] > 7) {
			abort();
		}
	}
}

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
			if (!dmar.unit[i].base || dmar.unit[i].base + PAGE_SIZE > BIT(52)) {
				abort();
			}
			walk(dmar.unit[i].scopes, table, size);
		}
		for (uint32_t i = 0; i < dmar.region_count; i++) {
			if (dmar.region[i].end <= dmar.region[i].base || dmar.region[i].end > BIT(52)) {
				abort();
			}
			walk(dmar.region[i].scopes, table, size);
		}
	}
	free(table);
	return 0;
}
