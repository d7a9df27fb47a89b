/* SPDX-License-Identifier: Apache-2.0 */
/* The tree is made under a temporary name and takes its own before the manifest that names it does:
 * a power cut between the two leaves a tree that the old manifest refuses, never one it believes.
 */
#define _GNU_SOURCE

#include "manifest_seal.h"

#include "hash_tree.h"
#include "manifest_seen.h"

#include <errno.h>
#include <limits.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEMPORARY ".new"

struct sealing {
	struct folder *folder;
	struct layer *payload;
	const struct manifest_seal *options;
	struct signer *signer;
	struct hash_tree *tree;
	uint64_t known_end; /* what the payload holds from the current chunk to here ... */
	bool known_zero;    /* ... is zeros for sure */
	uint8_t *buffer;    /* a chunk */
};

static int name_of(const char *image, const char *suffix, char ret_name[NAME_MAX + 1])
{
	int n = snprintf(ret_name, NAME_MAX + 1, "%s%s", image, suffix);

	return n < 0 || n > NAME_MAX ? -ENAMETOOLONG : 0;
}

/* Asked once for each extent: finding its end may take a file system long. */
static bool is_zero(struct sealing *sealing, uint64_t offset, uint64_t size)
{
	uint64_t length;
	unsigned extent;

	while (sealing->known_end <= offset ||
	       (sealing->known_zero && sealing->known_end < offset + size)) {
		uint64_t at = sealing->known_end > offset ? sealing->known_end : offset;

		if (layer_extent(sealing->payload, at, &length, &extent) < 0) {
			return false;
		}
		sealing->known_zero = extent & LAYER_ZERO;
		sealing->known_end = at + length;
	}
	return sealing->known_zero;
}

static int hash_chunk(struct sealing *sealing, uint64_t offset, uint8_t ret_leaf[HASH_TREE_HASH])
{
	uint64_t rest = sealing->payload->size - offset;
	size_t size = (size_t)(rest < HASH_TREE_CHUNK ? rest : HASH_TREE_CHUNK);
	int rc;

	if (is_zero(sealing, offset, size)) {
		memset(ret_leaf, 0, HASH_TREE_HASH);
		return 0;
	}
	rc = layer_read(sealing->payload, sealing->buffer, size, offset);
	return rc ? rc : hash_tree_hash(sealing->buffer, size, ret_leaf);
}

static int hash_page(struct sealing *sealing, uint64_t page)
{
	struct hash_tree_page leaves = {0};
	uint64_t first = page * HASH_TREE_FAN, count = hash_tree_chunk_count(sealing->tree);
	int rc = 0;

	for (uint64_t i = 0; !rc && i < HASH_TREE_FAN && first + i < count; i++) {
		rc = hash_chunk(sealing, (first + i) * HASH_TREE_CHUNK, leaves.leaves[i]);
	}
	return rc ? rc : hash_tree_put_page(sealing->tree, page, &leaves);
}

static int hash_all(struct sealing *sealing)
{
	const struct progress *progress = sealing->options->progress;
	uint64_t size = sealing->payload->size;
	int rc = 0;

	for (uint64_t page = 0; !rc && page < hash_tree_page_count(sealing->tree); page++) {
		rc = progress_step(progress, page * HASH_TREE_SPAN, size);
		rc = rc ? rc : hash_page(sealing, page);
	}
	return rc ? rc : progress_step(progress, size, size);
}

static int hash_pinned(struct sealing *sealing, struct manifest *manifest)
{
	size_t size = (size_t)manifest->pinned_size;
	uint8_t *buffer = malloc(size + 1);
	int rc = buffer ? 0 : -ENOMEM;

	rc = rc || !size ? rc : layer_read(sealing->payload, buffer, size, 0);
	rc = rc ? rc : hash_tree_hash(buffer, size, manifest->pinned_hash);
	free(buffer);
	return rc;
}

static int write_tree(struct sealing *sealing, struct manifest *manifest, const char *temporary)
{
	struct file *file;
	int rc = folder_remove(sealing->folder, temporary); /* left by a power cut */

	if (rc < 0 && rc != -ENOENT) {
		return rc;
	}
	rc = folder_open_file(sealing->folder, temporary, FOLDER_CREATE, &file);
	if (rc < 0) {
		return rc;
	}
	rc = hash_tree_open(file, sealing->payload->size, true, &sealing->tree);
	if (rc < 0) {
		file_close(file);
		return rc;
	}
	rc = hash_all(sealing);
	rc = rc ? rc : hash_pinned(sealing, manifest);
	rc = rc ? rc : hash_tree_store(sealing->tree, 0, manifest->tree_root);
	return rc ? rc : hash_tree_flush(sealing->tree);
}

static int take_texts(struct manifest *manifest, const struct manifest_seal *options)
{
	if (options->owner) {
		if (strlen(options->owner) >= sizeof(manifest->owner)) {
			return -EINVAL;
		}
		strcpy(manifest->owner, options->owner);
	}
	if (!options->roles) {
		return 0;
	}
	manifest->role_count = 0;
	for (; options->roles[manifest->role_count]; manifest->role_count++) {
		const char *role = options->roles[manifest->role_count];

		if (manifest->role_count == MANIFEST_ROLE_MAX ||
		    strlen(role) >= sizeof(manifest->roles[0])) {
			return -EINVAL;
		}
		strcpy(manifest->roles[manifest->role_count], role);
	}
	return 0;
}

/* With a key, only what that key has signed is taken over. */
static int take_former(struct sealing *sealing, struct manifest *manifest)
{
	struct folder *seen = sealing->options->seen;
	const char *image = sealing->options->subject->image;
	char public_key[512];
	uint64_t epoch = 0;
	int rc = 0;

	if (sealing->signer) {
		rc = signer_get_public(sealing->signer, public_key, sizeof(public_key));
	}
	if (!rc && manifest_read(sealing->folder, image, sealing->signer ? public_key : NULL,
				 manifest, NULL)) {
		*manifest = (struct manifest){0};
		rc = RAND_bytes(manifest->disk_id, sizeof(manifest->disk_id)) == 1 ? 0 : -EIO;
	}
	rc = rc || !seen ? rc : manifest_seen_get(seen, manifest->disk_id, &epoch);
	manifest->epoch = (epoch > manifest->epoch ? epoch : manifest->epoch) + 1;
	return rc;
}

static int fill(struct sealing *sealing, struct manifest *manifest)
{
	const struct manifest_seal *options = sealing->options;
	int rc = take_former(sealing, manifest);

	manifest->state = MANIFEST_SEALED;
	manifest->moved_to[0] = 0;
	manifest->encrypted = options->encrypted;
	manifest->pinned_size = options->pinned_size;
	manifest->tree_area = 0;
	manifest_set_subject(manifest, options->subject);
	return rc ? rc : take_texts(manifest, options);
}

static int seal(struct sealing *sealing, struct manifest *manifest)
{
	const char *image = sealing->options->subject->image;
	char temporary[NAME_MAX + 1], name[NAME_MAX + 1];
	int rc = name_of(image, HASH_TREE_SUFFIX TEMPORARY, temporary);

	rc = rc ? rc : name_of(image, HASH_TREE_SUFFIX, name);
	if (rc < 0) {
		return rc;
	}
	rc = write_tree(sealing, manifest, temporary);
	hash_tree_close(sealing->tree);
	rc = rc ? rc : folder_rename(sealing->folder, temporary, name);
	if (rc < 0) {
		(void)!folder_remove(sealing->folder, temporary);
		return rc;
	}
	rc = folder_flush(sealing->folder);
	rc = rc ? rc : manifest_write(sealing->folder, manifest, sealing->signer);
	return rc ? rc : manifest_seen_check(sealing->options->seen, manifest, NULL);
}

int manifest_seal(struct folder *folder, struct layer *payload, const struct manifest_seal *options,
		  struct manifest *ret_manifest, struct why *why)
{
	struct sealing sealing = {.folder = folder, .payload = payload, .options = options};
	struct manifest manifest = {0};
	int rc = 0;

	if (options->pinned_size > MANIFEST_PINNED_MAX || options->pinned_size > payload->size) {
		return -EINVAL;
	}
	if (options->sign_key) {
		rc = signer_create(options->sign_key, &sealing.signer, why);
	}
	if (rc < 0) {
		return rc;
	}
	sealing.buffer = malloc(HASH_TREE_CHUNK);
	rc = sealing.buffer ? fill(&sealing, &manifest) : -ENOMEM;
	rc = rc ? rc : seal(&sealing, &manifest);
	signer_destroy(sealing.signer);
	free(sealing.buffer);
	if (rc < 0) {
		return why_set(why, rc, "the disk could not be sealed: %s", strerror(-rc));
	}
	*ret_manifest = manifest;
	return 0;
}

static int write_moved(struct folder *folder, struct manifest *manifest, const char *to,
		       struct signer *signer, struct folder *seen, struct why *why)
{
	int rc;

	if (manifest->state == MANIFEST_OPEN) {
		return why_set(
			why, -EBUSY,
			"the disk is in use or was not closed properly; close it, or seal it "
			"anew, before it moves");
	}
	if (strlen(to) >= sizeof(manifest->moved_to)) {
		return why_set(why, -EINVAL, "the name of the other PC is too long");
	}
	if (manifest->signature_size > 0 && !signer) {
		return why_set(why, -EKEYREJECTED,
			       "the manifest of the disk is signed: changing it needs the signing "
			       "key");
	}
	strcpy(manifest->moved_to, to);
	manifest->state = *to ? MANIFEST_MOVED : MANIFEST_SEALED;
	manifest->epoch++;
	rc = manifest_write(folder, manifest, signer);
	if (rc < 0) {
		return why_set(why, rc, "the manifest of the disk cannot be written");
	}
	return manifest_seen_check(seen, manifest, why);
}

int manifest_set_moved(struct folder *folder, const char *image, const char *to,
		       const char *sign_key, struct folder *seen, struct why *why)
{
	struct signer *signer = NULL;
	struct manifest manifest;
	char public_key[512] = "";
	int rc = sign_key ? signer_create(sign_key, &signer, why) : 0;

	if (!rc && signer) {
		rc = signer_get_public(signer, public_key, sizeof(public_key));
	}
	rc = rc ? rc : manifest_read(folder, image, signer ? public_key : NULL, &manifest, why);
	rc = rc ? rc : write_moved(folder, &manifest, to, signer, seen, why);
	signer_destroy(signer);
	return rc;
}

int manifest_remove(struct folder *folder, const char *image)
{
	char name[NAME_MAX + 1];
	int rc = name_of(image, MANIFEST_SUFFIX, name);

	rc = rc ? rc : folder_remove(folder, name);
	if (rc < 0 && rc != -ENOENT) {
		return rc;
	}
	rc = name_of(image, HASH_TREE_SUFFIX, name);
	rc = rc ? rc : folder_remove(folder, name);
	rc = rc == -ENOENT ? 0 : rc;
	return rc ? rc : folder_flush(folder);
}
