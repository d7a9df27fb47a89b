/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a manifest while its disk is open. The order of writes is what docs/SPEC-manifest.md
 * proves: whatever a power cut leaves, the manifest in force names an area with its top, the pages
 * that do not fit that top are in the dirty map of its epoch, and that map is in a slot that nobody
 * overwrites before the next manifest is in force. */
#define _GNU_SOURCE

#include "manifest_seen.h"
#include "verify_state.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hash_range(struct verify *verify, uint64_t offset, size_t size, uint8_t *buffer,
		      uint8_t ret_hash[HASH_TREE_HASH])
{
	int rc = layer_read(verify->layer.below, buffer, size, offset);

	return rc ? rc : hash_tree_hash(buffer, size, ret_hash);
}

static int hash_pinned(struct verify *verify, uint8_t ret_hash[HASH_TREE_HASH])
{
	size_t size = (size_t)verify->manifest.pinned_size;
	uint8_t *buffer = malloc(size + 1);
	int rc = buffer ? 0 : -ENOMEM;

	rc = rc ? rc : hash_range(verify, 0, size, buffer, ret_hash);
	free(buffer);
	return rc;
}

/* How many chunks of [first, last] are dirty. */
static unsigned count_dirty(const struct verify *verify, uint64_t first, uint64_t last)
{
	unsigned count = 0;

	for (uint64_t chunk = first; chunk <= last; chunk++) {
		count += verify_get_bit(verify->dirty, chunk);
	}
	return count;
}

/* Chunks that are not dirty keep their leaves, which the old page proves. */
static int seal_page(struct verify *verify, uint64_t page, uint8_t *buffer)
{
	uint64_t first = page * HASH_TREE_FAN, count = hash_tree_chunk_count(verify->tree);
	uint64_t last = count - first < HASH_TREE_FAN ? count - 1 : first + HASH_TREE_FAN - 1;
	unsigned dirty = count_dirty(verify, first, last);
	struct hash_tree_page leaves = {0};
	int rc = 0;

	if (dirty == 0) {
		return 0;
	}
	if (dirty <= last - first) {
		rc = hash_tree_get_page(verify->tree, page, &leaves);
	}
	for (uint64_t chunk = first; !rc && chunk <= last; chunk++) {
		if (verify_get_bit(verify->dirty, chunk)) {
			rc = hash_range(verify, chunk * VERIFY_CHUNK,
					verify_chunk_size(verify, chunk), buffer,
					leaves.leaves[chunk - first]);
		}
	}
	return rc ? rc : hash_tree_put_page(verify->tree, page, &leaves);
}

static int seal_pages(struct verify *verify)
{
	uint8_t *buffer = malloc(HASH_TREE_CHUNK);
	int rc = buffer ? 0 : -ENOMEM;

	for (uint64_t page = 0; !rc && page < verify->map.page_count; page++) {
		if (verify_get_bit(verify->map.bits, page)) {
			rc = seal_page(verify, page, buffer);
		}
	}
	free(buffer);
	return rc;
}

static int write_manifest(struct verify *verify, struct manifest *next)
{
	int rc;

	manifest_set_subject(next, &verify->subject);
	rc = manifest_write(verify->folder, next, verify->signer);
	if (!rc) {
		verify->manifest = *next;
		rc = manifest_seen_check(verify->seen, next, NULL);
	}
	return rc;
}

/* All chunks that were dirty are known now. */
static void forget_dirty(struct verify *verify)
{
	size_t size = verify_bits_size(hash_tree_chunk_count(verify->tree));

	for (size_t i = 0; i < size; i++) {
		verify->known[i] |= verify->dirty[i];
	}
	memset(verify->dirty, 0, size);
	memset(verify->wanted, 0, verify_bits_size(verify->map.page_count));
	verify->pinned_wanted = false;
	verify->checked_count += verify->believed_count;
	verify->believed_count = 0;
}

/* The map of the next epoch goes to the slot that the one in force does not use. When this fails,
 * nobody knows which manifest is in force: nothing may be written any more that only one of them
 * allows for. */
static int write_next(struct verify *verify, struct manifest *next)
{
	uint8_t *none = calloc(1, verify_bits_size(verify->map.page_count));
	int rc = -ENOMEM;

	if (none) {
		rc = next->state == MANIFEST_OPEN
			     ? dirty_map_store(&verify->map, next->epoch, none, false)
			     : hash_tree_flush(verify->tree);
		rc = rc ? rc : write_manifest(verify, next);
		verify->broken = verify->manifest.epoch != next->epoch;
	}
	free(none);
	return rc;
}

static int seal(struct verify *verify, enum manifest_state state)
{
	struct manifest next = verify->manifest;
	int rc = verify->broken ? -EIO : layer_flush(verify->layer.below);

	next.state = state;
	next.epoch++;
	next.tree_area = 1 - verify->manifest.tree_area;
	rc = rc ? rc : seal_pages(verify);
	if (!rc && verify->map.pinned_dirty) {
		rc = hash_pinned(verify, next.pinned_hash);
	}
	rc = rc ? rc : hash_tree_store(verify->tree, next.tree_area, next.tree_root);
	rc = rc ? rc : write_next(verify, &next);
	if (verify->manifest.epoch == next.epoch) {
		forget_dirty(verify);
	}
	return rc;
}

static int begin_sealing(struct verify *verify)
{
	int rc = 0;

	fiber_mutex_lock(&verify->gate);
	if (verify->sealing || (verify->in_flight && !fiber_self())) {
		rc = -EBUSY;
	} else {
		verify->sealing = true;
		while (verify->in_flight) {
			fiber_queue_wait(&verify->waiting, &verify->gate);
		}
	}
	fiber_mutex_unlock(&verify->gate);
	return rc;
}

int layer_verify_checkpoint(struct layer *layer)
{
	struct verify *verify = (struct verify *)layer;
	int rc;

	if (!verify->session) {
		return 0;
	}
	rc = begin_sealing(verify);
	if (rc < 0) {
		return rc;
	}
	rc = seal(verify, MANIFEST_OPEN);
	verify->sealing = false;
	fiber_queue_wake_all(&verify->waiting);
	return rc;
}

static void destroy(struct verify *verify)
{
	if (verify->map.bits) {
		dirty_map_fini(&verify->map);
	}
	hash_tree_close(verify->tree);
	signer_destroy(verify->signer);
	free(verify->known);
	free(verify->dirty);
	free(verify->wanted);
	free(verify);
}

int verify_close(struct layer *layer)
{
	struct verify *verify = (struct verify *)layer;
	int rc = verify->session ? seal(verify, MANIFEST_SEALED) : 0;

	destroy(verify);
	return rc;
}

static int open_tree(struct verify *verify, bool write, struct why *why)
{
	const struct manifest *manifest = &verify->manifest;
	char name[NAME_MAX + 1];
	struct file *file;
	int n = snprintf(name, sizeof(name), "%s" HASH_TREE_SUFFIX, verify->subject.image);
	int rc = n < 0 || n > NAME_MAX ? -ENAMETOOLONG : 0;

	rc = rc ? rc
		: folder_open_file(verify->folder, name, write ? FOLDER_WRITE : FOLDER_READ, &file);
	if (rc < 0) {
		return why_set(why, rc == -ENOENT ? -EBADMSG : rc,
			       "the hash tree of the disk (its .tree file) cannot be opened");
	}
	rc = hash_tree_open(file, manifest->size, false, &verify->tree);
	if (rc < 0) {
		file_close(file);
	}
	rc = rc ? rc : hash_tree_load(verify->tree, manifest->tree_area, manifest->tree_root);
	return rc ? why_set(why, rc,
			    "the hash tree of the disk is damaged or not the one of its manifest; "
			    "if the disk is trusted, seal it anew")
		  : 0;
}

static int allocate(struct verify *verify)
{
	size_t size = verify_bits_size(hash_tree_chunk_count(verify->tree));

	verify->known = calloc(1, size);
	verify->dirty = calloc(1, size);
	verify->wanted = calloc(1, verify_bits_size(hash_tree_page_count(verify->tree)));
	return verify->known && verify->dirty && verify->wanted ? 0 : -ENOMEM;
}

static int make_signer(struct verify *verify, const struct layer_verify_options *options,
		       struct why *why)
{
	bool is_signed = verify->manifest.signature_size > 0;
	bool is_needed = options->write || verify->manifest.state == MANIFEST_OPEN;

	if (options->sign_key && is_needed) {
		return signer_create(options->sign_key, &verify->signer, why);
	}
	if (is_signed && options->write) {
		return why_set(why, -EKEYREJECTED,
			       "the manifest of the disk is signed: writing the disk needs the "
			       "signing key");
	}
	if (is_signed && is_needed) {
		return why_set(why, -EKEYREJECTED,
			       "the disk was not closed properly and its manifest is signed: give "
			       "the signing key, or open the disk for writing once with it");
	}
	return 0;
}

/* The MAC of the map is that of the manifest in force: keyed when that is signed. */
static int make_map(struct verify *verify, bool keyed)
{
	uint64_t offset[2] = {hash_tree_slot(verify->tree, 0), hash_tree_slot(verify->tree, 1)};
	uint8_t key[DIRTY_MAP_KEY] = {0};
	int rc = keyed ? signer_derive(verify->signer, "dirty map", key) : 0;

	return rc ? rc
		  : dirty_map_init(&verify->map, hash_tree_file(verify->tree), offset,
				   hash_tree_page_count(verify->tree), key);
}

static void believe_page(struct verify *verify, uint64_t page)
{
	uint64_t count = hash_tree_chunk_count(verify->tree);

	for (uint64_t i = 0; i < HASH_TREE_FAN && page * HASH_TREE_FAN + i < count; i++) {
		verify_set_bit(verify->dirty, page * HASH_TREE_FAN + i);
		verify->believed_count++;
	}
	verify_set_bit(verify->wanted, page);
}

/* After an unclean end. */
static int load_map(struct verify *verify, struct why *why)
{
	int rc = dirty_map_load(&verify->map, verify->manifest.epoch);

	if (rc < 0) {
		return why_set(why, rc == -ENOENT ? -EBADMSG : rc,
			       "the disk was not closed properly, and the record of what was "
			       "written is damaged; if the disk is trusted, seal it anew");
	}
	for (uint64_t page = 0; page < verify->map.page_count; page++) {
		if (verify_get_bit(verify->map.bits, page)) {
			believe_page(verify, page);
		}
	}
	verify->pinned_wanted = verify->map.pinned_dirty;
	return 0;
}

static int check_pinned(struct verify *verify, struct why *why)
{
	uint8_t hash[HASH_TREE_HASH];
	int rc;

	if (!verify->manifest.pinned_size || verify->map.pinned_dirty) {
		return 0;
	}
	rc = hash_pinned(verify, hash);
	if (!rc && memcmp(hash, verify->manifest.pinned_hash, sizeof(hash)) != 0) {
		rc = why_set(why, -EKEYREJECTED,
			     "the encryption header of the disk is not the one of its manifest: "
			     "somebody changed it. Restore the header from a backup, or seal the "
			     "disk anew if you changed it yourself");
	}
	return rc;
}

/* First the map of the new epoch, then its manifest. */
int layer_verify_begin(struct layer *layer, struct why *why)
{
	struct verify *verify = (struct verify *)layer;
	struct manifest next = verify->manifest;
	int rc = 0;

	if (layer->read_only || verify->session) {
		return 0;
	}
	next.state = MANIFEST_OPEN;
	next.epoch++;
	if (verify->signer && verify->manifest.signature_size == 0) {
		rc = signer_derive(verify->signer, "dirty map", verify->map.key);
	}
	rc = rc ? rc
		: dirty_map_store(&verify->map, next.epoch, verify->wanted, verify->pinned_wanted);
	rc = rc ? rc : write_manifest(verify, &next);
	if (rc < 0) {
		return why_set(why, rc,
			       "the manifest of the disk cannot be written; the disk can still be "
			       "opened for reading");
	}
	verify->session = true;
	return 0;
}

static int check_state(const struct verify *verify, bool write, struct why *why)
{
	char to[sizeof(verify->manifest.moved_to)];

	if (write && verify->manifest.state == MANIFEST_MOVED) {
		return why_set(why, -EREMOTE, "the disk has moved to %s and can only be read here",
			       why_quote(to, sizeof(to), verify->manifest.moved_to));
	}
	return 0;
}

static int take_subject(struct verify *verify, const struct manifest_subject *subject)
{
	int n = snprintf(verify->image, sizeof(verify->image), "%s", subject->image);

	verify->subject = *subject;
	verify->subject.image = verify->image;
	return n < 0 || n >= (int)sizeof(verify->image) ? -ENAMETOOLONG : 0;
}

int layer_verify_open(struct layer *below, const struct layer_verify_options *options,
		      struct layer **ret_layer, struct why *why)
{
	struct verify *verify = calloc(1, sizeof(*verify));
	bool write = options->write && !below->read_only;
	bool is_signed = options->manifest->signature_size > 0;
	int rc;

	if (!verify) {
		return -ENOMEM;
	}
	layer_init_over(&verify->layer, &verify_ops, below);
	verify->layer.read_only = !write;
	verify->folder = options->folder;
	verify->seen = options->seen;
	verify->manifest = *options->manifest;
	rc = take_subject(verify, options->subject);
	rc = rc ? rc : check_state(verify, write, why);
	rc = rc ? rc : open_tree(verify, write, why);
	rc = rc ? rc : allocate(verify);
	rc = rc ? rc : make_signer(verify, options, why);
	rc = rc ? rc : make_map(verify, is_signed && verify->signer);
	if (!rc && verify->manifest.state == MANIFEST_OPEN) {
		rc = load_map(verify, why);
	}
	rc = rc ? rc : check_pinned(verify, why);
	if (rc < 0) {
		destroy(verify);
		return rc;
	}
	*ret_layer = &verify->layer;
	return 0;
}
