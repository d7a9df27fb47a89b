/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead: the command. Asks bulkheadd and shows the answer. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "client.h"
#include "command_policy.h"
#include "show.h"
#include "text.h"

enum {
	EXIT_OK = 0,
	EXIT_REFUSED = 1, /* the daemon said no, or it went wrong */
	EXIT_USAGE = 2,
	EXIT_NO_DAEMON = 3,
};

#define CONSOLE_LEAVE 0x1d /* Ctrl-] */

struct command {
	const char *verb, *name, *socket_path;
	bool json, follow;
	struct client_link link;
};

static const struct verb {
	const char *name;
	const char *argument; /* NULL: takes none; "[NAME]": may be left out */
	const char *help;
} verbs[] = {
	{"list", NULL, "partitions, their state, memory, uptime, and why they last ended"},
	{"start", "NAME", "start a partition that is stopped or failed"},
	{"stop", "NAME", "end a partition at once, as by pulling the plug"},
	{"reset", "NAME", "end a partition and start it again"},
	{"pause", "NAME", "let a partition stand still"},
	{"resume", "NAME", "let it go on"},
	{"focus", "NAME", "show a partition on the screen and give it the keyboard"},
	{"log", "[NAME]", "what a guest printed; without a name the hypervisor's log"},
	{"stats", "[NAME]",
	 "time in the guest and in root mode, exits by cause; without a name the\n"
	 "                   control partition's"},
	{"console", "NAME", "talk to a guest's console; leave with Ctrl-]"},
};
#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static void print_usage(FILE *out)
{
	fprintf(out,
		"usage: bulkhead VERB [NAME] [--json] [--follow] [--socket PATH] [--help]\n\n");
	for (size_t i = 0; i < VERB_COUNT; i++) {
		fprintf(out, "  %-8s %-7s %s\n", verbs[i].name,
			verbs[i].argument ? verbs[i].argument : "", verbs[i].help);
	}
	fprintf(out, "  vhd      VERB    virtual disks; see bulkhead vhd --help\n");
	fprintf(out, "  policy   VERB    what may cross, and who may do what; see bulkhead policy "
		     "--help\n");
	fprintf(out, "  audit    VERB    the record of decisions; see bulkhead audit --help\n");
	fprintf(out, "\n  --json         the daemon's answer as it is, one JSON object per line\n"
		     "  --follow       with log: go on until interrupted\n"
		     "  --socket PATH  of the daemon (/run/bulkhead.sock)\n"
		     "\nExit codes: 0 done, 1 refused or failed, 2 usage, 3 the daemon is not "
		     "reachable.\n");
}

static void __attribute__((noreturn)) fail_usage(const char *what)
{
	fprintf(stderr, "bulkhead: %s; see bulkhead --help\n", what);
	exit(EXIT_USAGE);
}

static void parse_options(int argc, char **argv, struct command *command)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'},
		{"follow", no_argument, NULL, 'f'},
		{"socket", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};

	for (int c; (c = getopt_long(argc, argv, "f", known, NULL)) != -1;) {
		switch (c) {
		case 'j':
			command->json = true;
			break;
		case 'f':
			command->follow = true;
			break;
		case 's':
			command->socket_path = optarg;
			break;
		case 'h':
			print_usage(stdout);
			exit(EXIT_OK);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind == argc) {
		fail_usage("which verb?");
	}
	command->verb = argv[optind++];
	command->name = optind < argc ? argv[optind++] : NULL;
	if (optind < argc) {
		fail_usage("too many arguments");
	}
}

static void check_usage(const struct command *command)
{
	const struct verb *verb = NULL;

	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (!strcmp(command->verb, verbs[i].name)) {
			verb = &verbs[i];
		}
	}
	if (!verb) {
		fail_usage("no such verb");
	}
	if (!verb->argument && command->name) {
		fail_usage("this verb takes no name");
	}
	if (verb->argument && verb->argument[0] != '[' && !command->name) {
		fail_usage("this verb needs the name of a partition");
	}
	if (command->follow && strcmp(command->verb, "log")) {
		fail_usage("--follow goes with log only");
	}
}

static struct json_object *make_request(const struct command *command)
{
	struct json_object *request = json_object_new_object();

	json_object_object_add(request, "verb", json_object_new_string(command->verb));
	if (command->name) {
		json_object_object_add(request, "name", json_object_new_string(command->name));
	}
	if (!strcmp(command->verb, "log")) {
		json_object_object_add(request, "follow", json_object_new_boolean(command->follow));
	}
	return request;
}

static bool answer_flag(struct json_object *answer, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(answer, key, &value) && json_object_get_boolean(value);
}

/* Prints an error answer; returns the exit code. */
static int check_answer(const struct command *command, struct json_object *answer)
{
	struct json_object *error;

	if (!answer) {
		fprintf(stderr, "bulkhead: the daemon hung up\n");
		return EXIT_REFUSED;
	}
	if (answer_flag(answer, "ok")) {
		return EXIT_OK;
	}
	if (command->json) {
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	} else if (json_object_object_get_ex(answer, "error", &error)) {
		fprintf(stderr, "bulkhead: %s\n", json_object_get_string(error));
	}
	return EXIT_REFUSED;
}

static void show_answer(const struct command *command, struct json_object *answer)
{
	if (command->json) {
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
		fflush(stdout);
	} else if (!strcmp(command->verb, "list")) {
		show_list(stdout, answer);
	} else if (!strcmp(command->verb, "stats")) {
		show_stats(stdout, answer);
	} else if (!strcmp(command->verb, "log")) {
		show_text(stdout, answer, false);
	}
}

static int run_plain(struct command *command)
{
	bool more;
	int ret;

	do {
		struct json_object *answer = client_next(&command->link);

		ret = check_answer(command, answer);
		if (ret == EXIT_OK) {
			show_answer(command, answer);
		}
		more = ret == EXIT_OK && answer_flag(answer, "more");
		json_object_put(answer);
	} while (more);
	return ret;
}

/* Sends what was typed; false when it is time to leave. */
static bool console_type(struct command *command)
{
	char bytes[256], utf8[2 * sizeof(bytes)];
	ssize_t got = read(STDIN_FILENO, bytes, sizeof(bytes));
	struct json_object *request;
	const char *leave;

	if (got <= 0) {
		return false;
	}
	leave = memchr(bytes, CONSOLE_LEAVE, (size_t)got);
	if (leave) {
		got = leave - bytes;
	}
	request = json_object_new_object();
	json_object_object_add(request, "verb", json_object_new_string("type"));
	json_object_object_add(
		request, "text",
		json_object_new_string_len(utf8, (int)text_encode(bytes, (size_t)got, utf8)));
	return client_ask(&command->link, request) == 0 && !leave;
}

static int console_loop(struct command *command)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = command->link.fd, .events = POLLIN}};

	for (;;) {
		while (client_has_line(&command->link)) {
			struct json_object *answer = client_next(&command->link);
			int ret = check_answer(command, answer);

			if (ret == EXIT_OK && command->json) {
				show_answer(command, answer);
			} else if (ret == EXIT_OK) {
				show_text(stdout, answer, true);
			}
			json_object_put(answer);
			if (ret) {
				return ret;
			}
		}
		if (poll(fds, 2, -1) < 0 && errno != EINTR) {
			return EXIT_REFUSED;
		}
		if (fds[1].revents && client_fill(&command->link)) {
			fprintf(stderr, "bulkhead: the daemon hung up\n");
			return EXIT_REFUSED;
		}
		if (fds[0].revents && !console_type(command)) {
			return EXIT_OK;
		}
	}
}

static int run_console(struct command *command)
{
	struct termios before, raw;
	bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	int ret;

	if (terminal) {
		fprintf(stderr, "Console of %s; Ctrl-] leaves.\n", command->name);
		raw = before;
		cfmakeraw(&raw);
		raw.c_oflag = before.c_oflag;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	ret = console_loop(command);
	if (terminal) {
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	}
	return ret;
}

/* Verbs that are programs of their own, beside this one or in PATH; they need no daemon. */
static const struct {
	const char *verb, *program;
} programs[] = {
	{"audit", "bulkhead-audit"},
	{"policy", "bulkhead-policy"},
	{"vhd", "bulkhead-vhd"},
};

static int run_program(const char *program, char **argv)
{
	char path[4096];
	ssize_t size = readlink("/proc/self/exe", path, sizeof(path) - strlen(program) - 1);
	char *slash;

	path[size > 0 ? size : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash) {
		strcpy(slash + 1, program);
		execv(path, argv);
	}
	execvp(program, argv);
	fprintf(stderr, "bulkhead: %s: %s\n", program, strerror(errno));
	return EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	struct command command = {.socket_path = "/run/bulkhead.sock"};
	int ret;

	if (argc > 2 && !strcmp(argv[1], "policy") && command_policy_knows(argv[2])) {
		return command_policy(argc - 2, argv + 2);
	}
	for (size_t i = 0; argc > 1 && i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (!strcmp(argv[1], programs[i].verb)) {
			return run_program(programs[i].program, argv + 1);
		}
	}
	parse_options(argc, argv, &command);
	check_usage(&command);
	ret = client_connect(&command.link, command.socket_path);
	if (ret) {
		fprintf(stderr, "bulkhead: bulkheadd at %s: %s\n", command.socket_path,
			strerror(-ret));
		return EXIT_NO_DAEMON;
	}
	ret = client_ask(&command.link, make_request(&command));
	if (ret) {
		fprintf(stderr, "bulkhead: bulkheadd: %s\n", strerror(-ret));
		ret = EXIT_NO_DAEMON;
	} else {
		ret = strcmp(command.verb, "console") ? run_plain(&command) : run_console(&command);
	}
	client_disconnect(&command.link);
	return ret;
}
