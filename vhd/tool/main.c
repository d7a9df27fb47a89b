/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-vhd: the verbs of `bulkhead vhd`. */
#define _GNU_SOURCE

#include "tool.h"
#include "tool_qemu.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word for completion: `--words` lists the verbs, `--words VERB` its options. */
static int print_words(int argc, char **argv)
{
	int words;
	const struct tool_verb *verb = tool_find_verb(argv + 2, argc - 2, &words);

	tool_print_words(verb);
	return TOOL_OK;
}

static int run_verb(struct tool *tool, int argc, char **argv)
{
	int words, count, code;

	tool->verb = tool_find_verb(argv + 1, argc - 1, &words);
	if (!tool->verb) {
		return tool_fail_usage(tool, "%s is no verb; `bulkhead vhd --help` lists them",
				       argv[1]);
	}
	tool_add_text(tool->result, "verb", tool->verb->name);
	count = tool_parse(tool, argc - 1 - words, argv + 1 + words);
	if (count == -2) {
		tool_print_usage(tool->verb);
		tool->json = false;
		return TOOL_OK;
	}
	if (count < 0) {
		code = TOOL_USAGE;
	} else {
		tool_catch_signals();
		code = tool->verb->run(tool, argv + 1 + words, (unsigned)count);
	}
	return code;
}

int main(int argc, char **argv)
{
	struct tool tool = {.secret_fd = -1};
	int code;

	setlocale(LC_CTYPE, "");
	if (argc > 1 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		tool_print_verbs();
		return TOOL_OK;
	}
	if (argc > 1 && !strcmp(argv[1], "confined")) {
		return tool_confined(argv + 2);
	}
	if (argc > 1 && !strcmp(argv[1], "--words")) {
		return print_words(argc, argv);
	}
	if (argc < 2) {
		return tool_fail_usage(&tool, "which verb? `bulkhead vhd --help` lists them");
	}
	tool.result = json_object_new_object();
	code = run_verb(&tool, argc, argv);
	tool_finish(&tool, code);
	return fflush(stdout) == 0 ? code : TOOL_FAILED;
}
