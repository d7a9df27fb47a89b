/* SPDX-License-Identifier: Apache-2.0 */
/* check and compile: what is wrong, or the table. */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "abi/policy.h"
#include "module.h"
#include "tool.h"

static void add_number(struct tool *tool, const char *name, uint64_t value)
{
	json_object_object_add(tool->result, name, json_object_new_int64((int64_t)value));
}

static void count_warnings(const struct diag_list *diags, unsigned int *ret_count)
{
	*ret_count = 0;
	for (size_t i = 0; i < diags->count; i++) {
		*ret_count += diags->item[i].level == DIAG_WARNING;
	}
}

static int read_modules(struct tool *tool, struct module *measured, struct emit_module *modules)
{
	if (tool->modules.count > MODULE_MAX) {
		tool_complain(tool, "at most %u modules", MODULE_MAX);
		return TOOL_USAGE;
	}
	for (uint32_t i = 0; i < tool->modules.count; i++) {
		struct module *module = &measured[i];
		int ret;

		if (module_decode(tool->modules.path[i], module)) {
			tool_complain(tool,
				      "--module wants ROLE=FILE with at most 15 of a-z, 0-9 and - "
				      "in ROLE, not %s",
				      tool->modules.path[i]);
			return TOOL_USAGE;
		}
		ret = module_measure(module);
		if (ret) {
			tool_complain(tool, "%s: %s", module->path,
				      ret == -ENODATA ? "the file is empty" : strerror(-ret));
			return TOOL_FAILED;
		}
		modules[i] = (struct emit_module){module->role, module->size, module->crc32c};
	}
	return TOOL_OK;
}

static void print_hash(const void *table, char ret_hex[65])
{
	const struct bh_policy *root = table;

	for (size_t i = 0; i < sizeof(root->hash); i++) {
		sprintf(ret_hex + 2 * i, "%02x", root->hash[i]);
	}
}

static uint64_t choose_serial(const struct tool *tool, const struct model *model)
{
	uint64_t sum = 0;

	for (unsigned int layer = 0; layer < TEXT_LAYERS; layer++) {
		sum += model->version[layer];
	}
	return tool->serial ? tool->serial : sum;
}

/* Shows what only the making of a table finds: the bounds of root mode. */
static int make_table(struct tool *tool, struct compile *compile, const struct emit_module *modules,
		      void **ret_bytes, size_t *ret_size)
{
	size_t known = compile->diags.count, left_out = compile->diags.left_out;
	struct diag_list late;
	int ret;

	ret = emit_table(&compile->model, &compile->cells, &compile->sources,
			 choose_serial(tool, &compile->model), modules, tool->modules.count,
			 &compile->diags, ret_bytes, ret_size);
	late = compile->diags;
	late.item += known < late.count ? known : late.count;
	late.count -= known < late.count ? known : late.count;
	late.left_out -= left_out;
	tool_show_diags(tool, &late, &compile->sources);
	return ret ? TOOL_WRONG : TOOL_OK;
}

static int check(struct tool *tool, struct compile *compile)
{
	unsigned int warnings;
	size_t size;
	void *table;
	int ret;

	count_warnings(&compile->diags, &warnings);
	ret = make_table(tool, compile, NULL, &table, &size);
	if (ret) {
		return ret;
	}
	free(table);
	add_number(tool, "partitions", compile->model.part_count);
	add_number(tool, "rules", compile->model.rule_count);
	add_number(tool, "assertions", compile->model.claim_count);
	add_number(tool, "warnings", warnings);
	if (!tool->json) {
		printf("The policy holds: %" PRIu32 " partitions, %" PRIu32 " rules, %" PRIu32
		       " %s proved, %u %s.\n",
		       compile->model.part_count, compile->model.rule_count,
		       compile->model.claim_count,
		       compile->model.claim_count == 1 ? "assertion" : "assertions", warnings,
		       warnings == 1 ? "warning" : "warnings");
	}
	return TOOL_OK;
}

int tool_check(struct tool *tool)
{
	return tool_use_policy(tool, &tool->arguments, check);
}

static int write_table(struct tool *tool, struct compile *compile,
		       const struct emit_module *modules)
{
	uint64_t serial = choose_serial(tool, &compile->model);
	char hex[65];
	size_t size;
	void *bytes;
	int ret;

	ret = make_table(tool, compile, modules, &bytes, &size);
	if (ret) {
		return ret;
	}
	print_hash(bytes, hex);
	ret = tool_write_file(tool, tool->out, bytes, size);
	free(bytes);
	if (ret) {
		return ret;
	}
	json_object_object_add(tool->result, "table", json_object_new_string(tool->out));
	json_object_object_add(tool->result, "hash", json_object_new_string(hex));
	add_number(tool, "bytes", size);
	add_number(tool, "serial", serial);
	if (!tool->json && strcmp(tool->out, "-")) {
		printf("%s: %zu bytes, serial %" PRIu64 ", %s\n", tool->out, size, serial, hex);
	}
	return TOOL_OK;
}

int tool_compile(struct tool *tool)
{
	struct compile *compile = calloc(1, sizeof(*compile));
	struct module measured[MODULE_MAX];
	struct emit_module modules[MODULE_MAX];
	int ret = TOOL_OK;

	if (!compile) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	if (!tool->out) {
		tool_complain(tool, "where does the table go? give -o TABLE");
		ret = TOOL_USAGE;
	} else if (tool->json && !strcmp(tool->out, "-")) {
		tool_complain(tool, "--json and a table on stdout do not go together");
		ret = TOOL_USAGE;
	}
	ret = ret ? ret : read_modules(tool, measured, modules);
	if (ret == TOOL_OK) {
		ret = tool_load(tool, &tool->arguments, compile);
		if (ret == TOOL_OK) {
			ret = write_table(tool, compile, modules);
		}
		compile_fini(compile);
	}
	free(compile);
	return ret;
}
