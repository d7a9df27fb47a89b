/* SPDX-License-Identifier: Apache-2.0 */
/* A file in its canonical layout, line by line. */
#define _GNU_SOURCE
#include "fmt.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "statement.h"

/** The lines since the last statement: how comments among them are indented depends on the next. */
struct waiting {
	const char *at;
	bool blank; /* a blank line stands before the next thing that is printed */
	bool begun; /* something was printed */
};

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t';
}

/** Without blanks at both ends. */
static const char *trim(const char *bytes, size_t *size)
{
	while (*size > 0 && is_blank(bytes[0])) {
		bytes++;
		(*size)--;
	}
	while (*size > 0 && is_blank(bytes[*size - 1])) {
		(*size)--;
	}
	return bytes;
}

/** The line that begins at *at, without its newline; *at goes on to the next one. */
static const char *next_line(const char **at, const char *end, size_t *ret_size)
{
	const char *line = *at, *stop = memchr(line, '\n', (size_t)(end - line));

	stop = stop != NULL ? stop : end;
	*ret_size = (size_t)(stop - line);
	*at = stop < end ? stop + 1 : end;
	return line;
}

static void print_gap(struct waiting *waiting, FILE *out)
{
	if (waiting->blank && waiting->begun) {
		fputc('\n', out);
	}
	waiting->blank = false;
	waiting->begun = true;
}

static void print_waiting(struct waiting *waiting, const char *end, bool indent, FILE *out)
{
	while (waiting->at < end) {
		size_t size;
		const char *line = next_line(&waiting->at, end, &size);

		line = trim(line, &size);
		if (size == 0) {
			waiting->blank = true;
			continue;
		}
		print_gap(waiting, out);
		fprintf(out, "%s%.*s\n", indent && size < SOURCE_LINE_MAX ? "\t" : "", (int)size,
			line);
	}
}

static void print_statement(const struct statement *statement, const struct line *line, FILE *out)
{
	if (statement->type == STATEMENT_INCLUDE) {
		fprintf(out, "include \"%s\"", statement->include);
	} else {
		if (statement->text.type == TEXT_VALUE) {
			fputc('\t', out);
		}
		fmt_statement(&statement->head, &statement->text, out);
	}
	if (line->comment != NULL) {
		size_t size = line->comment_size;
		const char *comment = trim(line->comment, &size);

		fprintf(out, "  %.*s", (int)size, comment);
	}
}

/** A line that would grow too long for the parser stays as it is, but for blanks around it. */
static int print_line(const struct statement *statement, const struct line *line, const char *bytes,
		      size_t size, FILE *out)
{
	char *made = NULL;
	size_t made_size = 0;
	FILE *memory = open_memstream(&made, &made_size);

	if (memory == NULL) {
		return -1;
	}
	print_statement(statement, line, memory);
	if (fclose(memory) != 0) {
		free(made);
		return -1;
	}
	if (made_size > SOURCE_LINE_MAX) {
		bytes = trim(bytes, &size);
		fprintf(out, "%.*s\n", (int)size, bytes);
	} else {
		fprintf(out, "%s\n", made);
	}
	free(made);
	return 0;
}

static int format_line(struct line *line, const char *bytes, size_t size, struct waiting *waiting,
		       FILE *out)
{
	struct statement statement;
	int ret;

	if (!statement_read(line, bytes, size, &statement)) {
		return -1;
	}
	if (statement.type == STATEMENT_NONE) {
		return 0;
	}
	print_waiting(waiting, bytes,
		      statement.text.type == TEXT_VALUE && statement.type == STATEMENT_TEXT, out);
	print_gap(waiting, out);
	ret = print_line(&statement, line, bytes, size, out);
	waiting->at = bytes + size;
	waiting->at += *waiting->at == '\n';
	text_statement_fini(&statement.text);
	free(statement.head.title);
	free(statement.include);
	return ret;
}

int fmt_file(const struct source_set *set, uint32_t file, FILE *out)
{
	const struct source *source = &set->file[file];
	const char *at = source->text, *end = at + source->size;
	struct waiting waiting = {.at = at};
	struct diag_list diags = {0};
	struct line *line = calloc(1, sizeof(*line));
	int ret = line != NULL ? 0 : -1;

	while (ret == 0 && at < end) {
		size_t size;
		const char *bytes = next_line(&at, end, &size);

		line->diags = &diags;
		ret = format_line(line, bytes, size, &waiting, out);
	}
	if (ret == 0) {
		print_waiting(&waiting, end, false, out);
	}
	diag_fini(&diags);
	free(line);
	return ret == 0 && !ferror(out) ? 0 : -1;
}
