/* SPDX-License-Identifier: Apache-2.0 */
/* Any JSON between right checksums, in both copies; input that begins with the magic of LUKS: any
 * bytes at all. A header that passes has its keyslots and data where it may, and within the costs.
 */
#include "luks_policy.h"
#include "fakes/luks_header.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct luks_policy *p, size_t size)
{
	if (p->area_end > size || p->offset < p->area_end || p->offset > LUKS_AREA_MAX ||
	    (p->sector_size != 512 && p->sector_size != 4096) || p->size % p->sector_size) {
		abort();
	}
	for (unsigned i = 0; i < LUKS_POLICY_SLOTS; i++) {
		const struct luks_slot *s = &p->slots[i];

		if (s->kind != LUKS_SLOT_FREE &&
		    (s->area < 2 * p->metadata_size || s->area + s->area_size > p->area_end ||
		     s->memory > LUKS_MEMORY_MAX)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t header[2u << 20];
	const size_t json = size / 2;
	struct luks_policy policy;
	struct why why = {""};
	char token[256];

	memset(header, 0, 2 * LUKS_HEADER_COPY);
	if (size > 4 && memcmp(data, "LUKS", 4) == 0) {
		memcpy(header, data, size < sizeof(header) ? size : sizeof(header));
	} else {
		/* The second half is another header, when there is a NUL between. */
		bool two = memchr(data, 0, size) != NULL;

		luks_header_make(header, 0, 1, (const char *)data, two ? json : size);
		luks_header_make(header + LUKS_HEADER_COPY, LUKS_HEADER_COPY, size % 3,
				 (const char *)data + (two ? json : 0), two ? size - json : size);
	}
	if (luks_policy_check(header, sizeof(header), &policy, &why) == 0) {
		check(&policy, sizeof(header));
		(void)luks_policy_token(header, sizeof(header), 0, token, sizeof(token));
	} else if (strlen(why.text) >= sizeof(why.text)) {
		abort();
	}
	return 0;
}
