/* SPDX-License-Identifier: Apache-2.0 */
/* sign and verify: one layer with what it includes, and the file beside it. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "parse.h"
#include "sign.h"
#include "tool.h"

/* A layer that was read and parsed, and all files that it is made of. */
struct layer {
	struct source_set set;
	struct text text;
	uint32_t file[SOURCE_FILES_MAX];
	bool has_set, has_text;
};

static void layer_fini(struct layer *layer)
{
	if (layer->has_text) {
		text_fini(&layer->text);
	}
	if (layer->has_set) {
		source_fini(&layer->set);
	}
	free(layer);
}

static int read_layer(struct tool *tool, const char *path, const char *folder, struct layer *layer)
{
	struct diag_list diags = {0};
	int file, ret;

	ret = source_init(&layer->set, folder);
	if (ret) {
		tool_complain(tool, "%s: %s", folder, strerror(-ret));
		return TOOL_FAILED;
	}
	layer->has_set = true;
	file = source_open(&layer->set, path, &diags);
	if (file < 0 || parse_text(&layer->set, (uint32_t)file, &diags, &layer->text)) {
		ret = TOOL_WRONG;
	} else {
		layer->has_text = true;
		for (uint32_t i = 0; i < layer->set.count; i++) {
			layer->file[i] = i;
		}
	}
	tool_show_diags(tool, &diags, &layer->set);
	diag_fini(&diags);
	return ret;
}

static int open_layer(struct tool *tool, struct layer **ret_layer)
{
	const char *path = tool->arguments.path[0];
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct layer *layer = calloc(1, sizeof(*layer));
	int ret;

	if (!layer) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	ret = tool_check_readable(tool, path);
	ret = ret ? ret : read_layer(tool, path, tool->include ? tool->include : folder, layer);
	if (ret) {
		layer_fini(layer);
		return ret;
	}
	*ret_layer = layer;
	return TOOL_OK;
}

static void report(struct tool *tool, const char *done, const struct layer *layer,
		   const char *signature)
{
	const char *word = text_layer_word(layer->text.layer);
	uint32_t includes = layer->set.count - 1;

	json_object_object_add(tool->result, "layer", json_object_new_string(word));
	json_object_object_add(tool->result, "version",
			       json_object_new_int64((int64_t)layer->text.version));
	json_object_object_add(tool->result, "signature", json_object_new_string(signature));
	if (!tool->json) {
		printf("%s: %s, the %s layer, version %" PRIu64 ", with %" PRIu32 " included %s\n",
		       tool->arguments.path[0], done, word, layer->text.version, includes,
		       includes == 1 ? "file" : "files");
	}
}

static int name_signature(struct tool *tool, const char *given, char path[PATH_MAX])
{
	int size = given ? snprintf(path, PATH_MAX, "%s", given)
			 : snprintf(path, PATH_MAX, "%s" SIGN_SUFFIX, tool->arguments.path[0]);

	if (size >= PATH_MAX) {
		tool_complain(tool, "the name of the signature is too long");
		return TOOL_USAGE;
	}
	return TOOL_OK;
}

int tool_sign(struct tool *tool)
{
	uint8_t sig[SIGN_SIZE_MAX];
	char why[SIGN_WHY_SIZE], path[PATH_MAX];
	struct layer *layer;
	size_t size;
	int ret;

	if (!tool->key) {
		tool_complain(tool, "which key signs? give --key KEY");
		return TOOL_USAGE;
	}
	if (tool->json && tool->out && !strcmp(tool->out, "-")) {
		tool_complain(tool, "--json and a signature on stdout do not go together");
		return TOOL_USAGE;
	}
	ret = name_signature(tool, tool->out, path);
	ret = ret ? ret : open_layer(tool, &layer);
	if (ret) {
		return ret;
	}
	if (sign_make(&layer->set, layer->file, layer->set.count, layer->text.layer,
		      layer->text.version, tool->key, sig, &size, why)) {
		tool_complain(tool, "%s", why);
		ret = TOOL_FAILED;
	} else {
		ret = tool_write_file(tool, path, sig, size);
	}
	if (ret == TOOL_OK && strcmp(path, "-")) {
		report(tool, "signed", layer, path);
	}
	layer_fini(layer);
	return ret;
}

static int verify(struct tool *tool, const struct layer *layer, const void *sig, size_t size)
{
	struct sign_head *head = calloc(1, sizeof(*head));
	char why[SIGN_WHY_SIZE];
	int ret;

	if (!head) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	ret = sign_verify(&layer->set, layer->file, layer->set.count, layer->text.layer,
			  layer->text.version, sig, size, tool->keys, why);
	if (!ret && tool->seen) {
		ret = sign_describe(&layer->set, layer->file, layer->set.count, layer->text.layer,
				    layer->text.version, head, why);
		ret = ret ? ret
			  : sign_seen_check(tool->seen, layer->text.layer, layer->text.version,
					    head->digest, why);
	}
	free(head);
	if (ret) {
		tool_complain(tool, "%s: %s", tool->arguments.path[0], why);
		return ret == -EBADMSG || ret == -EKEYREJECTED || ret == -ESTALE ? TOOL_WRONG
										 : TOOL_FAILED;
	}
	return TOOL_OK;
}

int tool_verify(struct tool *tool)
{
	char path[PATH_MAX];
	struct layer *layer;
	char *sig;
	size_t size;
	int ret;

	if (!tool->keys) {
		tool_complain(tool, "whom do you trust? give --keys PATH");
		return TOOL_USAGE;
	}
	ret = name_signature(tool, tool->sig, path);
	ret = ret ? ret : tool_read_file(tool, path, SIGN_SIZE_MAX, &sig, &size);
	if (ret) {
		return ret;
	}
	ret = open_layer(tool, &layer);
	if (ret == TOOL_OK) {
		ret = verify(tool, layer, sig, size);
		if (ret == TOOL_OK) {
			report(tool, "verified", layer, path);
		}
		layer_fini(layer);
	}
	free(sig);
	return ret;
}
