/* SPDX-License-Identifier: Apache-2.0 */
/* Options and help, from the table of verbs. */
#define _GNU_SOURCE

#include "tool.h"
#include "tool_size.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPTION_MAX 24u

/* Values of the options that many verbs share; tool_parse() copies them. */
static struct {
	bool json, yes, quiet, progress, help;
	const char *secret_file;
	const char *token_helper;
	int64_t secret_fd;
} shared;

static const struct tool_option option_json = {"json", TOOL_FLAG, &shared.json, NULL,
					       "print one JSON object on stdout"};
static const struct tool_option option_quiet = {"quiet", TOOL_FLAG, &shared.quiet, NULL,
						"say nothing but errors on stderr"};
static const struct tool_option option_help = {"help", TOOL_FLAG, &shared.help, NULL,
					       "show this text"};
static const struct tool_option option_yes = {"yes", TOOL_FLAG, &shared.yes, NULL,
					      "do not ask before destroying anything"};
static const struct tool_option option_progress = {
	"progress", TOOL_FLAG, &shared.progress, NULL,
	"progress also when stderr is no terminal; with --json as JSON lines"};
static const struct tool_option option_secret_file = {
	"secret-file", TOOL_TEXT, &shared.secret_file, "FILE",
	"read the passphrase from FILE, all of its bytes but a last newline"};
static const struct tool_option option_secret_fd = {
	"secret-fd", TOOL_NUMBER, &shared.secret_fd, "N",
	"read the passphrase from the open descriptor N up to a newline or the end"};
static const struct tool_option option_token_helper = {
	"token-helper", TOOL_TEXT, &shared.token_helper, "PROGRAM",
	"ask PROGRAM for the secret of a key slot with a token (TPM, smart card)"};

/* All options of a verb, its own first. Returns how many. */
static unsigned list_options(const struct tool_verb *verb,
			     const struct tool_option *ret_options[OPTION_MAX])
{
	unsigned count = 0;

	for (const struct tool_option *own = verb->options; own && own->kind != TOOL_END; own++) {
		ret_options[count++] = own;
	}
	if (verb->flags & TOOL_SECRET) {
		ret_options[count++] = &option_secret_file;
		ret_options[count++] = &option_secret_fd;
		ret_options[count++] = &option_token_helper;
	}
	if (verb->flags & TOOL_YES) {
		ret_options[count++] = &option_yes;
	}
	if (verb->flags & TOOL_LONG) {
		ret_options[count++] = &option_progress;
	}
	ret_options[count++] = &option_json;
	ret_options[count++] = &option_quiet;
	ret_options[count++] = &option_help;
	return count;
}

const struct tool_verb *tool_find_verb(char **words, int count, int *ret_words)
{
	for (const struct tool_verb *verb = tool_verbs; count > 0 && verb->name; verb++) {
		size_t first = strcspn(verb->name, " ");

		if (strncmp(verb->name, words[0], first) != 0 || words[0][first]) {
			continue;
		}
		if (!verb->name[first]) {
			*ret_words = 1;
			return verb;
		}
		if (count > 1 && !strcmp(verb->name + first + 1, words[1])) {
			*ret_words = 2;
			return verb;
		}
	}
	return NULL;
}

/* Takes the text of an option; false: it is not of its kind. */
static bool set_option(const struct tool_option *option, const char *text)
{
	char *end;

	switch (option->kind) {
	case TOOL_FLAG:
		*(bool *)option->value = true;
		return true;
	case TOOL_TEXT:
		*(const char **)option->value = text;
		return *text != '\0';
	case TOOL_SIZE:
		return tool_size_parse(text, option->value);
	case TOOL_NUMBER:
		*(int64_t *)option->value = strtoll(text, &end, 10);
		return end != text && !*end && *text >= '0' && *text <= '9';
	case TOOL_END:
		break;
	}
	return false;
}

/* The option that `word` ("--size" or "--size=20G") names, NULL: none. */
static const struct tool_option *find_option(const struct tool_verb *verb, const char *word,
					     const char **ret_text)
{
	const struct tool_option *options[OPTION_MAX];
	unsigned count = list_options(verb, options);
	size_t size = strcspn(word + 2, "=");

	for (unsigned i = 0; i < count; i++) {
		if (strlen(options[i]->name) == size &&
		    !strncmp(options[i]->name, word + 2, size)) {
			*ret_text = word[2 + size] ? word + 3 + size : NULL;
			return options[i];
		}
	}
	return NULL;
}

/* Takes the option at *at and, when it needs one, its argument. */
static bool take_option(struct tool *tool, char **words, int count, int *at)
{
	const char *text = NULL, *word = words[*at];
	const struct tool_option *option;

	if (!strcmp(word, "-h")) {
		word = "--help";
	}
	option = word[1] == '-' ? find_option(tool->verb, word, &text) : NULL;
	if (!option || (option->kind == TOOL_FLAG && text)) {
		tool_fail_usage(tool, "%s does not know the option %s", tool->verb->name, word);
		return false;
	}
	if (option->kind != TOOL_FLAG && !text) {
		if (++*at == count) {
			tool_fail_usage(tool, "--%s needs %s", option->name, option->argument);
			return false;
		}
		text = words[*at];
	}
	if (!set_option(option, text)) {
		tool_fail_usage(tool, "--%s %s is not a %s", option->name, text,
				option->kind == TOOL_SIZE ? "size; say it like 20G or 512M"
							  : option->argument);
		return false;
	}
	return true;
}

int tool_parse(struct tool *tool, int argc, char **arguments)
{
	bool only_names = false;
	int kept = 0;

	shared.secret_fd = -1;
	/* So that what comes before a wrong option is answered in JSON too. */
	for (int i = 0; i < argc; i++) {
		tool->json = tool->json || !strcmp(arguments[i], "--json");
	}
	for (int i = 0; i < argc; i++) {
		if (!only_names && !strcmp(arguments[i], "--")) {
			only_names = true;
		} else if (only_names || arguments[i][0] != '-' || !arguments[i][1]) {
			arguments[kept++] = arguments[i];
		} else if (!take_option(tool, arguments, argc, &i)) {
			return -1;
		}
	}
	if (shared.help) {
		return -2;
	}
	tool->yes = shared.yes;
	tool->quiet = shared.quiet;
	tool->show_progress = shared.progress;
	tool->secret_file = shared.secret_file;
	tool->secret_fd = shared.secret_fd;
	tool->token_helper = shared.token_helper;
	if ((unsigned)kept < tool->verb->least || (unsigned)kept > tool->verb->most) {
		tool_fail_usage(tool, "usage: bulkhead vhd %s%s%s", tool->verb->name,
				*tool->verb->arguments ? " " : "", tool->verb->arguments);
		return -1;
	}
	return kept;
}

void tool_print_usage(const struct tool_verb *verb)
{
	const struct tool_option *options[OPTION_MAX];
	unsigned count = list_options(verb, options);

	printf("usage: bulkhead vhd %s [OPTION]...%s%s\n\n%s\n\n", verb->name,
	       *verb->arguments ? " " : "", verb->arguments, verb->details);
	for (unsigned i = 0; i < count; i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s%s%s", options[i]->name,
			 options[i]->argument ? " " : "",
			 options[i]->argument ? options[i]->argument : "");
		printf("  %-22s %s\n", left, options[i]->help);
	}
}

void tool_print_verbs(void)
{
	printf("usage: bulkhead vhd VERB [OPTION]... [NAME]...\n\n"
	       "Virtual disks in Microsoft's VHD format: make them, look into them, keep them "
	       "whole,\n"
	       "encrypt them, move them to another PC.\n\n");
	for (const struct tool_verb *verb = tool_verbs; verb->name; verb++) {
		if (!(verb->flags & TOOL_HIDDEN)) {
			printf("  %-13s %s\n", verb->name, verb->help);
		}
	}
	printf("\n`bulkhead vhd VERB --help` says more, with an example. --json is understood by "
	       "all.\n"
	       "Secrets are asked for on the terminal, or come by --secret-file or --secret-fd.\n\n"
	       "Exit codes: 0 done, 1 failed, 2 usage, 3 not in order but repairable, 4 damaged "
	       "or\n"
	       "lost, 5 in use, 6 wrong or missing key, 7 scan found something, 8 interrupted "
	       "(what\n"
	       "was there is still valid), 9 this PC lacks what the desktop needs.\n");
}

void tool_print_words(const struct tool_verb *only)
{
	const struct tool_option *options[OPTION_MAX];
	unsigned count = only ? list_options(only, options) : 0;

	for (unsigned i = 0; i < count; i++) {
		printf("--%s\n", options[i]->name);
	}
	for (const struct tool_verb *verb = tool_verbs; !only && verb->name; verb++) {
		if (!(verb->flags & TOOL_HIDDEN)) {
			printf("%s\n", verb->name);
		}
	}
}
