/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-audit: reads an audit log, for people and programs, and moves its old files to an
 * archive. */
#define _GNU_SOURCE
#include "audit.h"
#include "show.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FINE, EXIT_WRONG, EXIT_USAGE, EXIT_SYSTEM };

enum verb { VERB_VERIFY, VERB_SHOW, VERB_ARCHIVE, VERB_COUNT };

static const char *const verb_words[VERB_COUNT] = {"verify", "show", "archive"};

#define BIT(verb) (1u << (verb))
#define READING	  (BIT(VERB_VERIFY) | BIT(VERB_SHOW))

struct options {
	enum verb verb;
	const char *folder, *log;
	const char *head;
	const char *with[AUDIT_WITH_MAX];
	unsigned with_count;
	const char *to;
	uint64_t keep; /* 0: not said */
	int64_t before_ms;
	struct show show;
	bool json;
};

static const char usage[] =
	"usage: bulkhead audit verify [--with FOLDER] [--head HASH] [--json] [LOG]\n"
	"       bulkhead audit show [--since DATE] [--who WHO] [--what WORD] [--subject NAME]\n"
	"                           [--rule ID] [--last N] [--with FOLDER] [--head HASH]\n"
	"                           [--json] [LOG]\n"
	"       bulkhead audit archive [--keep FILES | --before DATE] --to FOLDER [--json] [LOG]\n"
	"\n"
	"  verify           read all of the log: nothing is cut, edited, missing or in another "
	"order\n"
	"  show             the same, and print its records\n"
	"  archive          move old files of the log to FOLDER, for those who may write the "
	"log's\n"
	"                   folder; what was moved is on record in the log\n"
	"\n"
	"  LOG              FOLDER/NAME (" AUDIT_FOLDER "/" AUDIT_LOG ")\n"
	"  --with FOLDER    what was archived there is a part of the log; may be given again\n"
	"  --head HASH      a hash that 'verify' printed earlier: that record must still be there\n"
	"  --since DATE     only of this time or later: 2025-11-21, 2025-11-21T23:55, UTC\n"
	"  --who WHO        only of these, such as 'user 1000', user, 1000, bulkheadd\n"
	"  --what WORD      only denied, asked, allowed, applied, confirmed, reverted, refused,\n"
	"                   changed, archived, repaired, opened or closed\n"
	"  --subject NAME   only of this partition, or \"policy\"\n"
	"  --rule ID        only by this rule\n"
	"  --last N         only the last N of these\n"
	"  --to FOLDER      where files go; it must be there\n"
	"  --keep FILES     so many files stay (1: the one that is written)\n"
	"  --before DATE    files go only if all in them is older\n"
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

static uint64_t parse_number(const char *text, const char *complaint)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end || number > 1000000) {
		fail_usage(complaint);
	}
	return number;
}

static int64_t parse_date(const char *text, const char *complaint)
{
	int64_t ms = 0;

	if (audit_parse_time(text, &ms)) {
		fail_usage(complaint);
	}
	return ms;
}

static void add_with(struct options *options, const char *folder)
{
	if (options->with_count == AUDIT_WITH_MAX) {
		fail_usage("--with is given too often");
	}
	options->with[options->with_count++] = folder;
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

/* Long options, and the verbs that each goes with. */
static const struct option known[] = {
	{"head", required_argument, NULL, 'h'},	   {"what", required_argument, NULL, 'w'},
	{"subject", required_argument, NULL, 's'}, {"rule", required_argument, NULL, 'r'},
	{"last", required_argument, NULL, 'l'},	   {"who", required_argument, NULL, 'u'},
	{"since", required_argument, NULL, 'd'},   {"with", required_argument, NULL, 'W'},
	{"to", required_argument, NULL, 't'},	   {"keep", required_argument, NULL, 'k'},
	{"before", required_argument, NULL, 'b'},  {"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, '?'},	   {NULL, 0, NULL, 0},
};

static unsigned verbs_of(int option)
{
	return strchr("hW", option)    ? READING
	       : strchr("tkb", option) ? BIT(VERB_ARCHIVE)
	       : option == 'j'	       ? READING | BIT(VERB_ARCHIVE)
				       : BIT(VERB_SHOW);
}

static void take_show_option(struct show *show, int option, char *value)
{
	switch (option) {
	case 'w':
		show->what = parse_what(value);
		break;
	case 's':
		show->subject = value;
		break;
	case 'r':
		show->rule = value;
		break;
	case 'u':
		show->who = value;
		break;
	case 'd':
		show->since_ms = parse_date(value, "--since takes a date such as 2025-11-21");
		break;
	default:
		show->last = parse_number(value, "--last takes a number from 1 to 1000000");
		break;
	}
}

static void take_option(struct options *options, int option, char *value)
{
	switch (option) {
	case 'h':
		options->head = parse_head(value);
		break;
	case 'W':
		add_with(options, value);
		break;
	case 't':
		options->to = value;
		break;
	case 'k':
		options->keep = parse_number(value, "--keep takes a number from 1 to 1000000");
		break;
	case 'b':
		options->before_ms = parse_date(value, "--before takes a date such as 2025-11-21");
		break;
	case 'j':
		options->json = options->show.json = true;
		break;
	default:
		take_show_option(&options->show, option, value);
		break;
	}
}

static enum verb parse_verb(const char *word)
{
	for (unsigned i = 0; word && i < VERB_COUNT; i++) {
		if (strcmp(word, verb_words[i]) == 0) {
			return (enum verb)i;
		}
	}
	fail_usage("say verify, show or archive");
}

static void parse_options(int argc, char **argv, struct options *options)
{
	unsigned verbs = ~0u;

	opterr = 0;
	for (int c, index = -1; (c = getopt_long(argc, argv, "", known, &index)) != -1;
	     index = -1) {
		if (c == '?' && index < 0) {
			fail_usage("an option is unknown or lacks its value");
		}
		if (c == '?') {
			fputs(usage, stdout);
			exit(EXIT_FINE);
		}
		verbs &= verbs_of(c);
		take_option(options, c, optarg);
	}
	options->verb = parse_verb(optind < argc ? argv[optind++] : NULL);
	if (optind < argc) {
		parse_log(argv[optind++], options);
	}
	if (optind != argc) {
		fail_usage("say at most one log");
	}
	if (!(verbs & BIT(options->verb))) {
		fail_usage("an option does not go with this verb");
	}
	if (options->verb == VERB_ARCHIVE && !options->to) {
		fail_usage("say where to: --to FOLDER");
	}
	if (options->keep && options->before_ms != INT64_MAX) {
		fail_usage("say --keep or --before");
	}
}

static void print_json(struct json_object *object)
{
	puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN));
	json_object_put(object);
}

static void add_number(struct json_object *object, const char *name, uint64_t number)
{
	json_object_object_add(object, name, json_object_new_uint64(number));
}

static void add_hash(struct json_object *object, const char *name, const char *hash)
{
	json_object_object_add(object, name, json_object_new_string(hash));
}

static void report(const struct options *options, const struct audit_summary *summary)
{
	struct json_object *object;

	if (options->json) {
		object = json_object_new_object();
		add_number(object, "records", summary->records);
		add_number(object, "files", summary->files);
		add_number(object, "torn", summary->torn);
		add_hash(object, "head", summary->head);
		add_number(object, "archived", summary->archived);
		add_hash(object, "archived_hash", summary->archived_hash);
		print_json(object);
		return;
	}
	printf("%s: %" PRIu64 " records in %u %s, none cut or edited\n", options->log,
	       summary->records, summary->files, summary->files == 1 ? "file" : "files");
	if (summary->archived) {
		printf("records 0 to %" PRIu64 " are archived, hash %s\n", summary->archived - 1,
		       summary->archived_hash);
	}
	if (summary->torn) {
		printf("%" PRIu64 " bytes of an unfinished record are at the end: the power failed "
		       "there, and the next start cuts them off\n",
		       summary->torn);
	}
	printf("head %s\n", summary->head);
}

static int complain(const struct options *options, int rc, const char *why)
{
	fflush(stdout);
	fprintf(stderr, "bulkhead-audit: %s/%s: %s\n", options->folder, options->log, why);
	return rc == -EBADMSG ? EXIT_WRONG : rc == -EINVAL ? EXIT_USAGE : EXIT_SYSTEM;
}

static int open_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "bulkhead-audit: %s: %s\n", path, strerror(errno));
		exit(EXIT_SYSTEM);
	}
	return fd;
}

static int read_log(struct options *options, int folder_fd)
{
	bool show = options->verb == VERB_SHOW;
	struct audit_reading reading = {.folder_fd = folder_fd,
					.name = options->log,
					.head = options->head,
					.visit = show ? show_visit : NULL,
					.data = &options->show};
	struct audit_summary summary;
	char why[AUDIT_WHY_SIZE];
	int rc = show ? show_begin(&options->show) : 0;

	if (rc < 0) {
		return complain(options, rc, strerror(-rc));
	}
	for (unsigned i = 0; i < options->with_count; i++) {
		reading.with_fd[reading.with_count++] = open_folder(options->with[i]);
	}
	rc = audit_verify(&reading, &summary, why);
	if (show) {
		show_end(&options->show);
	}
	if (rc < 0) {
		return complain(options, rc, why);
	}
	if (!show) {
		report(options, &summary);
	}
	return EXIT_FINE;
}

static void report_archived(const struct options *options, const struct audit_archived *archived)
{
	struct json_object *object;

	if (options->json) {
		object = json_object_new_object();
		add_number(object, "files", archived->files);
		add_number(object, "archived", archived->records);
		add_hash(object, "archived_hash", archived->hash);
		print_json(object);
		return;
	}
	if (archived->files) {
		printf("%s: %u %s moved to %s\n", options->log, archived->files,
		       archived->files == 1 ? "file" : "files", options->to);
	} else {
		printf("%s: nothing to move\n", options->log);
	}
	if (archived->records) {
		printf("records 0 to %" PRIu64 " are archived, hash %s\n", archived->records - 1,
		       archived->hash);
	}
}

static int archive_log(const struct options *options, int folder_fd)
{
	char who[64], why[AUDIT_WHY_SIZE];
	const struct audit_archive archive = {
		.keep = options->keep ? (uint32_t)options->keep : 1,
		.before_ms = options->before_ms,
		.who = who,
		.to_name = options->to,
		.to_fd = open_folder(options->to),
	};
	struct audit_archived archived;
	int rc;

	snprintf(who, sizeof(who), "it %u", (unsigned)getuid());
	if (faccessat(folder_fd, ".", W_OK, 0) < 0) {
		return complain(
			options, -errno,
			"only who may write the log's folder can archive it: do it as root");
	}
	rc = audit_archive(folder_fd, options->log, &archive, &archived, why);
	close(archive.to_fd);
	if (rc < 0) {
		return complain(options, rc, why);
	}
	report_archived(options, &archived);
	return EXIT_FINE;
}

int main(int argc, char **argv)
{
	struct options options = {.folder = AUDIT_FOLDER,
				  .log = AUDIT_LOG,
				  .before_ms = INT64_MAX,
				  .show = {.what = -1, .since_ms = INT64_MIN}};
	int folder_fd, ret;

	parse_options(argc, argv, &options);
	folder_fd = open_folder(options.folder);
	ret = options.verb == VERB_ARCHIVE ? archive_log(&options, folder_fd)
					   : read_log(&options, folder_fd);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "bulkhead-audit: output: %s\n", strerror(errno));
		return ret ? ret : EXIT_SYSTEM;
	}
	return ret;
}
