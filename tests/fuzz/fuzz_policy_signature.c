/* SPDX-License-Identifier: Apache-2.0 */
/* A signature file of any content: understood as it would be written again, or refused. */
#include "sign_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char again[SIGN_SIZE_MAX];
	size_t signed_size, head_size, again_signed;
	struct sign_text text;

	if (sign_text_decode(data, size, &text, &signed_size) != 0) {
		return 0;
	}
	if (signed_size > size || text.head.count == 0 || text.head.count > SOURCE_FILES_MAX ||
	    text.signature_size == 0 || text.signature_size > SIGN_TEXT_BYTES_MAX ||
	    sign_text_encode(&text, again, &head_size, &again_signed) != size ||
	    again_signed != signed_size || memcmp(again, data, size) != 0) {
		abort();
	}
	for (uint32_t i = 0; i < text.head.count; i++) {
		if (strlen(text.head.file[i].name) >= SIGN_NAME_SIZE ||
		    strchr(text.head.file[i].name, '/') || text.head.file[i].name[0] == '.') {
			abort();
		}
	}
	return 0;
}
