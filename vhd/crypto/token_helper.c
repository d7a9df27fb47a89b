/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON goes out, the secret comes back; the program never sees the disk. */
#include "token_helper.h"

#include "child.h"
#include "keyslot.h"

#include <errno.h>
#include <string.h>

#define JSON_MAX     8192u
#define WAIT_SECONDS 60u

static int ask(const char *program, const char *json, uint8_t *ret_bytes, size_t *ret_size)
{
	struct child child;
	int exit_code, rc = child_start(program, -1, true, &child);

	if (rc) {
		return rc;
	}
	/* One that needs no JSON may end without reading it. */
	(void)!child_send(&child, json, strlen(json));
	child_end_input(&child);
	rc = child_receive(&child, ret_bytes, TOKEN_HELPER_SECRET, ret_size, WAIT_SECONDS);
	exit_code = child_finish(&child);
	return rc ? rc : exit_code == 0 && *ret_size ? 0 : -EPERM;
}

int token_helper_run(struct layer *payload, const char *program, int slot,
		     uint8_t ret_bytes[TOKEN_HELPER_SECRET], struct luks_secret *ret_secret,
		     struct why *why)
{
	char json[JSON_MAX];
	size_t size = 0;
	int rc = keyslot_token(payload, slot, json, sizeof(json), why);

	if (rc == -ENOENT) {
		return why_set(why, rc, "keyslot %d has no token", slot);
	}
	if (rc) {
		return rc;
	}
	rc = ask(program, json, ret_bytes, &size);
	if (rc) {
		return why_set(why, rc, "%s gave no secret for keyslot %d", program, slot);
	}
	*ret_secret = (struct luks_secret){ret_bytes, size, slot};
	return 0;
}
