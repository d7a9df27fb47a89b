/* SPDX-License-Identifier: Apache-2.0 */
/* Words of the language and the memory of a text. */
#include "text.h"

#include <stdlib.h>

#include "words.h"

const char *text_layer_word(enum text_layer layer)
{
	return words_get(&words_layer, layer);
}

const char *text_verdict_word(enum text_verdict verdict)
{
	return words_get(&words_verdict, verdict);
}

const char *text_kind_word(enum text_kind kind)
{
	return words_get(&words_kind, kind);
}

const char *text_key_word(enum text_key key)
{
	return words_get(&words_key, key);
}

const char *text_person_word(enum text_person person)
{
	return words_get(&words_person, person);
}

const char *text_action_word(unsigned int bit)
{
	return words_get(&words_action, bit);
}

static const struct words *type_words(enum text_kind kind)
{
	switch ((unsigned int)kind) {
	case TEXT_CLIPBOARD:
		return &words_clipboard;
	case TEXT_FILE:
		return &words_file;
	case TEXT_LINK:
		return &words_link;
	case TEXT_NETWORK:
		return &words_network;
	default:
		return NULL;
	}
}

const char *text_type_word(enum text_kind kind, unsigned int bit)
{
	const struct words *words = type_words(kind);

	return words != NULL ? words_get(words, bit) : NULL;
}

uint32_t text_types_all(enum text_kind kind)
{
	const struct words *words = type_words(kind);

	return words != NULL ? (1u << words->count) - 1 : 1;
}

bool text_kind_has_ports(enum text_kind kind)
{
	return kind == TEXT_CHANNEL || kind == TEXT_NETWORK;
}

uint32_t text_kind_limits(enum text_kind kind)
{
	switch ((unsigned int)kind) {
	case TEXT_CLIPBOARD:
		return TEXT_LIMIT_SIZE | TEXT_LIMIT_RATE | TEXT_LIMIT_COUNT | TEXT_LIMIT_SECONDS |
		       TEXT_LIMIT_QUARANTINE;
	case TEXT_FILE:
		return TEXT_LIMIT_SIZE | TEXT_LIMIT_RATE | TEXT_LIMIT_COUNT | TEXT_LIMIT_QUARANTINE;
	case TEXT_LINK:
		return TEXT_LIMIT_SIZE | TEXT_LIMIT_COUNT;
	case TEXT_CHANNEL:
	case TEXT_NETWORK:
		return TEXT_LIMIT_RATE | TEXT_LIMIT_COUNT;
	case TEXT_USB:
		return TEXT_LIMIT_RATE | TEXT_LIMIT_SECONDS | TEXT_LIMIT_READONLY;
	case TEXT_CAMERA:
	case TEXT_MICROPHONE:
	case TEXT_SOUND:
	case TEXT_CAPTURE:
		return TEXT_LIMIT_RATE | TEXT_LIMIT_SECONDS;
	case TEXT_PRINT:
		return TEXT_LIMIT_SIZE | TEXT_LIMIT_COUNT;
	case TEXT_FOLDER:
		return TEXT_LIMIT_SIZE | TEXT_LIMIT_RATE | TEXT_LIMIT_QUARANTINE |
		       TEXT_LIMIT_READONLY;
	default:
		return 0;
	}
}

void text_statement_fini(struct text_statement *statement)
{
	switch (statement->type) {
	case TEXT_ROLE:
		free(statement->role.match);
		break;
	case TEXT_ZONE:
		free(statement->zone.prefix);
		break;
	case TEXT_GROUP:
	case TEXT_CARRIES:
		free(statement->names.item);
		break;
	case TEXT_VALUE:
		free(statement->value.string);
		free(statement->value.names.item);
		break;
	case TEXT_RULE:
		free(statement->rule.from.item);
		free(statement->rule.to.item);
		break;
	case TEXT_MAY:
		free(statement->may.partitions.item);
		break;
	case TEXT_POLICY:
	case TEXT_PARTITION:
	case TEXT_ASSERT:
	case TEXT_CONFIRM:
	case TEXT_IOMMU:
	case TEXT_OPEN:
		break;
	}
	*statement = (struct text_statement){0};
}

void text_fini(struct text *text)
{
	for (size_t i = 0; i < text->count; i++) {
		text_statement_fini(&text->statement[i]);
	}
	free(text->statement);
	free(text->title);
	*text = (struct text){0};
}
