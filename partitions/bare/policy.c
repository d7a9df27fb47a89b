/* SPDX-License-Identifier: Apache-2.0 */
/** Loads changed copies of the machine's own policy table, for the guest that asks by GUEST_PORT_POLICY. */
#include "abi/policy.h"
#include "bare.h"

static union {
	struct bh_policy head;
	uint8_t bytes[BH_PAGE_SIZE];
} boot, changed __attribute__((aligned(4096)));

static struct bh_policy_info info __attribute__((aligned(128)));
static int64_t last;

void policy_init(const void *table, uint64_t size)
{
	if (size >= sizeof(boot.head)) {
		memcpy(&boot, table, size < sizeof(boot) ? size : sizeof(boot));
	}
}

/* CRC-32C, RFC 3720 appendix B.4. */
static uint32_t checksum(const uint8_t *bytes, uint32_t size)
{
	uint32_t crc = ~0u;

	for (uint32_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
		}
	}
	return ~crc;
}

void policy_try(uint32_t changes)
{
	struct bh_policy_part *guest = (struct bh_policy_part *)(&changed.head + 1) + BARE_PART;

	memcpy(&changed, &boot, sizeof(boot));
	guest->ring_to = changes & GUEST_POLICY_NO_RING ? 0 : guest->ring_to;
	guest->irq_from = changes & GUEST_POLICY_NO_IRQ ? 0 : guest->irq_from;
	guest->cap = changes & GUEST_POLICY_CAP ? 10 : guest->cap;
	guest->doorbell_count += changes & GUEST_POLICY_MORE ? 1 : 0;
	guest->map_by |= changes & GUEST_POLICY_RIGHTS ? 1u << BARE_PART : 0;
	changed.head.crc32c = 0;
	changed.head.crc32c = checksum(changed.bytes, changed.head.size);
	guest->weight ^= changes & GUEST_POLICY_DAMAGED ? 1 : 0;
	last = guest_hypercall(BH_HC_POLICY_LOAD, (uint64_t)&changed, changed.head.size, 0);
}

uint32_t policy_result(void)
{
	if (guest_hypercall(BH_HC_POLICY_INFO, (uint64_t)&info, 0, 0) != 0) {
		return UINT32_MAX;
	}
	return info.loads << 8 | (uint8_t)-last;
}
