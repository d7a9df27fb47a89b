/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a verb: which options it takes, and what they say. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct option_row {
	const char *name;
	const char *argument; /* NULL: a flag */
	unsigned int bit;
	char letter; /* 0: none */
	const char *help;
} rows[] = {
	{"include", "DIR", TOOL_INCLUDE, 0,
	 "where included files are (the folder of the first file)"},
	{"out", "FILE", TOOL_OUT, 'o', "where the result goes; - is stdout"},
	{"serial", "N", TOOL_SERIAL, 0,
	 "number of the table, as its maker counts (the versions' sum)"},
	{"module", "ROLE=FILE", TOOL_MODULE, 0,
	 "a boot module that must be there; may be repeated"},
	{"key", "FILE", TOOL_KEY, 0, "private key in PEM"},
	{"keys", "PATH", TOOL_KEYS, 0, "public key in PEM, or a folder of them"},
	{"signature", "FILE", TOOL_SIG, 0, "the signature, if it is not FILE.sig"},
	{"seen", "FILE", TOOL_SEEN, 0, "versions seen so far; an older one is refused"},
	{"policy", "FILE", TOOL_POLICY, 'p', "a layer to ask; may be repeated"},
	{"with", "FILE", TOOL_WITH, 'w', "a layer that both have; may be repeated"},
	{"format", "WORD", TOOL_FORMAT, 'f', "text (the default), csv, json or svg"},
	{"all", NULL, TOOL_ALL, 'a', "what is denied too"},
	{"check", NULL, TOOL_CHECK, 0, "change nothing; exit code 1 names what would change"},
	{"write", NULL, TOOL_WRITE, 0, "replace the files"},
	{"root", "DIR", TOOL_ROOT, 0, "the machine whose policy is meant, when it is not this one"},
	{"json", NULL, TOOL_JSON, 0, "one JSON object on stdout"},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

void tool_print_options(const struct tool_verb *verb, FILE *out)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		char left[40];

		if (!(verb->options & rows[i].bit)) {
			continue;
		}
		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].argument ? " " : "",
			 rows[i].argument ? rows[i].argument : "");
		if (rows[i].letter) {
			fprintf(out, "  -%c, %-20s %s\n", rows[i].letter, left, rows[i].help);
		} else {
			fprintf(out, "      %-20s %s\n", left, rows[i].help);
		}
	}
}

static int fail(const struct tool *tool, const char *what, const char *name)
{
	fprintf(stderr, "bulkhead-policy: %s%s; see bulkhead policy %s --help\n", what, name,
		tool->verb->name);
	return -1;
}

static int add_file(const struct tool *tool, struct tool_files *files, const char *path)
{
	if (files->count == TOOL_FILES_MAX) {
		return fail(tool, "too many files, the first one too many is ", path);
	}
	files->path[files->count++] = path;
	return 0;
}

static int set_serial(struct tool *tool, const char *word)
{
	char *end;

	errno = 0;
	tool->serial = strtoull(word, &end, 10);
	if (errno || *end || end == word || word[0] == '-' || !tool->serial) {
		return fail(tool, "--serial wants a number above 0, not ", word);
	}
	return 0;
}

static int set_option(struct tool *tool, unsigned int bit, const char *value)
{
	switch ((enum tool_option)bit) {
	case TOOL_INCLUDE:
		tool->include = value;
		break;
	case TOOL_OUT:
		tool->out = value;
		break;
	case TOOL_SERIAL:
		return set_serial(tool, value);
	case TOOL_MODULE:
		return add_file(tool, &tool->modules, value);
	case TOOL_KEY:
		tool->key = value;
		break;
	case TOOL_KEYS:
		tool->keys = value;
		break;
	case TOOL_SIG:
		tool->sig = value;
		break;
	case TOOL_SEEN:
		tool->seen = value;
		break;
	case TOOL_POLICY:
		return add_file(tool, &tool->policy, value);
	case TOOL_WITH:
		return add_file(tool, &tool->with, value);
	case TOOL_FORMAT:
		tool->format = value;
		break;
	case TOOL_ALL:
		tool->all = true;
		break;
	case TOOL_CHECK:
		tool->check = true;
		break;
	case TOOL_WRITE:
		tool->write = true;
		break;
	case TOOL_ROOT:
		tool->root = value;
		break;
	case TOOL_JSON:
		tool->json = true;
		break;
	}
	return 0;
}

/* The options of the verb as getopt wants them; val is the row's number + 256. */
static void make_table(const struct tool_verb *verb, struct option table[ROW_COUNT + 2],
		       char letters[2 * ROW_COUNT + 3])
{
	size_t count = 0, used = 0;

	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (!(verb->options & rows[i].bit)) {
			continue;
		}
		table[count++] = (struct option){rows[i].name,
						 rows[i].argument ? required_argument : no_argument,
						 NULL, (int)i + 256};
		if (rows[i].letter) {
			letters[used++] = rows[i].letter;
			if (rows[i].argument) {
				letters[used++] = ':';
			}
		}
	}
	letters[used++] = 'h';
	letters[used] = '\0';
	table[count++] = (struct option){"help", no_argument, NULL, 'h'};
	table[count] = (struct option){0};
}

static unsigned int option_bit(int c)
{
	for (size_t i = 0; i < ROW_COUNT; i++) {
		if (c == (int)i + 256 || (rows[i].letter && c == rows[i].letter)) {
			return rows[i].bit;
		}
	}
	return 0;
}

static int check_arguments(struct tool *tool)
{
	const struct tool_verb *verb = tool->verb;

	if (tool->arguments.count < verb->least) {
		return fail(tool, "too few arguments, wanted are ", verb->arguments);
	}
	if (tool->arguments.count > verb->most) {
		return fail(tool, "too many arguments, the first one too many is ",
			    tool->arguments.path[verb->most]);
	}
	return 0;
}

/* "browser -> desktop" may be written as in the policy; getopt would take the arrow for an option.
 */
static int drop_arrows(int argc, char **argv)
{
	int kept = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "->")) {
			argv[kept++] = argv[i];
		}
	}
	argv[kept] = NULL;
	return kept;
}

int tool_parse(struct tool *tool, int argc, char **argv)
{
	struct option table[ROW_COUNT + 2];
	char letters[2 * ROW_COUNT + 3];

	char name[40]; /* what getopt complains under */

	make_table(tool->verb, table, letters);
	argc = drop_arrows(argc, argv);
	snprintf(name, sizeof(name), "bulkhead policy %s", tool->verb->name);
	argv[0] = name;
	for (int c; (c = getopt_long(argc, argv, letters, table, NULL)) != -1;) {
		unsigned int bit;

		if (c == 'h') {
			return 1;
		}
		bit = option_bit(c);
		if (!bit) {
			fprintf(stderr, "%s --help names the options it takes\n", name);
		}
		if (!bit || set_option(tool, bit, optarg)) {
			return -1;
		}
	}
	while (optind < argc) {
		if (add_file(tool, &tool->arguments, argv[optind++])) {
			return -1;
		}
	}
	return check_arguments(tool);
}
