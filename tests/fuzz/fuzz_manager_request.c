/* SPDX-License-Identifier: Apache-2.0 */
/** Requests on the daemon's socket from any bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "request.h"
#include "text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[REQUEST_ERROR_SIZE] = "";
	struct request request;
	char *bytes = malloc(size + 1);

	if (request_parse((const char *)data, size, &request, error)) {
		if (!error[0]) {
			abort();
		}
	} else if (request.text_size > sizeof(request.text) ||
		   !memchr(request.name, 0, sizeof(request.name))) {
		abort();
	}
	if (bytes && text_decode((const char *)data, size, bytes) > (long)size) {
		abort();
	}
	free(bytes);
	return 0;
}
