/* SPDX-License-Identifier: Apache-2.0 */
/* Lines to statements, through includes, with a stack of files instead of recursion. */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#include "statement.h"

/** Whether a property has a partition to belong to. */
enum scope {
	SCOPE_NONE,
	SCOPE_PARTITION,
	SCOPE_UNKNOWN, /* behind a statement with an error, which may have been one */
};

struct frame {
	uint32_t file, line;
	const char *at, *end;
	enum scope scope;
};

struct parse {
	struct source_set *set;
	struct diag_list *diags;
	struct text text;
	size_t room; /* statements that fit */
	struct frame frame[SOURCE_DEPTH_MAX];
	uint32_t depth, file;			    /* the file of the layer */
	struct diag_pos included[SOURCE_FILES_MAX]; /* line 0: not in this layer */
	struct diag_pos policy;			    /* line 0: not yet seen */
	bool begun, failed;
	struct line line;
};

static bool fail(struct parse *parse)
{
	parse->failed = true;
	return false;
}

static void push_file(struct parse *parse, uint32_t file)
{
	const struct source *source = &parse->set->file[file];

	parse->frame[parse->depth++] =
		(struct frame){file, 0, source->text, source->text + source->size, SCOPE_NONE};
}

/** Takes over the statement. */
static bool add_statement(struct parse *parse, struct text_statement *statement)
{
	struct text *text = &parse->text;

	if (text->count == PARSE_STATEMENTS_MAX) {
		diag_add(parse->diags, DIAG_ERROR, statement->pos,
			 "use groups and lists to say the same with fewer of them",
			 "the layer has more than %u statements", PARSE_STATEMENTS_MAX);
		text_statement_fini(statement);
		parse->depth = 0;
		return fail(parse);
	}
	if (text->count == parse->room) {
		size_t room = parse->room > 0 ? parse->room * 2 : 64;
		struct text_statement *more =
			realloc(text->statement, room * sizeof(*text->statement));

		if (more == NULL) {
			diag_add(parse->diags, DIAG_ERROR, statement->pos, NULL, "no memory");
			text_statement_fini(statement);
			return fail(parse);
		}
		text->statement = more;
		parse->room = room;
	}
	text->statement[text->count++] = *statement;
	return true;
}

static bool take_include(struct parse *parse, struct statement *statement)
{
	struct diag_pos at = statement->pos;
	struct diag_list *diags = parse->diags;
	int file;

	if (parse->depth == SOURCE_DEPTH_MAX) {
		diag_add(diags, DIAG_ERROR, at, "include it from the file of the layer",
			 "includes are more than %u deep", SOURCE_DEPTH_MAX);
		file = -1;
	} else {
		file = source_include(parse->set, statement->include, at, diags);
	}
	free(statement->include);
	if (file < 0) {
		return fail(parse);
	}
	if (parse->set->file[file].kept >> parse->file & 1u) {
		diag_add(diags, DIAG_ERROR, at,
			 "sign the layer again with this file beside it: bulkhead policy sign",
			 "the signature of this layer does not cover '%s'",
			 parse->set->file[file].name);
		return fail(parse);
	}
	if (parse->included[file].line > 0) {
		diag_add(diags, DIAG_ERROR, at, "remove it: its statements are there already",
			 "'%s' is included a second time", parse->set->file[file].name);
		diag_add(diags, DIAG_NOTE, parse->included[file], NULL, "the first time is here");
		return fail(parse);
	}
	parse->included[file] = at;
	push_file(parse, (uint32_t)file);
	return true;
}

static bool take_policy(struct parse *parse, struct statement *statement)
{
	struct diag_list *diags = parse->diags;
	struct diag_pos at = statement->pos;

	if (parse->depth > 1) {
		diag_add(diags, DIAG_ERROR, at, "remove it: only the file of a layer has one",
			 "an included file cannot have a policy statement");
	} else if (parse->policy.line > 0) {
		diag_add(diags, DIAG_ERROR, at, "remove one of the two",
			 "there is a second policy statement");
		diag_add(diags, DIAG_NOTE, parse->policy, NULL, "the first one is here");
	} else {
		parse->policy = at;
		parse->text.layer = statement->head.layer;
		parse->text.version = statement->head.version;
		parse->text.title = statement->head.title;
		return add_statement(parse, &statement->text);
	}
	free(statement->head.title);
	return fail(parse);
}

static bool take_statement(struct parse *parse, struct frame *frame, struct statement *statement)
{
	struct text_statement *text = &statement->text;

	if (text->type == TEXT_VALUE && frame->scope == SCOPE_NONE) {
		diag_add(
			parse->diags, DIAG_ERROR, statement->pos,
			"properties follow their partition line, without another statement between",
			"the property belongs to no partition");
		text_statement_fini(text);
		return fail(parse);
	}
	if (text->type != TEXT_VALUE) {
		frame->scope = text->type == TEXT_PARTITION ? SCOPE_PARTITION : SCOPE_NONE;
	}
	return add_statement(parse, text);
}

static void check_begin(struct parse *parse, const struct statement *statement)
{
	if (!parse->begun && statement->type != STATEMENT_POLICY) {
		diag_add(parse->diags, DIAG_ERROR, statement->pos,
			 "write first: policy vendor|it|user \"TITLE\" version NUMBER",
			 "the file does not begin with a policy statement");
		fail(parse);
	}
	parse->begun = true;
}

static void take_line(struct parse *parse, const char *bytes, size_t size)
{
	struct frame *frame = &parse->frame[parse->depth - 1];
	struct statement statement;

	parse->line.diags = parse->diags;
	parse->line.pos = (struct diag_pos){frame->file, frame->line, 1};
	if (!statement_read(&parse->line, bytes, size, &statement)) {
		/* Whatever it was meant to be, what follows shall not be blamed for it. */
		frame->scope = frame->scope == SCOPE_NONE ? SCOPE_UNKNOWN : frame->scope;
		parse->begun = true;
		fail(parse);
		return;
	}
	if (statement.type == STATEMENT_NONE) {
		return;
	}
	check_begin(parse, &statement);
	switch (statement.type) {
	case STATEMENT_INCLUDE:
		frame->scope = SCOPE_NONE;
		take_include(parse, &statement);
		break;
	case STATEMENT_POLICY:
		frame->scope = SCOPE_NONE;
		take_policy(parse, &statement);
		break;
	default:
		take_statement(parse, frame, &statement);
		break;
	}
}

/** A policy with so many mistakes is not read to its end: time stays linear. */
static bool has_more(const struct parse *parse)
{
	return parse->depth > 0 && parse->diags->error_count <= DIAG_MAX;
}

static void read_files(struct parse *parse)
{
	while (has_more(parse)) {
		struct frame *frame = &parse->frame[parse->depth - 1];
		const char *bytes = frame->at, *stop;

		if (frame->at >= frame->end) {
			parse->depth--;
			continue;
		}
		stop = memchr(bytes, '\n', (size_t)(frame->end - bytes));
		stop = stop != NULL ? stop : frame->end;
		frame->at = stop + 1;
		frame->line++;
		take_line(parse, bytes, (size_t)(stop - bytes));
	}
}

int parse_text(struct source_set *set, uint32_t file, struct diag_list *diags,
	       struct text *ret_text)
{
	struct parse *parse = calloc(1, sizeof(*parse));
	int ret = -1;

	if (parse == NULL) {
		diag_add(diags, DIAG_ERROR, (struct diag_pos){0}, NULL, "no memory");
		return -1;
	}
	*parse = (struct parse){.set = set, .diags = diags, .file = file};
	push_file(parse, file);
	read_files(parse);
	if (!parse->begun && !parse->failed) {
		diag_add(diags, DIAG_ERROR, (struct diag_pos){file, 1, 1},
			 "write first: policy vendor|it|user \"TITLE\" version NUMBER",
			 "the file holds no policy");
		fail(parse);
	}
	if (parse->failed || diags->error_count > DIAG_MAX) {
		text_fini(&parse->text);
	} else {
		*ret_text = parse->text;
		ret = 0;
	}
	free(parse);
	return ret;
}
