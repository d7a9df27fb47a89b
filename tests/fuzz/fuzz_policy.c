/* SPDX-License-Identifier: Apache-2.0 */
/** Policy tables of any content. The checksum is made right first, so that the checks behind it are
 *  reached; a table that passes must keep the promises the core builds on. */
#include <stdlib.h>
#include <string.h>

#include "lib/crc32c.h"
#include "part/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bh_policy *head = malloc(size ? size : 1);
	const struct bh_policy_device *device;
	const struct bh_policy_part *part;

	if (!head) {
		return 0;
	}
	memcpy(head, data, size);
	if (size >= sizeof(*head) && head->size <= size && head->size >= sizeof(*head)) {
		head->crc32c = 0;
		head->crc32c = crc32c(0, head, head->size);
	}
	if (!policy_check(head, size)) {
		part = (const struct bh_policy_part *)(head + 1);
		for (uint32_t i = 0; i < head->part_count; i++) {
			if (part[i].vcpu_count > BH_VCPU_MAX || part[i].weight == 0 ||
			    part[i].ram_size == 0 || part[i].cap > 100 * BH_VCPU_MAX ||
			    (part[i].map_by | part[i].ring_to | part[i].irq_from) >>
				    head->part_count ||
			    memchr(part[i].name, 0, 16) == NULL) {
				abort();
			}
		}
		device = (const struct bh_policy_device
				  *)((const struct bh_policy_module *)(part + head->part_count) +
				     head->module_count);
		for (uint32_t i = 0; i < head->device_count; i++) {
			if (device[i].part == 0 || device[i].part >= head->part_count ||
			    memchr(device[i].role, 0, 16) == NULL) {
				abort();
			}
		}
	}
	free(head);
	return 0;
}
