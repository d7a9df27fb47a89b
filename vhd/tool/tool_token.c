/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of key slots with a token, by a helper program. */
#define _GNU_SOURCE

#include "keyslot.h"
#include "token_helper.h"
#include "tool_disk.h"

#include <errno.h>
#include <string.h>

/* The first slot whose token the helper takes. */
static int ask_helper(struct tool *tool, struct layer *payload, struct tool_secret *ret_secret)
{
	struct keyslot slots[LUKS_POLICY_SLOTS];
	uint8_t bytes[TOKEN_HELPER_SECRET];
	struct luks_secret secret = {0};
	unsigned count = 0;
	int rc = keyslot_list(payload, slots, &count, &tool->why);

	if (rc < 0) {
		return rc;
	}
	rc = why_set(&tool->why, -ENOKEY, "no key slot has a token for %s", tool->token_helper);
	for (unsigned i = 0; i < count && rc < 0; i++) {
		if (slots[i].kind == LUKS_SLOT_TPM2 || slots[i].kind == LUKS_SLOT_RECIPIENT) {
			rc = token_helper_run(payload, tool->token_helper, slots[i].slot, bytes,
					      &secret, &tool->why);
		}
	}
	rc = rc ? rc : tool_secret_copy(secret.bytes, secret.size, ret_secret);
	explicit_bzero(bytes, sizeof(bytes));
	return rc;
}

int tool_disk_get_secret(struct tool *tool, const struct tool_disk *disk, const char *prompt,
			 struct tool_secret *ret_secret)
{
	const struct stack_options options = {.ciphertext = true, .ignore_manifest = true};
	struct layer *payload;
	int rc;

	if (!tool->token_helper) {
		return tool_secret_get(tool, prompt, false, ret_secret);
	}
	if (disk->top) {
		return ask_helper(tool, disk->top, ret_secret);
	}
	rc = stack_open(disk->folder, disk->name, &options, &payload, &tool->why);
	if (rc < 0) {
		return rc;
	}
	rc = ask_helper(tool, payload, ret_secret);
	(void)!layer_close(payload);
	return rc;
}
