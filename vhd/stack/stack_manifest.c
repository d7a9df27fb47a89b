/* SPDX-License-Identifier: Apache-2.0 */
/* Where a disk and its manifest meet. */
#include "stack_manifest.h"

#include "manifest_seen.h"
#include "vhd_disk.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

void stack_get_subject(const struct layer *bottom, const char *name,
		       struct manifest_subject *ret_subject)
{
	struct vhd_disk_info info;
	unsigned depth = 1;

	*ret_subject = (struct manifest_subject){.image = name, .size = bottom->size};
	if (strcmp(bottom->ops->name, "vhd") != 0) {
		return;
	}
	for (unsigned i = 0; i < depth && i <= MANIFEST_PARENT_MAX; i++) {
		depth = vhd_disk_get_info(bottom, i, &info);
		memcpy(ret_subject->uuids[i], info.footer.uuid, 16);
		ret_subject->uuid_count++;
	}
}

/* Before the tree has a say: a disk that was replaced by a plain one gets its own sentence. */
static int check_encrypted(const struct manifest *manifest, struct layer *payload, struct why *why)
{
	bool there;
	int rc = manifest->encrypted ? luks_is_there(payload, &there) : 0;

	if (!rc && manifest->encrypted && !there) {
		rc = why_set(why, -EKEYREJECTED,
			     "the manifest says that this disk is encrypted, and it is not: it was "
			     "replaced or damaged. Do not use it; restore it from a copy");
	}
	return rc;
}

static int read_fitting(struct folder *folder, const struct stack_options *options,
			const struct manifest_subject *subject, struct layer *payload,
			struct manifest *manifest, struct why *why)
{
	int rc = manifest_read(folder, subject->image, options->trusted_key, manifest, why);

	rc = rc ? rc : manifest_check_fits(manifest, subject, why);
	rc = rc ? rc : manifest_seen_check(options->seen, manifest, why);
	return rc ? rc : check_encrypted(manifest, payload, why);
}

int stack_add_verify(struct folder *folder, const char *name, const struct stack_options *options,
		     bool write, struct layer **top, struct why *why)
{
	struct manifest_subject subject;
	struct manifest manifest;
	struct layer_verify_options verify = {.folder = folder,
					      .manifest = &manifest,
					      .subject = &subject,
					      .sign_key = options->sign_key,
					      .seen = options->seen,
					      .write = write};
	int rc;

	if (options->ignore_manifest) {
		return 0;
	}
	stack_get_subject(*top, name, &subject);
	rc = read_fitting(folder, options, &subject, *top, &manifest, why);
	if (rc == -ENOENT && !options->trusted_key) {
		return why_set(why, 0, "%s", "");
	}
	if (rc == -ENOENT) {
		return why_set(why, -EKEYREJECTED,
			       "the disk has no manifest, and only signed disks may be used here; "
			       "if it is trusted, seal it with the signing key");
	}
	return rc ? rc : layer_verify_open(*top, &verify, top, why);
}

/* The image alone, with a shared lock: it cannot be written meanwhile. */
static int open_image(struct folder *folder, const char *name, bool raw, struct layer **ret_top,
		      struct why *why)
{
	struct stack_options options = {.raw = raw, .ciphertext = true, .ignore_manifest = true};

	return stack_open(folder, name, &options, ret_top, why);
}

int stack_seal(struct folder *folder, const char *name, const struct stack_seal_options *options,
	       struct manifest *ret_manifest, struct why *why)
{
	struct manifest_subject subject;
	struct manifest_seal seal = {.subject = &subject,
				     .sign_key = options->sign_key,
				     .seen = options->seen,
				     .roles = options->roles,
				     .owner = options->owner,
				     .progress = options->progress};
	struct layer *top;
	int rc = open_image(folder, name, options->raw, &top, why);

	if (rc < 0) {
		return rc;
	}
	stack_get_subject(top, name, &subject);
	rc = luks_is_there(top, &seal.encrypted);
	if (seal.encrypted) {
		seal.pinned_size = top->size < LUKS_HEADER_SIZE ? top->size : LUKS_HEADER_SIZE;
	}
	rc = rc ? rc : manifest_seal(folder, top, &seal, ret_manifest, why);
	(void)!layer_close(top);
	return rc;
}

static int verify_all(struct layer *top, const struct progress *progress,
		      void (*each_bad)(void *context, uint64_t offset), void *context,
		      struct stack_verify_report *ret_report, struct why *why)
{
	struct layer *verify = layer_find(top, "verify");
	int rc;

	if (!verify) {
		return why_set(why, -ENOENT,
			       "the disk has no manifest to check it against; seal it first");
	}
	rc = layer_verify_all(verify, progress, each_bad, context);
	layer_verify_get_status(verify, &ret_report->status);
	ret_report->manifest = *ret_report->status.manifest;
	ret_report->status.manifest = NULL;
	if (rc == -EBADMSG) {
		return why_set(why, rc,
			       "%" PRIu64 " chunks of the disk are not what the manifest says, the "
			       "first at byte %" PRIu64,
			       ret_report->status.bad_count, ret_report->status.bad_offset);
	}
	return rc;
}

int stack_verify(struct folder *folder, const char *name, const struct stack_options *options,
		 const struct progress *progress, void (*each_bad)(void *context, uint64_t offset),
		 void *context, struct stack_verify_report *ret_report, struct why *why)
{
	struct stack_options alone = {.raw = options->raw,
				      .ciphertext = true,
				      .trusted_key = options->trusted_key,
				      .sign_key = options->sign_key,
				      .seen = options->seen};
	struct layer *top;
	int rc = stack_open(folder, name, &alone, &top, why);

	if (rc < 0) {
		return rc;
	}
	rc = verify_all(top, progress, each_bad, context, ret_report, why);
	(void)!layer_close(top);
	return rc;
}
