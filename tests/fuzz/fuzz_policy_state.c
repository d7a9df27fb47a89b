/* SPDX-License-Identifier: Apache-2.0 */
/** The record of applied policies, and names of their files, from any bytes: what is taken is what
 * would be written. */
#include <stdlib.h>
#include <string.h>
#include "policy_state.h"
#include "store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[POLICY_STATE_TEXT], path[STORE_PATH_SIZE];
	struct policy_state state;
	struct store_file file;
	char *name = malloc(size + 1);

	if (policy_state_decode((const char *)data, size, &state) == 0 &&
	    (policy_state_encode(&state, text) != size || memcmp(text, data, size) ||
	     !state.trial != !state.needs)) {
		abort();
	}
	if (name) {
		memcpy(name, data, size);
		name[size] = 0;
		if (store_decode(name, &file) && (store_path(&file, path) || strcmp(path, name))) {
			abort();
		}
	}
	free(name);
	return 0;
}
