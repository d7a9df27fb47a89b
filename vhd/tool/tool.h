/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead-vhd: what all its verbs share. A verb is a row of one table: name, arguments, options,
 * help, a function. Results go to stdout (text, or with --json one object), all else to stderr.
 *
 *  Context: one verb a process; one thread.
 */
#ifndef VHD_TOOL_H
#define VHD_TOOL_H

#include "why.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

/** How the process ends. The manual page lists the same. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_FAILED = 1,
	TOOL_USAGE = 2,
	TOOL_REPAIRABLE = 3,  /* check: not in order, nothing lost, repair puts it right */
	TOOL_DAMAGED = 4,     /* damaged, or something is lost */
	TOOL_IN_USE = 5,      /* another process has it, or it is still mounted and busy */
	TOOL_KEY = 6,	      /* wrong or missing passphrase or key, or an untrusted signature */
	TOOL_FOUND = 7,	      /* scan: something was found */
	TOOL_INTERRUPTED = 8, /* Ctrl-C: what was there is still valid */
	TOOL_UNFIT = 9,	      /* import: this PC lacks what the desktop needs */
};

struct tool;

enum tool_option_kind {
	TOOL_END,
	TOOL_FLAG,   /* bool */
	TOOL_TEXT,   /* const char * */
	TOOL_SIZE,   /* uint64_t, bytes: 20G, 512M ... */
	TOOL_NUMBER, /* int64_t */
};

/** An option of a verb; `value` is where it goes. */
struct tool_option {
	const char *name; /* without the dashes */
	enum tool_option_kind kind;
	void *value;
	const char *argument; /* its name in the help; NULL for a flag */
	const char *help;
};

/** Bits of a verb. */
enum tool_verb_flags {
	TOOL_SECRET = 1u << 0, /* takes --secret-file and --secret-fd */
	TOOL_YES = 1u << 1,    /* destroys: takes --yes */
	TOOL_LONG = 1u << 2,   /* shows progress */
	TOOL_HIDDEN = 1u << 3, /* in no list */
};

struct tool_verb {
	const char *name;      /* one word, or two: "key add" */
	const char *arguments; /* as the usage line shows them */
	const char *help;      /* one line */
	const char *details;   /* what a person needs to know, and an example */
	unsigned least, most;  /* arguments that are no options */
	unsigned flags;
	const char *resume; /* after Ctrl-C: what is there now and how to go on; NULL: nothing
			       changed */
	const struct tool_option *options; /* ends with TOOL_END; NULL: none */
	int (*run)(struct tool *tool, char **arguments, unsigned count);
};

struct tool {
	const struct tool_verb *verb;
	bool json, yes, quiet;
	bool result_to_stderr; /* stdout carries a bundle */
	bool show_progress;    /* --progress: JSON lines with --json, else always */
	const char *secret_file;
	const char *token_helper; /* program that gives the secret of a token's slot */
	int64_t secret_fd;	    /* -1: none */
	struct json_object *result; /* what --json prints; a verb adds to it */
	struct why why;		    /* of the last refusal */
};

/** All verbs, ending with one without name. */
extern const struct tool_verb tool_verbs[];

/** The verb that `words` (`count` of them) begin with, and how many words its name has; NULL: none.
 */
const struct tool_verb *tool_find_verb(char **words, int count, int *ret_words);

/** Fills `tool` and the values of the verb's options; moves what is no option to the front of
 * `arguments` and returns how many those are, -1 when something was wrong and said, -2 after
 * --help. */
int tool_parse(struct tool *tool, int argc, char **arguments);

void tool_print_usage(const struct tool_verb *verb);
void tool_print_verbs(void);
/** For a shell's completion: the verbs, or the options of one. */
void tool_print_words(const struct tool_verb *verb);

/** Prints a line for people on stdout, unless --json. */
__attribute__((format(printf, 2, 3))) void tool_print(const struct tool *tool, const char *format,
						      ...);
/** The same on stderr, unless --quiet. */
__attribute__((format(printf, 2, 3))) void tool_note(const struct tool *tool, const char *format,
						     ...);

/** Reports tool->why (or, when that is empty, the error's own words) about `subject`, which may be
 * NULL, and returns the exit code that fits -errno. */
int tool_fail(struct tool *tool, int error, const char *subject);

/** Wrong usage: says so and returns TOOL_USAGE. */
__attribute__((format(printf, 2, 3))) int tool_fail_usage(struct tool *tool, const char *format,
							  ...);

/** Fails with a given exit code and a sentence. */
__attribute__((format(printf, 3, 4))) int tool_fail_exit(struct tool *tool, enum tool_exit code,
							 const char *format, ...);

/** Says what will be destroyed and asks. With --yes true at once; false when there is no terminal
 * to ask on or the answer is not yes; then the refusal has been reported. */
bool tool_confirm(struct tool *tool, const char *what);

/** Prints the result and frees it. */
void tool_finish(struct tool *tool, int code);

/** Adds to tool->result. Text that is not UTF-8 is made printable. */
void tool_add_text(struct json_object *object, const char *key, const char *text);
void tool_add_number(struct json_object *object, const char *key, uint64_t number);
void tool_add_flag(struct json_object *object, const char *key, bool flag);

/** True after Ctrl-C, SIGTERM or SIGHUP. */
bool tool_interrupted(void);
void tool_catch_signals(void);

#endif
