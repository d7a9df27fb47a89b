/* SPDX-License-Identifier: Apache-2.0 */
/** Asks the daemon about the policy. Files are handed over open: the daemon reads what the caller
 * may read, and never a path. */
#define _GNU_SOURCE
#include "command_policy.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "fds.h"
#include "show.h"

enum { EXIT_OK = 0, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_NO_DAEMON = 3 };

struct files {
	struct json_object *layers, *others;
	int fd[FDS_MAX];
	unsigned int count;
};

static const char usage[] =
	"usage: bulkhead policy apply FILE... | confirm | revert | status | ask FROM TO KIND "
	"[TYPE] "
	"[PORT]\n"
	"\n"
	"  apply FILE...   follow these signed layers from now on; FILE.sig lies beside each, and\n"
	"                  what they include too. A user applies the user layer, IT any; an empty\n"
	"                  newer one takes back what the one before said\n"
	"  confirm         keep a change of the way to IT, which else is taken back in time; for "
	"IT\n"
	"  revert          take back a change that waits to be confirmed: one's own, or as IT\n"
	"  status          which policy is in force, and what the last change did\n"
	"  ask             decide one flow, as daemons do it\n"
	"\n"
	"  --without-user  apply: leave out the user layer that is applied, where it is in the\n"
	"                  way; for IT\n"
	"  --json          the daemon's answer as it is\n"
	"  --socket PATH   of the daemon (/run/bulkhead.sock)\n"
	"\n"
	"Exit codes: 0 done (ask: allowed), 1 refused or failed, 2 usage, 3 the daemon is not "
	"reachable.\n";

bool command_policy_knows(const char *verb)
{
	static const char *const verbs[] = {"apply", "confirm", "revert", "status", "ask"};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (!strcmp(verb, verbs[i])) {
			return true;
		}
	}
	return false;
}

static void __attribute__((noreturn)) fail(int code, const char *what, const char *why)
{
	fprintf(stderr, "bulkhead policy: %s%s%s\n", what, why ? ": " : "", why ? why : "");
	exit(code);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Adds a file; one that need not be there is left out. */
static void add_file(struct files *files, struct json_object *list, const char *path, bool needed)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		if (needed) {
			fail(EXIT_NO_DAEMON, path, strerror(errno));
		}
		return;
	}
	if (files->count == FDS_MAX) {
		fail(EXIT_REFUSED, path, "more files than a policy can have");
	}
	files->fd[files->count++] = fd;
	json_object_array_add(list, json_object_new_string(name_of(path)));
}

static bool has_file(const struct files *files, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(files->others); i++) {
		struct json_object *other = json_object_array_get_idx(files->others, i);

		if (!strcmp(json_object_get_string(other), name)) {
			return true;
		}
	}
	return false;
}

/* Files that the lines of a layer name, and so on. This only finds what to hand over: the daemon
 * goes by the signature. */
static void add_includes(struct files *files, const char *folder, const char *name)
{
	char *path = NULL, *line = NULL, included[256];
	size_t room = 0;
	FILE *file;

	if (asprintf(&path, "%s%s", folder, name) < 0) {
		fail(EXIT_REFUSED, "out of memory", NULL);
	}
	file = fopen(path, "re");
	free(path);
	while (file && getline(&line, &room, file) >= 0) {
		if (sscanf(line, " include \"%255[^\"/]\"", included) != 1 ||
		    has_file(files, included) || included[0] == '.') {
			continue;
		}
		if (asprintf(&path, "%s%s", folder, included) >= 0) {
			add_file(files, files->others, path, false);
			free(path);
			if (has_file(files, included)) {
				add_includes(files, folder, included);
			}
		}
	}
	free(line);
	if (file) {
		fclose(file);
	}
}

static struct json_object *make_apply(char **paths, int count, struct files *files)
{
	struct json_object *request = json_object_new_object();
	char *path;

	if (count < 1) {
		fail(EXIT_USAGE, "which layers? see bulkhead policy apply --help", NULL);
	}
	files->layers = json_object_new_array();
	files->others = json_object_new_array();
	for (int i = 0; i < count; i++) {
		add_file(files, files->layers, paths[i], true);
	}
	for (int i = 0; i < count; i++) {
		if (asprintf(&path, "%s.sig", paths[i]) >= 0) {
			add_file(files, files->others, path, false);
			free(path);
		}
	}
	for (int i = 0; i < count; i++) {
		if (asprintf(&path, "%.*s", (int)(name_of(paths[i]) - paths[i]), paths[i]) >= 0) {
			add_includes(files, path, name_of(paths[i]));
			free(path);
		}
	}
	json_object_object_add(request, "layers", files->layers);
	if (json_object_array_length(files->others) > 0) {
		json_object_object_add(request, "others", files->others);
	} else {
		json_object_put(files->others);
	}
	return request;
}

static struct json_object *make_ask(char **words, int count)
{
	static const char *const keys[] = {"from", "to", "kind"};
	struct json_object *request = json_object_new_object();

	if (count < 3 || count > 5) {
		fail(EXIT_USAGE, "ask FROM TO KIND [TYPE] [PORT]", NULL);
	}
	for (int i = 0; i < 3; i++) {
		json_object_object_add(request, keys[i], json_object_new_string(words[i]));
	}
	for (int i = 3; i < count; i++) {
		if (words[i][0] >= '0' && words[i][0] <= '9') {
			json_object_object_add(request, "port",
					       json_object_new_int(atoi(words[i])));
		} else {
			json_object_object_add(request, "type", json_object_new_string(words[i]));
		}
	}
	return request;
}

static struct json_object *make_request(const char *verb, char **words, int count,
					struct files *files)
{
	struct json_object *request;
	char name[32];

	if (!strcmp(verb, "apply")) {
		request = make_apply(words, count, files);
	} else if (!strcmp(verb, "ask")) {
		request = make_ask(words, count);
	} else if (count > 0) {
		fail(EXIT_USAGE, verb, "takes no arguments");
	} else {
		request = json_object_new_object();
	}
	snprintf(name, sizeof(name), "policy-%s", verb);
	json_object_object_add(request, "verb", json_object_new_string(name));
	return request;
}

static bool flag(struct json_object *answer, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(answer, key, &value) && json_object_get_boolean(value);
}

static int show(const char *verb, struct json_object *answer, bool json)
{
	struct json_object *error = NULL;
	bool ok = flag(answer, "ok");

	json_object_object_get_ex(answer, "error", &error);
	if (json) {
		puts(json_object_to_json_string_ext(answer, JSON_C_TO_STRING_PLAIN));
	} else if (!ok) {
		fprintf(stderr, "bulkhead policy: %s\n",
			error ? json_object_get_string(error) : "refused");
	} else if (!strcmp(verb, "ask")) {
		struct json_object *rule = NULL;

		json_object_object_get_ex(answer, "rule", &rule);
		printf("%s by %s%s\n", flag(answer, "allow") ? "allowed" : "denied",
		       json_object_get_string(rule), flag(answer, "asked") ? ", asked" : "");
	} else {
		show_policy(stdout, answer);
	}
	return ok && (strcmp(verb, "ask") || flag(answer, "allow")) ? EXIT_OK : EXIT_REFUSED;
}

int command_policy(int argc, char **argv)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'},
		{"without-user", no_argument, NULL, 'w'},
		{"socket", required_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *socket_path = "/run/bulkhead.sock";
	struct files files = {.count = 0};
	struct json_object *request, *answer;
	struct client_link link;
	bool json = false, without_user = false;
	int ret;

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'w':
			without_user = true;
			break;
		case 's':
			socket_path = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			return EXIT_USAGE;
		}
	}
	request = make_request(argv[0], argv + optind, argc - optind, &files);
	if (without_user) {
		json_object_object_add(request, "without-user", json_object_new_boolean(true));
	}
	ret = client_connect(&link, socket_path);
	if (ret == 0) {
		ret = client_ask_with(&link, request, files.fd, files.count);
	}
	if (ret) {
		fail(EXIT_NO_DAEMON, socket_path, strerror(-ret));
	}
	answer = client_next(&link);
	if (!answer) {
		fail(EXIT_REFUSED, "the daemon hung up", NULL);
	}
	ret = show(argv[0], answer, json);
	json_object_put(answer);
	client_disconnect(&link);
	return ret;
}
