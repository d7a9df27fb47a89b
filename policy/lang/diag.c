/* SPDX-License-Identifier: Apache-2.0 */
/* Messages about a policy: kept in order, printed with the line they are about. */
#define _GNU_SOURCE
#include "diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "source.h"
#include "utf8.h"

#define SHOWN_MAX 150u /* code points of a quoted line */
#define LEAD_MAX  60u  /* of them before the place, when the line is longer */

static bool room_for(struct diag_list *list, enum diag_level level)
{
	if (level == DIAG_NOTE) {
		return !list->skip_notes && list->count < DIAG_MAX;
	}
	list->skip_notes = list->count >= (level == DIAG_ERROR ? DIAG_MAX : DIAG_MAX / 2);
	list->left_out += list->skip_notes;
	return !list->skip_notes;
}

__attribute__((format(printf, 1, 0))) static char *format_message(const char *format, va_list args)
{
	char *message = NULL;
	va_list again;
	int size;

	va_copy(again, args);
	size = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (size >= 0) {
		message = malloc((size_t)size + 1);
	}
	if (message != NULL) {
		vsnprintf(message, (size_t)size + 1, format, args);
	}
	return message;
}

void diag_add(struct diag_list *list, enum diag_level level, struct diag_pos pos, const char *hint,
	      const char *format, ...)
{
	struct diag diag = {.level = level, .pos = pos};
	va_list args;

	list->error_count += level == DIAG_ERROR;
	if (!room_for(list, level)) {
		return;
	}
	if (list->item == NULL) {
		list->item = calloc(DIAG_MAX, sizeof(*list->item));
	}
	va_start(args, format);
	diag.message = format_message(format, args);
	va_end(args);
	diag.hint = hint != NULL ? strdup(hint) : NULL;
	if (list->item == NULL || diag.message == NULL) {
		free(diag.message);
		free(diag.hint);
		list->left_out++;
		return;
	}
	list->item[list->count++] = diag;
}

/** Prints `size` bytes from code point `first` (from 1) on, at most `count` of them. */
static void print_safe(const char *bytes, size_t size, size_t first, size_t count, FILE *out)
{
	size_t at = 0, number = 0;

	while (at < size && count > 0) {
		uint32_t code;
		size_t step = utf8_decode(bytes + at, size - at, &code);

		number++;
		if (number >= first) {
			if (step == 0 || (utf8_is_unsafe(code) && code != '\t')) {
				fputc('?', out);
			} else {
				fwrite(bytes + at, 1, step, out);
			}
			count--;
		}
		at += step == 0 ? 1 : step;
	}
}

/** Blanks up to the place of the caret; tabs stay tabs, so that it stands right in any terminal. */
static void print_lead(const char *bytes, size_t size, size_t first, size_t column, FILE *out)
{
	size_t at = 0;

	for (size_t number = 1; number < column; number++) {
		uint32_t code = ' ';
		size_t step = at < size ? utf8_decode(bytes + at, size - at, &code) : 1;

		if (number >= first) {
			fputc(step > 0 && code == '\t' ? '\t' : ' ', out);
		}
		at += step == 0 ? 1 : step;
	}
}

static void print_line(const struct source_set *sources, struct diag_pos pos, FILE *out)
{
	size_t size, first = pos.column > SHOWN_MAX - 30 ? pos.column - LEAD_MAX : 1;
	const char *bytes = source_line(sources, pos.file, pos.line, &size);

	if (bytes == NULL || size == 0) {
		return;
	}
	fputs(first > 1 ? "    ..." : "    ", out);
	print_safe(bytes, size, first, SHOWN_MAX, out);
	fputs(first > 1 ? "\n       " : "\n    ", out);
	print_lead(bytes, size, first, pos.column, out);
	fputs("^\n", out);
}

static void print_diag(const struct diag *diag, const struct source_set *sources, FILE *out)
{
	static const char *const words[] = {"error", "warning", "note"};
	bool placed = sources != NULL && diag->pos.line > 0 && diag->pos.file < sources->count;

	if (placed) {
		const char *name = sources->file[diag->pos.file].name;

		print_safe(name, strlen(name), 1, SIZE_MAX, out);
		fprintf(out, ":%u:%u: ", diag->pos.line, diag->pos.column);
	}
	fprintf(out, "%s: ", words[diag->level]);
	print_safe(diag->message, strlen(diag->message), 1, SIZE_MAX, out);
	fputc('\n', out);
	if (placed) {
		print_line(sources, diag->pos, out);
	}
	if (diag->hint != NULL) {
		fputs("    hint: ", out);
		print_safe(diag->hint, strlen(diag->hint), 1, SIZE_MAX, out);
		fputc('\n', out);
	}
}

void diag_print(const struct diag_list *list, const struct source_set *sources, FILE *out)
{
	for (size_t i = 0; i < list->count; i++) {
		print_diag(&list->item[i], sources, out);
	}
	if (list->left_out > 0) {
		fputs("note: there is more, not shown\n", out);
	}
}

void diag_fini(struct diag_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->item[i].message);
		free(list->item[i].hint);
	}
	free(list->item);
	*list = (struct diag_list){0};
}
