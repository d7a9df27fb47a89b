/* SPDX-License-Identifier: Apache-2.0 */
/* What the tool says: results, notes, refusals, questions. */
#define _GNU_SOURCE

#include "tool.h"
#include "tool_text.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static const struct {
	int error;
	enum tool_exit code;
	const char *name; /* in JSON; scripts compare it */
	const char *hint; /* when no sentence was given */
} errors[] = {
	{-EAGAIN, TOOL_IN_USE, "in-use",
	 "it is in use; shut the partition down or unmount it first"},
	{-EBUSY, TOOL_FAILED, "needed", "something else needs it"},
	{-ENOKEY, TOOL_KEY, "key-missing", "it is encrypted and no passphrase was given"},
	{-EPERM, TOOL_KEY, "key-wrong", "no key slot opens with this passphrase"},
	{-EKEYREJECTED, TOOL_KEY, "key-rejected", "the manifest does not fit this image"},
	{-EBADMSG, TOOL_DAMAGED, "damaged", "it is damaged; try `bulkhead vhd check`"},
	{-ESTALE, TOOL_DAMAGED, "parent-changed", "a parent was changed since the child was made"},
	{-EINTR, TOOL_INTERRUPTED, "interrupted", "interrupted"},
	{-ECANCELED, TOOL_INTERRUPTED, "interrupted", "interrupted"},
	{-EINVAL, TOOL_FAILED, "invalid", "it is no VHD, or the request does not fit it"},
	{-ENOENT, TOOL_FAILED, "missing", "no such file"},
	{-EEXIST, TOOL_FAILED, "exists", "the name is taken; choose another or remove it first"},
	{-ENOSPC, TOOL_FAILED, "full", "no space left; free some and try again"},
	{-EACCES, TOOL_FAILED, "denied", "no permission"},
	{-EROFS, TOOL_FAILED, "read-only", "it is read-only"},
	{-EOPNOTSUPP, TOOL_FAILED, "unsupported", "it uses something that this program does not"},
	{-EHOSTDOWN, TOOL_UNFIT, "unfit", "this PC lacks what it needs"},
	{-EREMOTE, TOOL_FAILED, "moved", "it has moved to another PC, which owns it now"},
	{-ENOTDIR, TOOL_FAILED, "invalid", "not a folder"},
};

static void on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

void tool_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool tool_interrupted(void)
{
	return interrupted;
}

void tool_print(const struct tool *tool, const char *format, ...)
{
	va_list list;

	if (tool->json) {
		return;
	}
	va_start(list, format);
	vfprintf(tool->result_to_stderr ? stderr : stdout, format, list);
	va_end(list);
	fputc('\n', tool->result_to_stderr ? stderr : stdout);
}

void tool_note(const struct tool *tool, const char *format, ...)
{
	va_list list;

	if (tool->quiet) {
		return;
	}
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
}

/* The one form of every refusal. */
static void report(struct tool *tool, enum tool_exit code, const char *name, const char *text)
{
	fprintf(stderr, "bulkhead-vhd: %s\n", text);
	if (tool->json && tool->result) {
		struct json_object *error = json_object_new_object();

		tool_add_text(error, "code", name);
		tool_add_number(error, "exit", code);
		tool_add_text(error, "text", text);
		json_object_object_add(tool->result, "error", error);
	}
}

int tool_fail(struct tool *tool, int error, const char *subject)
{
	enum tool_exit code = TOOL_FAILED;
	const char *name = "failed", *hint = strerror(-error);
	char text[sizeof(tool->why.text) + 512];

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].error == error) {
			code = errors[i].code;
			name = errors[i].name;
			hint = errors[i].hint;
		}
	}
	if (code == TOOL_INTERRUPTED) {
		hint = tool->verb->resume ? tool->verb->resume : "interrupted; nothing was changed";
	} else if (tool->why.text[0]) {
		hint = tool->why.text;
	}
	if (!subject || strstr(hint, subject)) {
		snprintf(text, sizeof(text), "%s", hint);
	} else {
		char quoted[256];

		snprintf(text, sizeof(text), "%s: %s",
			 tool_text_clean(quoted, sizeof(quoted), subject), hint);
	}
	report(tool, code, name, text);
	tool->why.text[0] = '\0';
	return code;
}

int tool_fail_usage(struct tool *tool, const char *format, ...)
{
	char text[512];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	report(tool, TOOL_USAGE, "usage", text);
	if (tool->verb) {
		fprintf(stderr, "`bulkhead vhd %s --help` says how\n", tool->verb->name);
	}
	return TOOL_USAGE;
}

int tool_fail_exit(struct tool *tool, enum tool_exit code, const char *format, ...)
{
	static const char *const names[] = {
		[TOOL_OK] = "ok",
		[TOOL_FAILED] = "failed",
		[TOOL_USAGE] = "usage",
		[TOOL_REPAIRABLE] = "repairable",
		[TOOL_DAMAGED] = "damaged",
		[TOOL_IN_USE] = "in-use",
		[TOOL_KEY] = "key-rejected",
		[TOOL_FOUND] = "found",
		[TOOL_INTERRUPTED] = "interrupted",
		[TOOL_UNFIT] = "unfit",
	};
	char text[768];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	report(tool, code, names[code], text);
	return code;
}

bool tool_confirm(struct tool *tool, const char *what)
{
	char answer[16] = "";
	FILE *tty;

	if (tool->yes) {
		return true;
	}
	tty = isatty(STDIN_FILENO) ? fopen("/dev/tty", "r+e") : NULL;
	if (!tty) {
		tool_fail_usage(tool, "%s Say --yes to do it", what);
		return false;
	}
	fprintf(tty, "%s\nGo on? [yes/no] ", what);
	fflush(tty);
	if (!fgets(answer, sizeof(answer), tty)) {
		answer[0] = '\0';
	}
	fclose(tty);
	if (strcmp(answer, "yes\n") != 0) {
		tool_fail_exit(tool, TOOL_FAILED, "nothing was changed");
		return false;
	}
	return true;
}

void tool_finish(struct tool *tool, int code)
{
	if (tool->json && tool->result) {
		json_object_object_add(tool->result, "ok",
				       json_object_new_boolean(code == TOOL_OK));
		fprintf(tool->result_to_stderr ? stderr : stdout, "%s\n",
			json_object_to_json_string_ext(tool->result,
						       JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE));
	}
	json_object_put(tool->result);
	tool->result = NULL;
}

void tool_add_text(struct json_object *object, const char *key, const char *text)
{
	char quoted[4096];

	json_object_object_add(
		object, key,
		text ? json_object_new_string(tool_text_clean(quoted, sizeof(quoted), text))
		     : NULL);
}

void tool_add_number(struct json_object *object, const char *key, uint64_t number)
{
	json_object_object_add(object, key, json_object_new_uint64(number));
}

void tool_add_flag(struct json_object *object, const char *key, bool flag)
{
	json_object_object_add(object, key, json_object_new_boolean(flag));
}
