/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest of any content: understood as it would be written again, or refused. */
#include "manifest.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest manifest;
	size_t signed_size, again_size, again_signed;
	char *again;

	if (manifest_decode(data, size, &manifest, &signed_size) != 0) {
		return 0;
	}
	if (signed_size > size || manifest.pinned_size > manifest.size ||
	    !folder_is_name(manifest.image) ||
	    manifest_encode(&manifest, &again, &again_size, &again_signed) != 0 ||
	    again_size != size || again_signed != signed_size || memcmp(again, data, size) != 0) {
		abort();
	}
	free(again);
	return 0;
}
