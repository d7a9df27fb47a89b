/* SPDX-License-Identifier: Apache-2.0 */
/* Which statement a line is, and the short ones. */
#include "statement.h"

#include <stdlib.h>
#include <string.h>

#include "line_value.h"

#define TITLE_MAX   100u /* bytes of a policy's title */
#define VERSION_MAX 1000000000000000ull
#define CONFIRM_MAX 3600u

typedef bool (*statement_reader)(struct line *line, struct statement *statement);

static bool read_policy(struct line *line, struct statement *statement)
{
	uint64_t layer, version;
	char *title = NULL;

	line_take(line);
	if (!line_choice(line, &words_layer, &layer) ||
	    !line_string(line, "the title of the policy", TITLE_MAX, &title)) {
		return false;
	}
	if (!line_expect(line, "version") ||
	    !line_number(line, "the version", 1, VERSION_MAX, &version)) {
		free(title);
		return false;
	}
	statement->type = STATEMENT_POLICY;
	statement->head.layer = (enum text_layer)layer;
	statement->head.title = title;
	statement->head.version = version;
	statement->text.type = TEXT_POLICY;
	return true;
}

static bool read_include(struct line *line, struct statement *statement)
{
	line_take(line);
	statement->type = STATEMENT_INCLUDE;
	statement->pos = line_pos(line, line_peek(line));
	return line_string(line, "the file to include", 255, &statement->include);
}

static bool read_role(struct line *line, struct statement *statement)
{
	return statement_read_role(line, &statement->text);
}

static bool read_zone(struct line *line, struct statement *statement)
{
	return statement_read_zone(line, &statement->text);
}

static bool read_carries(struct line *line, struct statement *statement)
{
	line_take(line);
	statement->text.type = TEXT_CARRIES;
	return line_one_name(line, "a zone", &statement->text.name) &&
	       line_expect_mark(line, LINE_ARROW) &&
	       line_names(line, "a zone", LINE_SINGLE, &statement->text.names);
}

static bool read_group(struct line *line, struct statement *statement)
{
	line_take(line);
	statement->text.type = TEXT_GROUP;
	return line_new_name(line, "a name for the group", &statement->text.name) &&
	       line_expect_mark(line, LINE_EQUALS) &&
	       line_names(line, "a partition, role or zone", 0, &statement->text.names);
}

static bool read_confirm(struct line *line, struct statement *statement)
{
	line_take(line);
	statement->text.type = TEXT_CONFIRM;
	return line_expect(line, "within") &&
	       line_time(line, "the time to confirm", CONFIRM_MAX, &statement->text.number);
}

static bool read_iommu(struct line *line, struct statement *statement)
{
	line_take(line);
	statement->text.type = TEXT_IOMMU;
	return line_choice(line, &words_iommu, &statement->text.number);
}

static bool read_partition(struct line *line, struct statement *statement)
{
	line_take(line);
	statement->text.type = TEXT_PARTITION;
	if (line_is(line_peek(line), "control")) {
		return line_one_name(line, "a name for the partition", &statement->text.name);
	}
	return line_new_name(line, "a name for the partition", &statement->text.name);
}

static bool read_open(struct line *line, struct statement *statement)
{
	line_take(line);
	statement->text.type = TEXT_OPEN;
	return true;
}

static bool read_keys(struct line *line, struct text_may *may)
{
	return line_bits(line, &words_key, &may->keys) && line_expect(line, "of") &&
	       line_names(line, "a partition or group", 0, &may->partitions);
}

static bool read_may(struct line *line, struct statement *statement)
{
	struct text_may *may = &statement->text.may;
	uint64_t person;

	statement->text.type = TEXT_MAY;
	if (!line_choice(line, &words_person, &person) || !line_expect(line, "may")) {
		return false;
	}
	may->person = (enum text_person)person;
	may->deny = line_accept(line, "not");
	if (line_accept(line, "change")) {
		return read_keys(line, may);
	}
	return line_bits(line, &words_action, &may->actions) &&
	       line_names(line, "a partition or group", 0, &may->partitions);
}

/** A kind is only there when two words stand before the arrow. */
static bool read_claim_kind(struct line *line, struct text_assert *claim)
{
	const struct line_token *second = line_peek_second(line);
	uint64_t kind;

	if (line_peek(line)->type != LINE_WORD || second->type != LINE_WORD ||
	    second->text[0] < 'a' || second->text[0] > 'z') {
		return true;
	}
	if (!line_choice(line, &words_kind, &kind)) {
		return false;
	}
	claim->has_kind = true;
	claim->kind = (enum text_kind)kind;
	return true;
}

static bool read_claim(struct line *line, struct statement *statement)
{
	struct text_assert *claim = &statement->text.claim;
	uint64_t number;

	statement->text.type = TEXT_ASSERT;
	if (!line_choice(line, &words_claim, &number)) {
		return false;
	}
	claim->claim = (enum text_claim)number;
	if (!read_claim_kind(line, claim) ||
	    !line_one_name(line, "a partition, role, zone or group", &claim->from) ||
	    !line_expect_mark(line, LINE_ARROW) ||
	    !line_one_name(line, "a partition, role, zone or group", &claim->to)) {
		return false;
	}
	if (claim->claim == TEXT_NEVER && line_accept(line, "unless")) {
		claim->ask_closed = true;
		return line_expect(line, "asked");
	}
	return true;
}

static bool read_property(struct line *line, struct statement *statement)
{
	statement->text.type = TEXT_VALUE;
	return statement_read_property(line, &statement->text.value);
}

static bool read_rule(struct line *line, struct statement *statement)
{
	statement->text.type = TEXT_RULE;
	return statement_read_rule(line, &statement->text.rule);
}

static const struct statement_form {
	const char *word;
	statement_reader read;
	bool may_be_open; /* "default" before it has a meaning */
	const char *form;
} forms[] = {
	{"policy", read_policy, false, "write: policy vendor|it|user \"TITLE\" version NUMBER"},
	{"include", read_include, false, "write: include \"FILE\""},
	{"role", read_role, false,
	 "write: role NAME = pci|usb CLASS or VENDOR:PRODUCT, or keyboard, pointer, screen, "
	 "speaker"},
	{"zone", read_zone, false,
	 "write: zone NAME = PREFIX, PREFIX, as in 10.0.0.0/8, and 'trusted' behind it or nothing"},
	{"carries", read_carries, false, "write: carries ZONE -> ZONE"},
	{"group", read_group, false, "write: group NAME = NAME, NAME"},
	{"partitions", read_open, true, "write: default partitions"},
	{"confirm", read_confirm, true, "write: confirm within TIME, as in 60 s"},
	{"iommu", read_iommu, true, "write: iommu required, or: iommu wanted"},
	{"partition", read_partition, false, "write: partition NAME"},
	{"never", read_claim, false, "write: never KIND FROM -> TO unless asked"},
	{"only", read_claim, false, "write: only KIND FROM -> TO"},
	{"always", read_claim, false, "write: always KIND FROM -> TO"},
	{"user", read_may, true, "write: user may see, start PARTITION"},
	{"admin", read_may, true, "write: admin may see, start PARTITION"},
	{"it", read_may, true, "write: it may see, start PARTITION"},
};
static const struct statement_form rule_form = {NULL, read_rule, true,
						"write: ID: allow|ask|deny KIND FROM, FROM -> TO, "
						"TO, as in copy: ask clipboard browser -> desktop"};
static const struct statement_form property_form = {NULL, read_property, true, NULL};

static bool no_statement(struct line *line)
{
	const struct line_token *token = line_peek(line);
	struct line_hint hint;

	if (token->type != LINE_WORD) {
		return line_expected(line, "a statement", "a statement begins with a word");
	}
	if (words_find(&words_verdict, token->text, token->size) >= 0) {
		return line_error(line, token, rule_form.form, "the rule has no id before '%.*s'",
				  (int)token->size, token->text);
	}
	if (line_peek_second(line)->type == LINE_WORD &&
	    words_find(&words_verdict, line_peek_second(line)->text,
		       line_peek_second(line)->size) >= 0) {
		return line_error(line, line_peek_second(line), rule_form.form,
				  "':' is missing behind the id of the rule");
	}
	line_hint_words(token, &words_statement, &hint);
	return line_expected(
		line, "a statement",
		strncmp(hint.text, "did", 3) == 0
			? hint.text
			: "a rule begins with its id and ':', every other statement with its word");
}

static const struct statement_form *find_form(struct line *line)
{
	const struct line_token *token = line_peek(line);

	if (line_peek_second(line)->type == LINE_COLON) {
		return &rule_form;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (line_is(token, forms[i].word)) {
			return &forms[i];
		}
	}
	if (statement_is_property(token)) {
		return &property_form;
	}
	no_statement(line);
	return NULL;
}

static bool check_open(struct line *line, const struct statement_form *form, bool open)
{
	if (open && !form->may_be_open) {
		return line_error(line, line_peek(line), "remove 'default'",
				  "'default' cannot stand before '%s'", form->word);
	}
	if (!open && form->read == read_open) {
		return line_error(line, line_peek(line), form->form,
				  "'partitions' stands behind 'default' only");
	}
	return true;
}

bool statement_read(struct line *line, const char *bytes, size_t size,
		    struct statement *ret_statement)
{
	struct statement statement = {.type = STATEMENT_TEXT};
	const struct statement_form *form;
	bool open;

	if (!line_split(line, bytes, size)) {
		return false;
	}
	if (line->count == 0) {
		*ret_statement = (struct statement){.type = STATEMENT_NONE};
		return true;
	}
	open = line_peek_second(line)->type != LINE_COLON && line_accept(line, "default");
	if (open && line_peek(line)->type == LINE_END) {
		return line_expected(line, "the statement behind 'default'",
				     "write it before a property, a rule, 'may', 'confirm', "
				     "'iommu' or 'partitions'");
	}
	form = find_form(line);
	if (form == NULL || !check_open(line, form, open)) {
		return false;
	}
	line->form = form->form;
	statement.pos = line_pos(line, line_peek(line));
	statement.text.pos = statement.pos;
	statement.text.open = open;
	if (!form->read(line, &statement) || !line_expect_end(line)) {
		text_statement_fini(&statement.text);
		free(statement.include);
		free(statement.head.title);
		return false;
	}
	*ret_statement = statement;
	return true;
}
