/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the chain from files to proved decisions; each step runs only after the one before had no
 * error. */
#define _GNU_SOURCE
#include "compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "prove.h"

static int parse_one(struct compile *compile, uint32_t file)
{
	struct text text;

	if (parse_text(&compile->sources, file, &compile->diags, &text) != 0) {
		return -1;
	}
	if (compile->has_text[text.layer]) {
		diag_add(&compile->diags, DIAG_ERROR,
			 text.count > 0 ? text.statement[0].pos : (struct diag_pos){file, 1, 1},
			 "give one file per layer; it may include others",
			 "the %s layer is given twice", text_layer_word(text.layer));
		text_fini(&text);
		return -1;
	}
	compile->text[text.layer] = text;
	compile->has_text[text.layer] = true;
	return 0;
}

static int finish(struct compile *compile, unsigned int checks)
{
	const struct text *texts[TEXT_LAYERS] = {NULL};
	int err;

	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		texts[layer] = compile->has_text[layer] ? &compile->text[layer] : NULL;
	}
	if (model_build(texts, &compile->diags, &compile->model) != 0) {
		return -1;
	}
	compile->has_model = true;
	err = cells_build(&compile->model, &compile->cells);
	if (err != 0) {
		diag_add(&compile->diags, DIAG_ERROR, (struct diag_pos){0},
			 "name fewer ports and partitions in one rule, or leave rules out",
			 "the decisions cannot be worked out: %s",
			 err == -E2BIG ? "there are too many" : strerror(-err));
		return -1;
	}
	compile->has_cells = true;
	return prove_model(&compile->model, &compile->cells, checks, &compile->diags) != 0 ? -1 : 0;
}

int compile_sources(struct compile *compile, uint32_t first, uint32_t count, unsigned int checks)
{
	int ret = 0;

	for (uint32_t i = 0; i < count; i++) {
		ret |= parse_one(compile, first + i);
	}
	if (ret == 0 && count == 0) {
		diag_add(&compile->diags, DIAG_ERROR, (struct diag_pos){0}, "name a policy file",
			 "there is nothing to compile");
		ret = -1;
	}
	return ret != 0 ? -1 : finish(compile, checks);
}

/* Up to the last slash; "." without one. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL) {
		return strdup(".");
	}
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int compile_files(const char *const paths[], uint32_t count, const char *include_path,
		  unsigned int checks, struct compile *compile)
{
	char *folder = NULL;
	int ret = 0;

	memset(compile, 0, sizeof(*compile));
	compile->sources.include_dir = -1;
	if (include_path == NULL && count > 0) {
		include_path = folder = folder_of(paths[0]);
	}
	ret = source_init(&compile->sources, include_path);
	if (ret != 0) {
		diag_add(&compile->diags, DIAG_ERROR, (struct diag_pos){0},
			 "name a folder that is there", "%s: %s", include_path, strerror(-ret));
	}
	free(folder);
	for (uint32_t i = 0; ret == 0 && i < count; i++) {
		ret = source_open(&compile->sources, paths[i], &compile->diags) < 0 ? -1 : 0;
	}
	return ret != 0 ? -1 : compile_sources(compile, 0, count, checks);
}

void compile_fini(struct compile *compile)
{
	if (compile->has_cells) {
		cells_fini(&compile->cells);
	}
	if (compile->has_model) {
		model_fini(&compile->model);
	}
	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		if (compile->has_text[layer]) {
			text_fini(&compile->text[layer]);
		}
	}
	diag_fini(&compile->diags);
	source_fini(&compile->sources);
}
