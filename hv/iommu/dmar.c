/* SPDX-License-Identifier: Apache-2.0 */
/** Reader of the DMAR table. No length in it is believed before it was compared with what contains
 * it. */
#include "iommu/dmar.h"

#include "lib/boot_info.h"
#include "lib/string.h"

#define HEADER_SIZE 48u
#define AT_WIDTH    36u
#define TYPE_DRHD   0u
#define TYPE_RMRR   1u
#define DRHD_SIZE   16u
#define RMRR_SIZE   24u
#define SCOPE_SIZE  6u

bool dmar_region_names(const struct dmar_region *region, uint16_t source)
{
	const uint8_t *at = region->scopes, *end = at + region->scopes_size, *last;

	for (; at < end; at += at[1]) {
		last = at + at[1] - 2;
		if ((last[0] << 3 | last[1]) == (source & 0xff) &&
		    (at[1] > SCOPE_SIZE + 2 || at[5] == source >> 8)) {
			return true;
		}
	}
	return false;
}

static const char *check_scopes(const uint8_t *at, uint32_t left)
{
	for (uint32_t size; left; at += size, left -= size) {
		size = left >= 2 ? at[1] : 0;
		if (size < SCOPE_SIZE + 2 || size % 2 || size > left) {
			return "DMAR: a device scope has an impossible length";
		}
		for (uint32_t i = SCOPE_SIZE; i < size; i += 2) {
			if (at[i] > 31 || at[i + 1] > 7) {
				return "DMAR: a device scope names no PCI function";
			}
		}
	}
	return NULL;
}

static const char *parse_unit(const uint8_t *at, uint32_t size, struct dmar *ret)
{
	uint64_t base = size < DRHD_SIZE ? 0 : load_le(at + 8, 8);

	for (uint32_t i = 0; i < ret->unit_count; i++) {
		if (ret->unit[i] == base) {
			return "DMAR: two remapping units at one address";
		}
	}
	if (size < DRHD_SIZE || ret->unit_count == DMAR_UNIT_MAX) {
		return size < DRHD_SIZE ? "DMAR: a remapping unit is truncated"
					: "DMAR: more than 8 remapping units";
	}
	ret->unit[ret->unit_count++] = base;
	return load_le(at + 6, 2) ? "DMAR: a remapping unit of another PCI segment than 0"
	       : !base || !IS_ALIGNED(base, PAGE_SIZE) || base >= BIT(ret->width)
		       ? "DMAR: registers of a remapping unit at an impossible address"
		       : check_scopes(at + DRHD_SIZE, size - DRHD_SIZE);
}

static const char *parse_region(const uint8_t *at, uint32_t size, struct dmar *ret)
{
	uint64_t base, limit;

	if (size < RMRR_SIZE || ret->region_count == DMAR_REGION_MAX) {
		return size < RMRR_SIZE ? "DMAR: a reserved memory region is truncated"
					: "DMAR: more than 16 reserved memory regions";
	}
	base = load_le(at + 8, 8);
	limit = load_le(at + 16, 8);
	ret->region[ret->region_count++] =
		(struct dmar_region){base, limit + 1, at + RMRR_SIZE, size - RMRR_SIZE};
	return load_le(at + 6, 2) ? "DMAR: a reserved memory region of another PCI segment than 0"
	       : limit < base	  ? "DMAR: a reserved memory region ends before it begins"
	       : limit >= BIT(ret->width) || !IS_ALIGNED(base | (limit + 1), PAGE_SIZE)
		       ? "DMAR: a reserved memory region at an impossible address"
		       : check_scopes(at + RMRR_SIZE, size - RMRR_SIZE);
}

static const char *parse(const uint8_t *table, uint32_t size, struct dmar *ret)
{
	const char *wrong = NULL;

	if (size < HEADER_SIZE || memcmp(table, "DMAR", 4) != 0 || load_le(table + 4, 4) != size) {
		return "DMAR: the table is truncated";
	}
	ret->width = table[AT_WIDTH] + 1u;
	if (ret->width < 32 || ret->width > 52) {
		return "DMAR: an impossible address width";
	}
	for (uint32_t at = HEADER_SIZE, length; at < size && !wrong; at += length) {
		length = size - at >= 4 ? (uint32_t)load_le(table + at + 2, 2) : 0;
		if (length < 4 || length > size - at) {
			return "DMAR: an entry has an impossible length";
		}
		if (load_le(table + at, 2) == TYPE_DRHD) {
			wrong = parse_unit(table + at, length, ret);
		} else if (load_le(table + at, 2) == TYPE_RMRR) {
			wrong = parse_region(table + at, length, ret);
		}
	}
	return wrong || ret->unit_count ? wrong : "DMAR: the table names no remapping unit";
}

int dmar_parse(const uint8_t *table, uint32_t size, struct dmar *ret)
{
	const char *wrong;

	memset(ret, 0, sizeof(*ret));
	wrong = parse(table, size, ret);
	if (wrong) {
		boot_error = wrong;
	}
	return wrong ? -BH_CORRUPT : 0;
}
