/* SPDX-License-Identifier: Apache-2.0 */
/** Reader of the DMAR table. No length in it is believed before it was compared with what contains
 * it. */
#include "iommu/dmar.h"

#include "lib/boot_info.h"
#include "lib/string.h"

#define HEADER_SIZE 48u
#define AT_WIDTH    36u

#define TYPE_DRHD 0u
#define TYPE_RMRR 1u

#define DRHD_SIZE 16u
#define DRHD_ALL  1u
#define RMRR_SIZE 24u

#define SCOPE_SIZE 6u

static uint64_t get(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

static int refuse(enum bh_err err, const char *what)
{
	boot_error = what;
	return -(int)err;
}

bool dmar_scope_next(struct dmar_scopes *scopes, struct dmar_scope *ret)
{
	const uint8_t *at = scopes->at;

	if (!scopes->size) {
		return false;
	}
	*ret = (struct dmar_scope){.type = at[0],
				   .bus = at[5],
				   .depth = (at[1] - SCOPE_SIZE) / 2u,
				   .path = at + SCOPE_SIZE};
	scopes->at += at[1];
	scopes->size -= at[1];
	return true;
}

static int check_scopes(struct dmar_scopes scopes)
{
	while (scopes.size) {
		uint32_t size = scopes.size >= 2 ? scopes.at[1] : 0;

		if (size < SCOPE_SIZE + 2 || size % 2 || size > scopes.size) {
			return refuse(BH_CORRUPT, "DMAR: a device scope has an impossible length");
		}
		for (uint32_t i = SCOPE_SIZE; i < size; i += 2) {
			if (scopes.at[i] > 31 || scopes.at[i + 1] > 7) {
				return refuse(BH_CORRUPT,
					      "DMAR: a device scope names no PCI function");
			}
		}
		scopes.at += size;
		scopes.size -= size;
	}
	return 0;
}

static int parse_unit(const uint8_t *at, uint32_t size, struct dmar *ret)
{
	struct dmar_unit unit;

	if (size < DRHD_SIZE) {
		return refuse(BH_CORRUPT, "DMAR: a remapping unit is truncated");
	}
	unit = (struct dmar_unit){
		get(at + 8, 8), at[4] & DRHD_ALL, {at + DRHD_SIZE, size - DRHD_SIZE}};
	if (get(at + 6, 2)) {
		return refuse(BH_NOSUPP, "DMAR: a remapping unit for another PCI segment than 0");
	}
	if (!unit.base || !IS_ALIGNED(unit.base, PAGE_SIZE) || unit.base >= BIT(ret->width)) {
		return refuse(BH_CORRUPT,
			      "DMAR: registers of a remapping unit at an impossible address");
	}
	for (uint32_t i = 0; i < ret->unit_count; i++) {
		if (ret->unit[i].base == unit.base) {
			return refuse(BH_CORRUPT, "DMAR: two remapping units at one address");
		}
	}
	if (ret->unit_count == DMAR_UNIT_MAX) {
		return refuse(BH_NOSUPP, "DMAR: more than 8 remapping units");
	}
	ret->unit[ret->unit_count++] = unit;
	return check_scopes(unit.scopes);
}

static int parse_region(const uint8_t *at, uint32_t size, struct dmar *ret)
{
	struct dmar_region region;
	uint64_t limit;

	if (size < RMRR_SIZE) {
		return refuse(BH_CORRUPT, "DMAR: a reserved memory region is truncated");
	}
	region = (struct dmar_region){get(at + 8, 8), 0, {at + RMRR_SIZE, size - RMRR_SIZE}};
	limit = get(at + 16, 8);
	if (limit < region.base) {
		return refuse(BH_CORRUPT, "DMAR: a reserved memory region ends before it begins");
	}
	region.end = limit + 1;
	if (limit >= BIT(ret->width) || !IS_ALIGNED(region.base | region.end, PAGE_SIZE)) {
		return refuse(BH_CORRUPT,
			      "DMAR: a reserved memory region at an impossible address");
	}
	if (get(at + 6, 2)) {
		return refuse(BH_NOSUPP,
			      "DMAR: a reserved memory region of another PCI segment than 0");
	}
	if (ret->region_count == DMAR_REGION_MAX) {
		return refuse(BH_NOSUPP, "DMAR: more than 16 reserved memory regions");
	}
	ret->region[ret->region_count++] = region;
	return check_scopes(region.scopes);
}

int dmar_parse(const uint8_t *table, uint32_t size, struct dmar *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (size < HEADER_SIZE || memcmp(table, "DMAR", 4) != 0 || get(table + 4, 4) != size) {
		return refuse(BH_CORRUPT, "DMAR: the table is truncated");
	}
	ret->width = table[AT_WIDTH] + 1u;
	if (ret->width < 32 || ret->width > 52) {
		return refuse(BH_CORRUPT, "DMAR: an impossible address width");
	}
	for (uint32_t at = HEADER_SIZE, length; at < size; at += length) {
		uint64_t type;
		int err = 0;

		length = size - at >= 4 ? (uint32_t)get(table + at + 2, 2) : 0;
		if (length < 4 || length > size - at) {
			return refuse(BH_CORRUPT, "DMAR: an entry has an impossible length");
		}
		type = get(table + at, 2);
		if (type == TYPE_DRHD) {
			err = parse_unit(table + at, length, ret);
		} else if (type == TYPE_RMRR) {
			err = parse_region(table + at, length, ret);
		}
		if (err) {
			return err;
		}
	}
	return ret->unit_count ? 0 : refuse(BH_CORRUPT, "DMAR: the table names no remapping unit");
}
