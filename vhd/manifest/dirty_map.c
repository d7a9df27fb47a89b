/* SPDX-License-Identifier: Apache-2.0 */
/* Two slots, written in turn, each whole and with a MAC: a torn one is as good as none. */
#include "dirty_map.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define MAC_SIZE    32u
#define FLAG_PINNED 1u

/* Before the bits of a slot. Numbers are little endian. */
struct slot_header {
	char magic[8];
	uint8_t epoch[8];
	uint8_t sequence[8];
	uint8_t flags[8];
	uint8_t mac[MAC_SIZE]; /* HMAC-SHA-256 of the slot with this field zero */
};

_Static_assert(sizeof(struct slot_header) == 64, "as docs/SPEC-manifest.md says");

static const char slot_magic[8] = {'B', 'H', 'D', 'I', 'R', 'T', 'Y', '1'};

static size_t bits_size(uint64_t page_count)
{
	return (size_t)((page_count + 7) / 8);
}

uint64_t dirty_map_slot_size(uint64_t page_count)
{
	return sizeof(struct slot_header) + bits_size(page_count);
}

static void put64(uint8_t at[8], uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		at[i] = (uint8_t)(value >> (8 * i));
	}
}

static uint64_t get64(const uint8_t at[8])
{
	uint64_t value = 0;

	for (unsigned i = 8; i > 0; i--) {
		value = value << 8 | at[i - 1];
	}
	return value;
}

int dirty_map_init(struct dirty_map *map, struct file *file, const uint64_t offset[2],
		   uint64_t page_count, const uint8_t key[DIRTY_MAP_KEY])
{
	uint8_t *bits = calloc(1, bits_size(page_count) + 1);

	if (!bits) {
		return -ENOMEM;
	}
	*map = (struct dirty_map){.file = file,
				  .offset = {offset[0], offset[1]},
				  .page_count = page_count,
				  .bits = bits};
	memcpy(map->key, key, DIRTY_MAP_KEY);
	return 0;
}

void dirty_map_fini(struct dirty_map *map)
{
	free(map->bits);
	OPENSSL_cleanse(map->key, sizeof(map->key));
	map->bits = NULL;
}

/* The MAC of a slot whose mac field is zero. */
static int make_mac(const struct dirty_map *map, const void *slot, size_t size,
		    uint8_t ret_mac[MAC_SIZE])
{
	return HMAC(EVP_sha256(), map->key, DIRTY_MAP_KEY, slot, size, ret_mac, NULL) ? 0 : -EIO;
}

/* Reads a slot whole. -ENOENT: it is not of this epoch, or not right. */
static int read_slot(const struct dirty_map *map, unsigned slot, uint64_t epoch, uint8_t *bytes,
		     size_t size)
{
	struct slot_header *header = (struct slot_header *)bytes;
	uint8_t found[MAC_SIZE], wanted[MAC_SIZE];
	int rc = file_read(map->file, bytes, size, map->offset[slot]);

	if (rc < 0) {
		return rc;
	}
	memcpy(found, header->mac, MAC_SIZE);
	memset(header->mac, 0, MAC_SIZE);
	rc = make_mac(map, bytes, size, wanted);
	if (!rc && (memcmp(header->magic, slot_magic, sizeof(slot_magic)) != 0 ||
		    get64(header->epoch) != epoch || CRYPTO_memcmp(found, wanted, MAC_SIZE) != 0)) {
		rc = -ENOENT;
	}
	return rc;
}

static void take_slot(struct dirty_map *map, unsigned slot, const uint8_t *bytes)
{
	const struct slot_header *header = (const struct slot_header *)bytes;

	map->slot = slot;
	map->epoch = get64(header->epoch);
	map->sequence = get64(header->sequence);
	map->pinned_dirty = get64(header->flags) & FLAG_PINNED;
	memcpy(map->bits, bytes + sizeof(*header), bits_size(map->page_count));
}

int dirty_map_load(struct dirty_map *map, uint64_t epoch)
{
	size_t size = (size_t)dirty_map_slot_size(map->page_count);
	uint8_t *bytes = malloc(size);
	bool found = false;
	int rc = bytes ? 0 : -ENOMEM;

	for (unsigned slot = 0; !rc && slot < 2; slot++) {
		const struct slot_header *header = (const struct slot_header *)bytes;

		rc = read_slot(map, slot, epoch, bytes, size);
		if (!rc && (!found || get64(header->sequence) > map->sequence)) {
			take_slot(map, slot, bytes);
			found = true;
		}
		rc = rc == -ENOENT ? 0 : rc;
	}
	free(bytes);
	return rc ? rc : found ? 0 : -ENOENT;
}

int dirty_map_store(struct dirty_map *map, uint64_t epoch, const uint8_t *bits, bool pinned_dirty)
{
	size_t size = (size_t)dirty_map_slot_size(map->page_count);
	struct slot_header *header = calloc(1, size);
	unsigned slot = 1 - map->slot;
	uint8_t mac[MAC_SIZE];
	int rc;

	if (!header) {
		return -ENOMEM;
	}
	memcpy(header->magic, slot_magic, sizeof(slot_magic));
	put64(header->epoch, epoch);
	put64(header->sequence, map->sequence + 1);
	put64(header->flags, pinned_dirty ? FLAG_PINNED : 0);
	memcpy(header + 1, bits, bits_size(map->page_count));
	rc = make_mac(map, header, size, mac);
	memcpy(header->mac, mac, MAC_SIZE);
	rc = rc ? rc : file_write(map->file, header, size, map->offset[slot]);
	if (!rc) {
		rc = file_flush(map->file);
		map->flush_failed = map->flush_failed || rc;
	}
	if (!rc) {
		take_slot(map, slot, (const uint8_t *)header);
	}
	free(header);
	return rc;
}
