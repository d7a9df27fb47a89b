/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-policy: the verbs of `bulkhead policy` that need no daemon. */
#include <stdio.h>
#include <string.h>

#include "tool.h"

#define LOADS (TOOL_INCLUDE | TOOL_JSON)

const struct tool_verb tool_verbs[] = {
	{"check", "[FILE...]", "read, layer and prove a policy",
	 "Says what is wrong with it, each error with its place and a hint, or how much was "
	 "proved.\n"
	 "    bulkhead policy check vendor.pol it.pol",
	 LOADS | TOOL_ROOT, 0, TEXT_LAYERS, tool_check},
	{"compile", "FILE... -o TABLE", "make the table that the machine reads",
	 "Nothing is written when anything is wrong. --module names a boot module that root mode\n"
	 "must find, byte for byte.\n"
	 "    bulkhead policy compile vendor.pol it.pol --module kernel=vmlinuz -o policy.tbl",
	 LOADS | TOOL_OUT | TOOL_SERIAL | TOOL_MODULE, 1, TEXT_LAYERS, tool_compile},
	{"sign", "FILE --key KEY", "sign one layer with what it includes",
	 "Writes FILE.sig. KEY is a private key in PEM: ECDSA P-256 or RSA.\n"
	 "    bulkhead policy sign it.pol --key it-key.pem",
	 LOADS | TOOL_KEY | TOOL_OUT, 1, 1, tool_sign},
	{"verify", "FILE --keys PATH", "verify the signature of one layer",
	 "PATH is a public key in PEM or a folder of them. --seen also refuses an older version.\n"
	 "    bulkhead policy verify it.pol --keys /etc/bulkhead/keys",
	 LOADS | TOOL_KEYS | TOOL_SIG | TOOL_SEEN, 1, 1, tool_verify},
	{"explain", "FROM TO FLOW [TYPE] [PORT]", "say which rule decides, and what to ask IT for",
	 "FLOW is clipboard, file, link, channel, network, usb, camera, microphone, sound, "
	 "capture,\n"
	 "print, folder, input or display.\n"
	 "    bulkhead policy explain browser desktop clipboard text",
	 LOADS | TOOL_ROOT | TOOL_POLICY, 3, 6, tool_explain},
	{"matrix", "[FILE...]", "show who reaches whom",
	 "As text, csv, json or svg. --all also shows keys, pixels and denied flows with a rule.\n"
	 "    bulkhead policy matrix vendor.pol --format svg -o matrix.svg",
	 LOADS | TOOL_ROOT | TOOL_FORMAT | TOOL_OUT | TOOL_ALL, 0, TEXT_LAYERS, tool_matrix},
	{"diff", "OLD NEW", "say what becomes possible and what impossible",
	 "OLD and NEW are layers joined by commas; --with names one that both have.\n"
	 "Exit code 1: they differ.\n"
	 "    bulkhead policy diff --with vendor.pol it-7.pol it-8.pol",
	 LOADS | TOOL_WITH, 2, 2, tool_diff},
	{"show", "[FILE...]", "the policy in effect, each line with its origin",
	 "What is shown is a policy of one layer that decides the same. --all also shows what is\n"
	 "denied by a rule.\n"
	 "    bulkhead policy show",
	 LOADS | TOOL_ROOT | TOOL_ALL, 0, TEXT_LAYERS, tool_show},
	{"fmt", "FILE...", "lay out a file in the one way",
	 "Prints it; --write replaces the files, --check names those that are not in that form.\n"
	 "    bulkhead policy fmt --check *.pol",
	 TOOL_CHECK | TOOL_WRITE | TOOL_JSON | TOOL_INCLUDE, 1, TOOL_FILES_MAX, tool_fmt},
	{0},
};

static void print_verbs(FILE *out)
{
	fprintf(out, "usage: bulkhead policy VERB [OPTION]... [FILE]...\n\n");
	for (const struct tool_verb *verb = tool_verbs; verb->name; verb++) {
		fprintf(out, "  %-8s %-27s %s\n", verb->name, verb->arguments, verb->help);
	}
	fprintf(out,
		"\nThese ask the daemon: bulkhead policy apply, confirm, revert, status.\n"
		"Options of a verb: bulkhead policy VERB --help\n"
		"\nWithout FILE, the policy is the one in /etc/bulkhead/policy: vendor.pol, "
		"it.pol, user.pol.\n"
		"Exit codes: 0 fine, 1 the policy is wrong or differs, 2 usage, 3 a file or the "
		"system.\n");
}

static const struct tool_verb *find_verb(const char *name)
{
	for (const struct tool_verb *verb = tool_verbs; verb->name; verb++) {
		if (!strcmp(verb->name, name)) {
			return verb;
		}
	}
	return NULL;
}

static void print_usage(const struct tool_verb *verb)
{
	printf("usage: bulkhead policy %s %s\n\n%s: %s.\n%s\n\n", verb->name, verb->arguments,
	       verb->name, verb->help, verb->details);
	tool_print_options(verb, stdout);
}

static int run(struct tool *tool, int argc, char **argv)
{
	int ret = tool_parse(tool, argc, argv);

	if (ret > 0) {
		print_usage(tool->verb);
		return TOOL_OK;
	}
	if (ret < 0) {
		return TOOL_USAGE;
	}
	tool->result = json_object_new_object();
	ret = tool->verb->run(tool);
	if (tool->json) {
		json_object_object_add(tool->result, "ok", json_object_new_boolean(ret == TOOL_OK));
		puts(json_object_to_json_string_ext(
			tool->result, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(tool->result);
	return ret;
}

int main(int argc, char **argv)
{
	struct tool tool = {0};
	int ret;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_verbs(stdout);
		return TOOL_OK;
	}
	if (argc < 2) {
		print_verbs(stderr);
		return TOOL_USAGE;
	}
	tool.verb = find_verb(argv[1]);
	if (!tool.verb) {
		fprintf(stderr, "bulkhead-policy: %s is no verb; see bulkhead policy --help\n",
			argv[1]);
		return TOOL_USAGE;
	}
	ret = run(&tool, argc - 1, argv + 1);
	if (fflush(stdout) != 0) {
		fprintf(stderr, "bulkhead-policy: the result could not be written\n");
		return TOOL_FAILED;
	}
	return ret;
}
