/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the findings about the parent of an image and the names that lead to it. */
#define _GNU_SOURCE

#include "vhd_check_parent.h"

#include "vhd_disk.h"
#include "vhd_parent.h"

#include <errno.h>
#include <string.h>

static void check_locators(const struct vhd_survey *survey, struct vhd_check *check)
{
	for (unsigned i = 0; i < VHD_LOCATOR_COUNT; i++) {
		const struct vhd_locator *locator = &survey->header.locators[i];
		char name[VHD_NAME_SIZE];

		if (locator->platform != VHD_LOCATOR_RELATIVE &&
		    locator->platform != VHD_LOCATOR_ABSOLUTE) {
			continue;
		}
		if (locator->offset >= survey->file_size ||
		    locator->length > survey->file_size - locator->offset ||
		    vhd_locator_read_name(survey->file, locator, name) < 0) {
			vhd_check_add(check, VHD_CHECK_LOCATOR, VHD_CHECK_NOTE, locator->offset,
				      "name %u of the parent is damaged or lies out of the file",
				      i);
		}
	}
}

/* -ENOENT, -ESTALE another UUID, 0, or why it does not open. */
static int try_parent(struct folder *folder, const char *name, const struct vhd_survey *survey)
{
	struct vhd_disk_info info;
	struct layer *layer;
	int rc = vhd_disk_open(folder, name, VHD_DISK_TOP_ONLY | VHD_DISK_NO_LOCK, &layer, NULL);

	if (rc < 0) {
		return rc;
	}
	vhd_disk_get_info(layer, 0, &info);
	if (memcmp(info.footer.uuid, survey->header.parent_uuid, sizeof(info.footer.uuid)) != 0) {
		rc = -ESTALE;
	}
	(void)!layer_close(layer);
	return rc;
}

static void tell(struct vhd_check *check, uint64_t offset, int rc, const char *name)
{
	char quoted[96];

	why_quote(quoted, sizeof(quoted), name);
	if (rc == -ENOENT) {
		vhd_check_add(check, VHD_CHECK_PARENT, VHD_CHECK_LOST, offset,
			      "the parent %s is missing: put it into the same folder", quoted);
	} else if (rc == -ESTALE) {
		vhd_check_add(
			check, VHD_CHECK_PARENT, VHD_CHECK_LOST, offset,
			"the parent %s was replaced or changed (its UUID differs): put the one "
			"back that this was made from",
			quoted);
	} else {
		vhd_check_add(check, VHD_CHECK_PARENT, VHD_CHECK_LOST, offset,
			      "the parent %s does not open (%s): check it too", quoted,
			      strerror(-rc));
	}
}

/* As opening does: under a name that only Windows would take for the same. */
static bool has_other_spelling(struct folder *folder, const struct vhd_survey *survey,
			       const struct vhd_parent_names *names)
{
	char name[VHD_NAME_SIZE];

	return vhd_parent_find_spelling(folder, names, name) == 0 &&
	       try_parent(folder, name, survey) == 0;
}

int vhd_check_parent(struct folder *folder, const struct vhd_survey *survey,
		     struct vhd_check *check)
{
	struct vhd_parent_names names;
	int worst = -ENOENT, results[VHD_PARENT_NAMES_MAX];
	const char *told = "(it has no name)";
	bool found = false;

	check_locators(survey, check);
	vhd_parent_list_names(survey->file, &survey->header, &names);
	for (unsigned i = 0; i < names.count; i++) {
		results[i] = try_parent(folder, names.names[i], survey);
		if (results[i] == -ENOMEM) {
			return -ENOMEM;
		}
		found = found || results[i] == 0;
		if (i == 0 || (worst == -ENOENT && results[i] != -ENOENT)) {
			worst = results[i];
			told = names.names[i];
		}
	}
	found = found || (worst == -ENOENT && has_other_spelling(folder, survey, &names));
	if (!found) {
		tell(check, survey->header_offset, worst, told);
	}
	for (unsigned i = 0; found && i < names.count; i++) {
		char quoted[96];

		if (results[i] < 0) {
			vhd_check_add(check, VHD_CHECK_LOCATOR, VHD_CHECK_NOTE,
				      survey->header_offset,
				      "one of the names of the parent, %s, leads to no parent",
				      why_quote(quoted, sizeof(quoted), names.names[i]));
		}
	}
	return 0;
}
