/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as files: read and judged, signed and replaced in one step. */
#define _GNU_SOURCE

#include "manifest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int name_of(const char *image, char ret_name[NAME_MAX + 1])
{
	int n = snprintf(ret_name, NAME_MAX + 1, "%s" MANIFEST_SUFFIX, image);

	return n < 0 || n > NAME_MAX ? -ENAMETOOLONG : 0;
}

static int check_signature(const struct manifest *manifest, const void *text, size_t signed_size,
			   const char *trusted_key, struct why *why)
{
	int rc;

	if (!trusted_key) {
		return 0;
	}
	rc = signature_check(trusted_key, text, signed_size, manifest->signature,
			     manifest->signature_size, why);
	return rc ? why_prefix(why, rc, "the manifest of the disk") : 0;
}

int manifest_read(struct folder *folder, const char *image, const char *trusted_key,
		  struct manifest *ret_manifest, struct why *why)
{
	struct manifest manifest;
	char name[NAME_MAX + 1];
	size_t size, signed_size;
	void *text;
	int rc = name_of(image, name);

	rc = rc ? rc : folder_read_file(folder, name, MANIFEST_FILE_MAX, &text, &size);
	if (rc == -EFBIG) {
		return why_set(why, -EBADMSG, "the manifest of the disk is no manifest: too long");
	}
	if (rc < 0) {
		return why_set(why, rc, "the disk has no manifest that can be read");
	}
	rc = manifest_decode(text, size, &manifest, &signed_size);
	if (rc < 0) {
		rc = why_set(why, rc,
			     "the manifest of the disk is damaged; if the disk is "
			     "trusted, seal it anew");
	}
	rc = rc ? rc : check_signature(&manifest, text, signed_size, trusted_key, why);
	free(text);
	if (!rc) {
		*ret_manifest = manifest;
	}
	return rc;
}

static int sign(struct manifest *manifest, struct signer *signer)
{
	size_t size, signed_size;
	char *text;
	int rc;

	manifest->signature_size = 0;
	if (!signer) {
		return 0;
	}
	rc = manifest_encode(manifest, &text, &size, &signed_size);
	if (rc < 0) {
		return rc;
	}
	rc = signer_sign(signer, text, signed_size, manifest->signature, &manifest->signature_size);
	free(text);
	return rc;
}

int manifest_write(struct folder *folder, struct manifest *manifest, struct signer *signer)
{
	struct manifest again;
	char name[NAME_MAX + 1];
	size_t size, signed_size;
	char *text;
	int rc = name_of(manifest->image, name);

	manifest->time = (int64_t)time(NULL);
	rc = rc ? rc : sign(manifest, signer);
	rc = rc ? rc : manifest_encode(manifest, &text, &size, &signed_size);
	if (rc < 0) {
		return rc;
	}
	/* What could not be read again must not replace what can. */
	rc = manifest_decode(text, size, &again, &signed_size) ? -EINVAL : 0;
	rc = rc ? rc : folder_replace_file(folder, name, text, size);
	free(text);
	return rc;
}

static bool have_common(const struct manifest *manifest, const struct manifest_subject *subject)
{
	for (unsigned i = 0; i < subject->uuid_count; i++) {
		const uint8_t *uuid = subject->uuids[i];

		if (memcmp(uuid, manifest->uuid, 16) == 0) {
			return true;
		}
		for (unsigned k = 0; k < manifest->parent_count; k++) {
			if (memcmp(uuid, manifest->parents[k], 16) == 0) {
				return true;
			}
		}
	}
	return subject->uuid_count == 0;
}

int manifest_check_fits(const struct manifest *manifest, const struct manifest_subject *subject,
			struct why *why)
{
	char quoted[100];

	if (strcmp(manifest->image, subject->image) != 0) {
		return why_set(why, -EKEYREJECTED,
			       "the manifest belongs to %s; give the disk its name back, or seal "
			       "it anew",
			       why_quote(quoted, sizeof(quoted), manifest->image));
	}
	if (manifest->size != subject->size) {
		return why_set(why, -EKEYREJECTED,
			       "the manifest is of a disk of another size; was the disk replaced? "
			       "If it is right, seal it anew");
	}
	if (!have_common(manifest, subject)) {
		return why_set(why, -EKEYREJECTED,
			       "the manifest is of another image; was the disk replaced? If it is "
			       "right, seal it anew");
	}
	return 0;
}

void manifest_set_subject(struct manifest *manifest, const struct manifest_subject *subject)
{
	snprintf(manifest->image, sizeof(manifest->image), "%s", subject->image);
	manifest->size = subject->size;
	memset(manifest->uuid, 0, sizeof(manifest->uuid));
	manifest->parent_count = 0;
	for (unsigned i = 0; i < subject->uuid_count; i++) {
		uint8_t *to = i ? manifest->parents[manifest->parent_count++] : manifest->uuid;

		memcpy(to, subject->uuids[i], 16);
	}
}
