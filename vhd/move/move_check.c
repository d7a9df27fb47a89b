/* SPDX-License-Identifier: Apache-2.0 */
/* The judgement before any secret: each thing that is missing, as a sentence. */
#define _GNU_SOURCE

#include "bundle_io.h"
#include "json_fields.h"
#include "bundle_summary.h"
#include "move_base.h"
#include "move_check_front.h"
#include "move_name.h"
#include "owner.h"
#include "signature.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>

__attribute__((format(printf, 4, 5))) static void
miss(struct move_check *check, enum move_missing_kind kind, bool fatal, const char *format, ...)
{
	struct move_missing *missing;
	va_list arguments;

	check->runs_here = false;
	if (check->missing_count == MOVE_MISSING_MAX) {
		return;
	}
	missing = &check->missing[check->missing_count++];
	missing->kind = kind;
	missing->fatal = fatal;
	va_start(arguments, format);
	(void)vsnprintf(missing->text, sizeof(missing->text), format, arguments);
	va_end(arguments);
}

void move_host_get(struct move_host *ret_host, const char *path)
{
	struct move_host host = {.free_space = UINT64_MAX};
	struct statvfs space;
	struct sysinfo info;

	cpu_baseline_get(&host.cpu);
	if (path && statvfs(path, &space) == 0) {
		host.free_space = (uint64_t)space.f_bavail * space.f_frsize;
	}
	if (sysinfo(&info) == 0) {
		host.ram = (uint64_t)info.totalram * info.mem_unit;
	}
	*ret_host = host;
}

static void check_cpu(struct move_check *check, const struct cpu_baseline *cpu)
{
	const struct bundle_summary *summary = &check->summary;
	struct cpu_baseline needs = {.level = summary->cpu_level};
	char text[CPU_BASELINE_TEXT];

	for (unsigned i = 0; i < summary->cpu_feature_count; i++) {
		int bit = cpu_baseline_bit(summary->cpu_features[i]);

		if (bit < 0) {
			miss(check, MOVE_MISSING_CPU, false,
			     "it uses the CPU feature %s, which this version does not know",
			     summary->cpu_features[i]);
		} else {
			needs.feature |= 1ull << bit;
		}
	}
	if (cpu_baseline_missing(&needs, cpu, text)) {
		miss(check, MOVE_MISSING_CPU, false,
		     "this CPU lacks %.120s: programs of the desktop may stop with an illegal "
		     "instruction",
		     text);
	}
}

static bool is_in(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(word, *words) == 0) {
			return true;
		}
	}
	return false;
}

static void check_host(struct move_check *check, const struct move_host *host, uint64_t here)
{
	const struct bundle_summary *summary = &check->summary;
	uint64_t needed = summary->free_needed > here ? summary->free_needed - here : 0;

	check_cpu(check, &host->cpu);
	if (host->free_space < needed) {
		miss(check, MOVE_MISSING_SPACE, true,
		     "it needs %llu MB of free space, and %llu MB are free: make room for %llu MB",
		     (unsigned long long)(needed / 1000000),
		     (unsigned long long)(host->free_space / 1000000),
		     (unsigned long long)((needed - host->free_space) / 1000000 + 1));
	}
	if (host->ram && summary->ram > host->ram) {
		miss(check, MOVE_MISSING_RAM, false,
		     "it wants %llu MB of memory, and this PC has %llu MB",
		     (unsigned long long)(summary->ram / 1000000),
		     (unsigned long long)(host->ram / 1000000));
	}
	for (unsigned i = 0; host->roles && i < summary->role_count; i++) {
		if (!is_in(summary->roles[i], host->roles)) {
			miss(check, MOVE_MISSING_ROLE, true,
			     "its role \"%s\" is not allowed on this PC", summary->roles[i]);
		}
	}
	if (host->firmwares && !is_in(summary->firmware, host->firmwares)) {
		miss(check, MOVE_MISSING_FIRMWARE, false,
		     "it starts by the firmware \"%s\", which is not here", summary->firmware);
	}
}

static int check_base(struct move_check *check, struct folder *folder)
{
	const struct bundle_summary *summary = &check->summary;
	char name[MOVE_NAME_SIZE];
	int rc;

	if (summary->full) {
		return 0;
	}
	rc = move_base_find(folder, summary->base_uuid, summary->base_probe, name);
	if (rc == -ENOENT) {
		miss(check, MOVE_MISSING_BASE, true,
		     "the base image (%s at the sender) is not here: copy it into this folder, or "
		     "export with all of the disk",
		     summary->base_name);
		return 0;
	}
	if (rc == -ESTALE) {
		miss(check, MOVE_WRONG_BASE, true,
		     "the base image %s is here but was changed: put the right one back, or export "
		     "with all of the disk",
		     name);
		return 0;
	}
	if (!rc) {
		(void)snprintf(check->base, sizeof(check->base), "%s", name);
	}
	return rc;
}

/* What the records here say of this disk. */
static int check_epoch(struct move_check *check, struct folder *folder, const char *known,
		       uint64_t epoch, struct why *why)
{
	const struct bundle_summary *summary = &check->summary;
	struct owner owner;
	int rc = owner_read(folder, known, &owner, why);

	if (rc < 0) {
		return rc;
	}
	if (memcmp(owner.bundle_id, check->bundle_id, sizeof(owner.bundle_id)) == 0 &&
	    owner.epoch == summary->epoch) {
		check->is_here = owner.state == OWNER_HERE;
		if (!check->is_here) {
			miss(check, MOVE_OLD_EPOCH, true,
			     "this PC sent it: take the move back by undo instead");
		}
	} else if (epoch >= summary->epoch) {
		miss(check, MOVE_OLD_EPOCH, true,
		     "it is old: this PC has seen epoch %llu of %s, and this is epoch %llu",
		     (unsigned long long)epoch, known, (unsigned long long)summary->epoch);
	} else if (owner.state != OWNER_MOVED) {
		miss(check, MOVE_NAME_TAKEN, true,
		     "%s was not moved away from here: both PCs would own it; export it or move it "
		     "to another folder first",
		     known);
	}
	return 0;
}

/* The name here, and whether it is free or this disk's. */
static int check_name(struct move_check *check, struct folder *folder, const char *name,
		      struct why *why)
{
	char known[OWNER_NAME_MAX] = "";
	uint64_t epoch;
	int rc = owner_find(folder, check->summary.disk_id, &epoch, known);

	if (rc < 0) {
		return rc;
	}
	name = name ? name : *known ? known : check->summary.name;
	(void)snprintf(check->name, sizeof(check->name), "%s", name);
	if (*known) {
		rc = check_epoch(check, folder, known, epoch, why);
	}
	if (!rc && strcmp(name, known) != 0) {
		rc = move_name_exists(folder, name);
		if (rc > 0) {
			miss(check, MOVE_NAME_TAKEN, true,
			     "there is another disk %s here: give this one another name", name);
		}
	}
	return rc < 0 ? rc : 0;
}

static void check_signature(struct move_check *check, const struct bundle_front *front,
			    const char *trusted_key)
{
	check->is_signed = front->signature_size != 0;
	if (trusted_key &&
	    (!check->is_signed || signature_check(trusted_key, front->hash, sizeof(front->hash),
						  front->signature, front->signature_size, NULL))) {
		check->is_signed = false;
		miss(check, MOVE_UNTRUSTED, true,
		     "it is not signed by the key that is trusted here");
	}
}

/* Frames of this bundle that an earlier attempt applied, and the bytes that they take. */
static void look_for_progress(struct move_check *check, struct folder *folder, uint64_t *ret_size)
{
	struct move_arriving arriving;
	struct move_name names;
	struct file *file;

	*ret_size = 0;
	if (move_name_make(check->name, &names) < 0 ||
	    move_arriving_read(folder, names.progress, &arriving) < 0 ||
	    memcmp(arriving.bundle_id, check->bundle_id, BUNDLE_ID_SIZE) != 0 ||
	    folder_open_file(folder, names.incoming, FOLDER_READ, &file) < 0) {
		return;
	}
	check->frames_here = arriving.frames;
	if (file_get_size(file, ret_size) < 0) {
		*ret_size = 0;
	}
	file_close(file);
}

int move_check_front(const struct bundle_front *front, struct folder *folder, const char *name,
		     const struct move_host *host, const char *trusted_key,
		     struct move_check *ret_check, struct why *why)
{
	struct move_host this_pc;
	uint64_t here;
	int rc;

	memset(ret_check, 0, sizeof(*ret_check));
	ret_check->runs_here = true;
	ret_check->summary = front->summary;
	memcpy(ret_check->bundle_id, front->id, sizeof(front->id));
	ret_check->needs_disk_secret = front->summary.seal == BUNDLE_SEAL_DISK;
	if (!host) {
		move_host_get(&this_pc, NULL);
		host = &this_pc;
	}
	rc = check_name(ret_check, folder, name, why);
	if (!rc && ret_check->is_here) {
		/* Nothing can be missing any more; the base may have the header area. */
		rc = check_base(ret_check, folder);
		ret_check->missing_count = 0;
		ret_check->runs_here = true;
	}
	if (rc < 0 || ret_check->is_here) {
		return rc;
	}
	look_for_progress(ret_check, folder, &here);
	check_signature(ret_check, front, trusted_key);
	check_host(ret_check, host, here);
	return check_base(ret_check, folder);
}

int move_check(struct bundle_in *in, struct folder *folder, const struct move_host *host,
	       const char *trusted_key, struct move_check *ret_check, struct why *why)
{
	struct why newer = {""};
	struct bundle_front front;
	uint64_t size;
	int rc = bundle_front_read(in, &front, &size, &newer);

	if (rc == -EOPNOTSUPP) {
		memset(ret_check, 0, sizeof(*ret_check));
		ret_check->summary = front.summary;
		miss(ret_check, MOVE_MISSING_ENGINE, true, "%.200s", newer.text);
		return 0;
	}
	if (rc < 0) {
		return why_set(why, rc, "%s", *newer.text ? newer.text : strerror(-rc));
	}
	rc = move_check_front(&front, folder, NULL, host, trusted_key, ret_check, why);
	bundle_front_free(&front);
	return rc;
}

static const char *const kind_names[] = {
	[MOVE_MISSING_CPU] = "cpu",	      [MOVE_MISSING_SPACE] = "space",
	[MOVE_MISSING_BASE] = "base",	      [MOVE_WRONG_BASE] = "wrong-base",
	[MOVE_MISSING_ENGINE] = "engine",     [MOVE_OLD_EPOCH] = "epoch",
	[MOVE_MISSING_ROLE] = "role",	      [MOVE_MISSING_RAM] = "ram",
	[MOVE_MISSING_FIRMWARE] = "firmware", [MOVE_NAME_TAKEN] = "name",
	[MOVE_UNTRUSTED] = "signature",
};

char *move_check_to_json(const struct move_check *check)
{
	struct json_object *object = json_object_new_object();
	struct json_object *missing = json_object_new_array();
	const char *text;
	char *copy = NULL;

	if (object && missing) {
		json_object_object_add(object, "bundle", bundle_summary_to_json(&check->summary));
		json_fields_put_text(object, "name", check->name);
		json_object_object_add(object, "runs_here",
				       json_object_new_boolean(check->runs_here));
		json_object_object_add(object, "is_here", json_object_new_boolean(check->is_here));
		json_object_object_add(object, "signed", json_object_new_boolean(check->is_signed));
		json_fields_put_text(object, "base", check->base);
		json_fields_put_u64(object, "frames_here", check->frames_here);
		for (unsigned i = 0; i < check->missing_count; i++) {
			const struct move_missing *one = &check->missing[i];
			struct json_object *entry = json_object_new_object();

			if (entry) {
				json_fields_put_text(entry, "kind", kind_names[one->kind]);
				json_object_object_add(entry, "fatal",
						       json_object_new_boolean(one->fatal));
				json_fields_put_text(entry, "text", one->text);
				json_object_array_add(missing, entry);
			}
		}
		json_object_object_add(object, "missing", json_object_get(missing));
		text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY);
		copy = text ? strdup(text) : NULL;
	}
	json_object_put(missing);
	json_object_put(object);
	return copy;
}
