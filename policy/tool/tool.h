/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead-policy: what its verbs share. Results go to stdout (text, or with --json one object),
 * what is wrong goes to stderr.
 *
 *  Context: one verb a process; one thread.
 */
#ifndef POLICY_TOOL_H
#define POLICY_TOOL_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "compile.h"
#include "emit.h"

/** How the process ends. The manual page lists the same. */
enum tool_exit {
	TOOL_OK = 0,
	TOOL_WRONG = 1,	 /* the policy is wrong, does not verify, or differs */
	TOOL_USAGE = 2,	 /* the command line */
	TOOL_FAILED = 3, /* a file or the system */
};

#define TOOL_FILES_MAX 32u

/** Options; a verb takes those of its `options` only. */
enum tool_option {
	TOOL_INCLUDE = 1u << 0,
	TOOL_OUT = 1u << 1,
	TOOL_SERIAL = 1u << 2,
	TOOL_MODULE = 1u << 3,
	TOOL_KEY = 1u << 4,
	TOOL_KEYS = 1u << 5,
	TOOL_SIG = 1u << 6,
	TOOL_SEEN = 1u << 7,
	TOOL_POLICY = 1u << 8,
	TOOL_WITH = 1u << 9,
	TOOL_FORMAT = 1u << 10,
	TOOL_ALL = 1u << 11,
	TOOL_CHECK = 1u << 12,
	TOOL_WRITE = 1u << 13,
	TOOL_JSON = 1u << 14,
	TOOL_ROOT = 1u << 15,
};

struct tool_files {
	const char *path[TOOL_FILES_MAX];
	uint32_t count;
};

struct tool;

struct tool_verb {
	const char *name;
	const char *arguments;	  /* as the usage line shows them */
	const char *help;	  /* one line */
	const char *details;	  /* what a person needs to know, with an example */
	unsigned int options;	  /* bits of enum tool_option */
	unsigned int least, most; /* arguments that are no options */
	int (*run)(struct tool *tool);
};

struct tool {
	const struct tool_verb *verb;
	struct tool_files arguments; /* what is no option */
	struct tool_files policy;    /* --policy */
	struct tool_files with;	     /* --with */
	struct tool_files modules;   /* --module, ROLE=FILE each */
	const char *include, *out, *key, *keys, *sig, *seen, *format, *root;
	uint64_t serial;
	bool json, all, check, write;
	struct json_object *result; /* what --json prints; a verb adds to it */
};

/** All verbs, ending with one without name. */
extern const struct tool_verb tool_verbs[];

/** Fills `tool` from the words behind the verb. Returns 0, -1 after a message, 1 when --help was
 * asked for. */
int tool_parse(struct tool *tool, int argc, char **argv);
void tool_print_options(const struct tool_verb *verb, FILE *out);

/** Prints "bulkhead-policy: ..." on stderr, with --json also as "error". */
__attribute__((format(printf, 2, 3))) void tool_complain(struct tool *tool, const char *format,
							 ...);

/** Reads, layers and proves `files`; prints what is wrong. Returns an exit code; `compile` is to be
 * ended by compile_fini() whatever it is. */
int tool_load(struct tool *tool, const struct tool_files *files, struct compile *compile);
/** Loads the files given, or without any the policy that this machine follows (the layers that came
 * with it and the signed ones that were applied), and hands it to `use` if it holds. Returns the
 * exit code of what came last. */
int tool_use_policy(struct tool *tool, const struct tool_files *given,
		    int (*use)(struct tool *tool, struct compile *compile));
/** For both: shows what is wrong; ret: of compile_files() or compile_sources(). */
int tool_judge(struct tool *tool, int ret, const struct compile *compile);
/** A file that cannot be opened is no wrong policy. Returns an exit code after a message. */
int tool_check_readable(struct tool *tool, const char *path);
/** Shows errors and warnings: on stderr, or in the result's "diagnostics". */
void tool_show_diags(struct tool *tool, const struct diag_list *diags,
		     const struct source_set *sources);
/** "FILE:LINE", or "built in". In a buffer that the next call but three uses again. */
const char *tool_place(const struct source_set *sources, struct diag_pos pos);

/** Replaces a file as a whole: written beside it, flushed, renamed. "-": stdout. Returns an exit
 * code after a message. */
int tool_write_file(struct tool *tool, const char *path, const void *bytes, size_t size);
/** Memory for free(); limit in bytes. Returns an exit code after a message. */
int tool_read_file(struct tool *tool, const char *path, size_t limit, char **ret_bytes,
		   size_t *ret_size);

int tool_check(struct tool *tool);
int tool_compile(struct tool *tool);
int tool_diff(struct tool *tool);
int tool_explain(struct tool *tool);
int tool_fmt(struct tool *tool);
int tool_matrix(struct tool *tool);
int tool_show(struct tool *tool);
int tool_sign(struct tool *tool);
int tool_verify(struct tool *tool);

#endif
