/* SPDX-License-Identifier: Apache-2.0 */
/* Layers in memory, through the same chain as files. */
#include "policy_layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct compile *policy_layers(const char *first, ...)
{
	struct compile *compile = calloc(1, sizeof(*compile));
	uint32_t count = 0;
	va_list list;

	assert_non_null(compile);
	assert_int_equal(source_init(&compile->sources, NULL), 0);
	va_start(list, first);
	for (const char *text = first; text; text = va_arg(list, const char *)) {
		char name[] = {(char)('a' + count), '\0'};

		assert_int_equal(
			source_add(&compile->sources, name, text, strlen(text), &compile->diags),
			(int)count);
		count++;
	}
	va_end(list);
	if (compile_sources(compile, 0, count, 0)) {
		diag_print(&compile->diags, &compile->sources, stderr);
		fail();
	}
	return compile;
}

void policy_layers_free(struct compile *compile)
{
	compile_fini(compile);
	free(compile);
}

uint32_t policy_layers_node(const struct compile *compile, const char *name)
{
	int node = model_find(&compile->model, name);

	assert_true(node >= 0);
	return (uint32_t)node;
}
