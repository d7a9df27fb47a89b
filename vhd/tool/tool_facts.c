/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption, manifest and owner of a disk, for info. */
#define _GNU_SOURCE

#include "tool_facts.h"

#include "keyslot.h"
#include "luks.h"
#include "manifest.h"
#include "owner.h"
#include "tool_size.h"
#include "tool_text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

uint64_t tool_facts_header(struct layer *payload)
{
	bool there = false;

	return luks_is_there(payload, &there) == 0 && there ? LUKS_HEADER_SIZE : 0;
}

static struct json_object *slot_json(const struct keyslot *slot)
{
	struct json_object *object = json_object_new_object();

	tool_add_number(object, "slot", (uint64_t)slot->slot);
	tool_add_text(object, "kind", keyslot_kind_name(slot->kind));
	tool_add_text(object, "kdf", slot->argon2 ? "argon2id" : "pbkdf2");
	tool_add_number(object, "cost", slot->cost);
	tool_add_number(object, "memory_kib", slot->memory);
	return object;
}

void tool_facts_show_slots(struct tool *tool, struct json_object *object, const char *indent,
			   const struct keyslot *slots, unsigned count)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < count; i++) {
		char memory[TOOL_SIZE_TEXT];

		json_object_array_add(list, slot_json(&slots[i]));
		tool_print(tool, "%sslot %d  %-12s %s%s", indent, slots[i].slot,
			   keyslot_kind_name(slots[i].kind),
			   slots[i].argon2 ? "argon2id, " : "pbkdf2",
			   slots[i].argon2 ? tool_size_text(memory, (uint64_t)slots[i].memory << 10)
					   : "");
	}
	json_object_object_add(object, "slots", list);
}

static void show_encryption(struct tool *tool, struct layer *payload)
{
	struct keyslot slots[LUKS_POLICY_SLOTS];
	struct json_object *object;
	unsigned count = 0;
	struct why why = {""};
	bool there = false;
	int rc = luks_is_there(payload, &there);

	if (rc < 0 || !there) {
		tool_print(tool, "  encryption  none");
		json_object_object_add(tool->result, "encryption", NULL);
		return;
	}
	object = json_object_new_object();
	json_object_object_add(tool->result, "encryption", object);
	tool_add_text(object, "format", "luks2");
	rc = keyslot_list(payload, slots, &count, &why);
	if (rc < 0) {
		tool_add_text(object, "error", why.text);
		tool_print(tool, "  encryption  LUKS2, but its header is refused: %s", why.text);
		return;
	}
	tool_print(tool, "  encryption  LUKS2, aes-xts-plain64, %u key slot%s", count,
		   count == 1 ? "" : "s");
	tool_facts_show_slots(tool, object, "              ", slots, count);
}

static const char *state_word(enum manifest_state state)
{
	switch (state) {
	case MANIFEST_SEALED:
		return "sealed";
	case MANIFEST_OPEN:
		return "open";
	case MANIFEST_MOVED:
		return "moved";
	}
	return "unknown";
}

static void show_manifest(struct tool *tool, struct folder *folder, const char *name)
{
	struct manifest manifest;
	struct why why = {""};
	struct json_object *object;
	int rc = manifest_read(folder, name, NULL, &manifest, &why);

	if (rc == -ENOENT) {
		tool_print(tool, "  manifest    none; `bulkhead vhd seal` makes one");
		json_object_object_add(tool->result, "manifest", NULL);
		return;
	}
	object = json_object_new_object();
	json_object_object_add(tool->result, "manifest", object);
	if (rc < 0) {
		tool_add_text(object, "error", why.text);
		tool_print(tool, "  manifest    %s", why.text);
		return;
	}
	tool_add_text(object, "state", state_word(manifest.state));
	tool_add_number(object, "epoch", manifest.epoch);
	tool_add_flag(object, "signed", manifest.signature_size != 0);
	tool_add_flag(object, "encrypted", manifest.encrypted);
	tool_print(tool, "  manifest    %s, epoch %llu, %s", state_word(manifest.state),
		   (unsigned long long)manifest.epoch,
		   manifest.signature_size ? "signed (`bulkhead vhd verify` checks by whom)"
					   : "not signed");
}

static void show_owner(struct tool *tool, struct folder *folder, const char *name)
{
	static const char *const words[] = {"here", "leaving", "moved", "arriving"};
	struct owner owner;
	struct why why = {""};
	struct json_object *object;
	char to[160];
	int rc = owner_read(folder, name, &owner, &why);

	if (rc == -ENOENT) {
		json_object_object_add(tool->result, "owner", NULL);
		return;
	}
	object = json_object_new_object();
	json_object_object_add(tool->result, "owner", object);
	if (rc < 0) {
		tool_add_text(object, "error", why.text);
		tool_print(tool, "  owner       %s", why.text);
		return;
	}
	tool_add_text(object, "state", words[owner.state]);
	tool_add_number(object, "epoch", owner.epoch);
	tool_add_text(object, "to", owner.to[0] ? owner.to : NULL);
	tool_print(tool, "  owner       %s%s%s, epoch %llu",
		   owner.state == OWNER_MOVED ? "moved to " : words[owner.state],
		   owner.state == OWNER_MOVED ? tool_text_clean(to, sizeof(to), owner.to) : "",
		   owner.state == OWNER_MOVED && owner.received ? ", received there" : "",
		   (unsigned long long)owner.epoch);
}

void tool_facts_show(struct tool *tool, struct folder *folder, const char *name,
		     struct layer *payload)
{
	show_encryption(tool, payload);
	show_manifest(tool, folder, name);
	show_owner(tool, folder, name);
}
