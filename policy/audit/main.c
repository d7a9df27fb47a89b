/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-audit: reads an audit log, for people and programs. It never writes one. */
#define _GNU_SOURCE
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FINE, EXIT_WRONG, EXIT_USAGE, EXIT_SYSTEM };

struct options {
	const char *verb, *folder, *log;
	const char *head;
	const char *subject, *rule;
	int what;      /* enum audit_what, -1: all */
	uint64_t last; /* 0: all */
	bool json;
};

/* The newest records that fit, when only the last ones are wanted. */
struct shown {
	const struct options *options;
	struct audit_record *ring;
	uint64_t count; /* that fitted */
};

static const char usage[] =
	"usage: bulkhead audit verify [--head HASH] [--json] [LOG]\n"
	"       bulkhead audit show [--what WORD] [--subject NAME] [--rule ID] [--last N]\n"
	"                           [--head HASH] [--json] [LOG]\n"
	"\n"
	"  verify           read all of the log: nothing is cut, edited, missing or in another "
	"order\n"
	"  show             the same, and print its records\n"
	"\n"
	"  LOG              FOLDER/NAME (" AUDIT_FOLDER "/" AUDIT_LOG ")\n"
	"  --head HASH      a hash that 'verify' printed earlier: that record must still be there\n"
	"  --what WORD      only denied, asked, allowed, applied, confirmed, reverted, refused,\n"
	"                   changed, repaired, opened or closed\n"
	"  --subject NAME   only of this partition, or \"policy\"\n"
	"  --rule ID        only by this rule\n"
	"  --last N         only the last N of these\n"
	"  --json           one JSON object a line\n"
	"\n"
	"Exit codes: 0 fine, 1 the log was cut or edited, 2 usage, 3 file or system error.\n";

static void __attribute__((noreturn)) fail_usage(const char *what)
{
	fprintf(stderr, "bulkhead-audit: %s; see bulkhead audit --help\n", what);
	exit(EXIT_USAGE);
}

static int parse_what(const char *word)
{
	for (unsigned i = 0; i < AUDIT_WHAT_COUNT; i++) {
		if (strcmp(word, audit_what_word((enum audit_what)i)) == 0) {
			return (int)i;
		}
	}
	fail_usage("--what takes a word such as denied");
}

static const char *parse_head(char *hash)
{
	for (char *c = hash; *c; c++) {
		*c = (char)(*c >= 'A' && *c <= 'F' ? *c - 'A' + 'a' : *c);
	}
	if (strlen(hash) != 2u * AUDIT_HASH_SIZE || hash[strspn(hash, "0123456789abcdef")]) {
		fail_usage("--head takes the 64 digits that verify printed");
	}
	return hash;
}

static uint64_t parse_last(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || number > 1000000) {
		fail_usage("--last takes a number from 1 to 1000000");
	}
	return number;
}

/* Splits FOLDER/NAME, in place. */
static void parse_log(char *path, struct options *options)
{
	char *slash = strrchr(path, '/');

	options->log = slash ? slash + 1 : path;
	options->folder = ".";
	if (slash) {
		*slash = '\0';
		options->folder = slash == path ? "/" : path;
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"head", required_argument, NULL, 'h'},	   {"what", required_argument, NULL, 'w'},
		{"subject", required_argument, NULL, 's'}, {"rule", required_argument, NULL, 'r'},
		{"last", required_argument, NULL, 'l'},	   {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, '?'},	   {NULL, 0, NULL, 0},
	};

	opterr = 0;
	for (int c, index = -1; (c = getopt_long(argc, argv, "", known, &index)) != -1;
	     index = -1) {
		switch (c) {
		case 'h':
			options->head = parse_head(optarg);
			break;
		case 'w':
			options->what = parse_what(optarg);
			break;
		case 's':
			options->subject = optarg;
			break;
		case 'r':
			options->rule = optarg;
			break;
		case 'l':
			options->last = parse_last(optarg);
			break;
		case 'j':
			options->json = true;
			break;
		default:
			if (index < 0) {
				fail_usage("an option is unknown or lacks its value");
			}
			fputs(usage, stdout);
			exit(EXIT_FINE);
		}
	}
	options->verb = optind < argc ? argv[optind++] : NULL;
	if (optind < argc) {
		parse_log(argv[optind++], options);
	}
	if (!options->verb || optind != argc ||
	    (strcmp(options->verb, "verify") != 0 && strcmp(options->verb, "show") != 0)) {
		fail_usage("say verify or show, and at most one log");
	}
}

static bool fits(const struct options *options, const struct audit_record *record)
{
	return (options->what < 0 || record->what == (enum audit_what)options->what) &&
	       (!options->subject || strcmp(options->subject, record->subject) == 0) &&
	       (!options->rule || strcmp(options->rule, record->rule) == 0);
}

static void add_string(struct json_object *object, const char *name, const char *text)
{
	char escaped[4 * AUDIT_TEXT_MAX + 1];

	audit_escape(text, escaped);
	json_object_object_add(object, name, json_object_new_string(escaped));
}

static void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

static void print_record(const struct options *options, const struct audit_record *record)
{
	struct json_object *object;

	if (!options->json) {
		audit_print(record, stdout);
		return;
	}
	object = json_object_new_object();
	json_object_object_add(object, "number", json_object_new_uint64(record->number));
	json_object_object_add(object, "time_ms", json_object_new_int64(record->time_ms));
	json_object_object_add(object, "boot_ms", json_object_new_uint64(record->boot_ms));
	add_string(object, "what", audit_what_word(record->what));
	add_string(object, "who", record->who);
	add_string(object, "subject", record->subject);
	add_string(object, "object", record->object);
	add_string(object, "rule", record->rule);
	add_string(object, "text", record->text);
	json_object_object_add(object, "repeats", json_object_new_uint64(record->repeats));
	print_json(object);
}

static void visit(const struct audit_record *record, void *data)
{
	struct shown *shown = data;

	if (!fits(shown->options, record)) {
		return;
	}
	if (shown->ring) {
		shown->ring[shown->count % shown->options->last] = *record;
	} else {
		print_record(shown->options, record);
	}
	shown->count++;
}

static void print_ring(const struct shown *shown)
{
	uint64_t last = shown->options->last;
	uint64_t from = shown->count > last ? shown->count - last : 0;

	for (uint64_t i = from; shown->ring && i < shown->count; i++) {
		print_record(shown->options, &shown->ring[i % last]);
	}
}

static void report(const struct options *options, const struct audit_summary *summary)
{
	struct json_object *object;

	if (options->json) {
		object = json_object_new_object();
		json_object_object_add(object, "records", json_object_new_uint64(summary->records));
		json_object_object_add(object, "files", json_object_new_int64(summary->files));
		json_object_object_add(object, "torn", json_object_new_uint64(summary->torn));
		add_string(object, "head", summary->head);
		print_json(object);
		return;
	}
	printf("%s: %" PRIu64 " records in %u %s, none cut or edited\n", options->log,
	       summary->records, summary->files, summary->files == 1 ? "file" : "files");
	if (summary->torn) {
		printf("%" PRIu64 " bytes of an unfinished record are at the end: the power failed "
		       "there, and the next start cuts them off\n",
		       summary->torn);
	}
	printf("head %s\n", summary->head);
}

static int read_log(const struct options *options)
{
	struct shown shown = {.options = options};
	bool show = strcmp(options->verb, "show") == 0;
	struct audit_summary summary;
	char why[AUDIT_WHY_SIZE];
	int folder_fd = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc;

	if (folder_fd < 0) {
		fprintf(stderr, "bulkhead-audit: %s: %s\n", options->folder, strerror(errno));
		return EXIT_SYSTEM;
	}
	shown.ring = show && options->last ? calloc(options->last, sizeof(*shown.ring)) : NULL;
	rc = audit_verify(folder_fd, options->log, options->head, show ? visit : NULL, &shown,
			  &summary, why);
	close(folder_fd);
	print_ring(&shown);
	free(shown.ring);
	if (rc < 0) {
		fflush(stdout);
		fprintf(stderr, "bulkhead-audit: %s/%s: %s\n", options->folder, options->log, why);
		return rc == -EBADMSG ? EXIT_WRONG : rc == -EINVAL ? EXIT_USAGE : EXIT_SYSTEM;
	}
	if (!show) {
		report(options, &summary);
	}
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	struct options options = {.folder = AUDIT_FOLDER, .log = AUDIT_LOG, .what = -1};
	int ret;

	parse_options(argc, argv, &options);
	ret = read_log(&options);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "bulkhead-audit: output: %s\n", strerror(errno));
		return ret ? ret : EXIT_SYSTEM;
	}
	return ret;
}
