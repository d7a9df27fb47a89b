/* SPDX-License-Identifier: Apache-2.0 */
/* Formats of images by their first bytes. */
#define _GNU_SOURCE

#include "tool_probe.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_SIZE	512u
#define DESCRIPTOR_SIZE (20u << 10) /* of a VMDK; what is larger is refused */

static const struct {
	const char *name, *qemu_name;
} formats[TOOL_FORMAT_COUNT] = {
	[TOOL_FORMAT_RAW] = {"raw", "raw"},	  [TOOL_FORMAT_VHD] = {"vhd", "vpc"},
	[TOOL_FORMAT_QCOW2] = {"qcow2", "qcow2"}, [TOOL_FORMAT_VHDX] = {"vhdx", "vhdx"},
	[TOOL_FORMAT_VMDK] = {"vmdk", "vmdk"},	  [TOOL_FORMAT_VDI] = {"vdi", "vdi"},
};

const char *tool_format_name(enum tool_format format)
{
	return formats[format].name;
}

const char *tool_format_qemu_name(enum tool_format format)
{
	return formats[format].qemu_name;
}

bool tool_format_parse(const char *name, enum tool_format *ret_format)
{
	for (int i = 0; i < TOOL_FORMAT_COUNT; i++) {
		if (!strcmp(name, formats[i].name) || !strcmp(name, formats[i].qemu_name)) {
			*ret_format = (enum tool_format)i;
			return true;
		}
	}
	return false;
}

static uint32_t be32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t be64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

static uint32_t le32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

static uint64_t le64(const uint8_t *at)
{
	return le32(at) | (uint64_t)le32(at + 4) << 32;
}

/* The cookie of a footer: at the end, one byte earlier in old files, a copy at the start. */
static int has_vhd_footer(struct file *file, const uint8_t *head, bool *ret_has)
{
	uint8_t tail[512];
	uint64_t size;
	int rc = file_get_size(file, &size);

	*ret_has = !memcmp(head, "conectix", 8);
	if (rc < 0 || *ret_has || size < sizeof(tail)) {
		return rc;
	}
	rc = file_read(file, tail, sizeof(tail), size - sizeof(tail));
	*ret_has = !rc && (!memcmp(tail, "conectix", 8) || !memcmp(tail + 1, "conectix", 8));
	return rc;
}

int tool_probe_format(struct file *untrusted, enum tool_format *ret_format)
{
	uint8_t head[HEAD_SIZE];
	enum tool_format format = TOOL_FORMAT_RAW;
	bool is_vhd = false;
	int rc = file_read(untrusted, head, sizeof(head), 0);

	rc = rc ? rc : has_vhd_footer(untrusted, head, &is_vhd);
	if (rc < 0) {
		return rc;
	}
	if (is_vhd) {
		format = TOOL_FORMAT_VHD;
	} else if (!memcmp(head, "QFI\xfb", 4)) {
		format = TOOL_FORMAT_QCOW2;
	} else if (!memcmp(head, "vhdxfile", 8)) {
		format = TOOL_FORMAT_VHDX;
	} else if (!memcmp(head, "KDMV", 4) || !memcmp(head, "COWD", 4) ||
		   !memcmp(head, "# Disk DescriptorFile", 21)) {
		format = TOOL_FORMAT_VMDK;
	} else if (le32(head + 64) == 0xbeda107fu) {
		format = TOOL_FORMAT_VDI;
	}
	*ret_format = format;
	return 0;
}

static int check_qcow2(const uint8_t *head, struct why *why)
{
	uint32_t version = be32(head + 4);
	/* dirty, (corrupt), (external data), compression type, extended L2 entries */
	const uint64_t known = 1u << 0 | 1u << 3 | 1u << 4;
	uint64_t features = version >= 3 ? be64(head + 72) : 0;

	if (version != 2 && version != 3) {
		return why_set(why, -EOPNOTSUPP, "this version of qcow2 is not known");
	}
	if (be64(head + 8) || be32(head + 16)) {
		return why_set(why, -EPERM,
			       "it names a backing file, and files that an image names are not "
			       "opened; merge them first with `qemu-img rebase -b ''` where you "
			       "trust it");
	}
	if (features & 1u << 2) {
		return why_set(
			why, -EPERM,
			"its data lie in another file that it names, and files that an image "
			"names are not opened");
	}
	if (features & 1u << 1) {
		return why_set(why, -EBADMSG,
			       "it is marked corrupt; try `qemu-img check -r all` on a copy");
	}
	if (features & ~known) {
		return why_set(why, -EOPNOTSUPP, "it uses features of qcow2 that are not known");
	}
	if (be32(head + 32)) {
		return why_set(why, -EOPNOTSUPP,
			       "it is encrypted; decrypt it first with qemu-img convert");
	}
	return 0;
}

static int check_vdi(const uint8_t *head, struct why *why)
{
	uint32_t type = le32(head + 76);

	if (type != 1 && type != 2) {
		return why_set(why, -EPERM,
			       "it is a differencing VDI and names its parent; merge them first in "
			       "VirtualBox");
	}
	return 0;
}

/* Finds `word` at the start of a line, blanks aside. */
static const char *find_line(const char *text, const char *word)
{
	size_t size = strlen(word);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += strspn(line, "\r\n \t");
		if (!strncasecmp(line, word, size)) {
			return line + size;
		}
		if (!*line) {
			break;
		}
	}
	return NULL;
}

static int check_descriptor(const char *text, struct why *why)
{
	const char *parent = find_line(text, "parentCID");

	parent = parent ? parent + strspn(parent, " \t=") : NULL;
	if ((parent && strncasecmp(parent, "ffffffff", 8) != 0) ||
	    find_line(text, "parentFileNameHint")) {
		return why_set(why, -EPERM,
			       "it is a snapshot and names its parent; merge them first in VMware");
	}
	if (find_line(text, "changeTrackPath")) {
		return why_set(why, -EPERM, "it names another file, and such are not opened");
	}
	return 0;
}

static int check_vmdk(struct file *file, const uint8_t *head, struct why *why)
{
	uint64_t offset, size;
	char *text;
	int rc;

	if (memcmp(head, "KDMV", 4) != 0) {
		return why_set(
			why, -EPERM,
			"this VMDK is a list of other files, and files that an image names "
			"are not opened; make one file of it with `vmware-vdiskmanager -r ... "
			"-t 0`, or convert its -flat.vmdk with --from raw");
	}
	if (!le64(head + 12)) {
		return why_set(why, -EPERM, "this VMDK holds only a list of other files");
	}
	offset = le64(head + 28);
	size = le64(head + 36);
	if (!offset) {
		return 0; /* an extent without descriptor names nobody */
	}
	if (offset > UINT64_MAX / 1024 || size > DESCRIPTOR_SIZE / 512) {
		return why_set(why, -EBADMSG, "its descriptor lies outside of the file");
	}
	text = calloc(1, DESCRIPTOR_SIZE + 1);
	if (!text) {
		return -ENOMEM;
	}
	rc = file_read(file, text, size * 512, offset * 512);
	rc = rc ? rc : check_descriptor(text, why);
	free(text);
	return rc;
}

/* MS-VHDX: "Region Table", "Metadata Region", "File Parameters Item", GUIDs as they lie in the
 * file. */
static const uint8_t vhdx_metadata[16] = {0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b,
					  0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e};
static const uint8_t vhdx_parameters[16] = {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
					    0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b};
#define VHDX_TABLE   4096u /* bytes looked at of each table: 127 entries of 32 bytes */
#define VHDX_REGIONS 196608u

/* Index of the entry with that GUID in a table, -1: none. */
static int find_guid(const uint8_t *table, unsigned first, unsigned count, const uint8_t guid[16])
{
	for (unsigned i = 0; i < count && first + (i + 1) * 32 <= VHDX_TABLE; i++) {
		if (!memcmp(table + first + i * 32, guid, 16)) {
			return (int)(first + i * 32);
		}
	}
	return -1;
}

static int check_vhdx(struct file *file, struct why *why)
{
	uint8_t table[VHDX_TABLE], parameters[8];
	uint64_t metadata;
	int at, rc = file_read(file, table, sizeof(table), VHDX_REGIONS);

	if (rc < 0) {
		return rc;
	}
	at = memcmp(table, "regi", 4) ? -1 : find_guid(table, 16, le32(table + 8), vhdx_metadata);
	if (at < 0) {
		return why_set(why, -EBADMSG, "its region table is damaged");
	}
	metadata = le64(table + at + 16);
	if (metadata > INT64_MAX / 2) {
		return why_set(why, -EBADMSG, "its metadata lie outside of the file");
	}
	rc = file_read(file, table, sizeof(table), metadata);
	if (rc < 0) {
		return rc;
	}
	at = memcmp(table, "metadata", 8)
		     ? -1
		     : find_guid(table, 32, table[10] | table[11] << 8, vhdx_parameters);
	rc = at < 0 ? -EBADMSG
		    : file_read(file, parameters, sizeof(parameters),
				metadata + le32(table + at + 16));
	if (rc < 0) {
		return why_set(why, rc, "its metadata are damaged");
	}
	if (le32(parameters + 4) & 2) {
		return why_set(why, -EPERM,
			       "it is a differencing VHDX and names its parent; merge them first "
			       "with Merge-VHD");
	}
	return 0;
}

int tool_probe_check(struct file *untrusted, enum tool_format format, struct why *why)
{
	uint8_t head[HEAD_SIZE];
	int rc = file_read(untrusted, head, sizeof(head), 0);

	if (rc < 0) {
		return rc;
	}
	switch (format) {
	case TOOL_FORMAT_QCOW2:
		return check_qcow2(head, why);
	case TOOL_FORMAT_VDI:
		return check_vdi(head, why);
	case TOOL_FORMAT_VMDK:
		return check_vmdk(untrusted, head, why);
	case TOOL_FORMAT_VHDX: /* qemu would read what the parent holds as zeros */
		return check_vhdx(untrusted, why);
	case TOOL_FORMAT_RAW:
	case TOOL_FORMAT_VHD:
	case TOOL_FORMAT_COUNT:
		break;
	}
	return 0;
}
