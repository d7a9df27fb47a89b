/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of a partition: word, range and unit of each. */
#include <stdlib.h>
#include <string.h>

#include "line_value.h"
#include "statement.h"

#define MEMORY_STEP  (2ull << 20)
#define MEMORY_MAX   (1ull << 40)
#define TITLE_MAX    31u
#define DISK_MAX     255u
#define RESTART_MAX  100u
#define DAY	     86400u
#define STEADY_USUAL 60u /* seconds, when "within" is not said */

typedef bool (*property_reader)(struct line *line, struct text_value *value);

/** What the switcher can draw: printable ASCII. Titles that differ in blanks only would look the
 * same to the person who answers a question. */
static bool read_title(struct line *line, struct text_value *value)
{
	const struct line_token *token = line_peek(line);
	bool blank = true; /* the letter before, and what is before the first */

	for (uint32_t i = 0; i < token->size && token->type == LINE_STRING; i++) {
		if (token->text[i] < ' ' || token->text[i] > '~') {
			return line_error(
				line, token, "use ASCII letters, digits and signs",
				"the title holds a letter that cannot be shown on every screen");
		}
		if (token->text[i] == ' ' && (blank || i + 1 == token->size)) {
			return line_error(line, token, "write one blank between two words",
					  "the title has a blank that nobody would see");
		}
		blank = token->text[i] == ' ';
	}
	return line_string(line, "the title", TITLE_MAX, &value->string);
}

static bool read_colour(struct line *line, struct text_value *value)
{
	const struct line_token *token = line_peek(line);
	uint32_t colour;

	if (token->type != LINE_WORD || token->size != 7 || token->text[0] != '#' ||
	    !line_hex(token->text + 1, 6, &colour)) {
		return line_expected(line, "a colour", "write it as #RRGGBB, as in #c01c28");
	}
	line_take(line);
	value->number = colour;
	return true;
}

static bool read_pattern(struct line *line, struct text_value *value)
{
	return line_choice(line, &words_pattern, &value->number);
}

static bool read_class(struct line *line, struct text_value *value)
{
	return line_choice(line, &words_class, &value->number);
}

static bool read_order(struct line *line, struct text_value *value)
{
	return line_number(line, "the order", 1, 9, &value->number);
}

static bool read_memory(struct line *line, struct text_value *value)
{
	const struct line_token *token = line_peek(line);

	if (!line_size(line, "the memory", MEMORY_STEP, MEMORY_MAX, &value->number)) {
		return false;
	}
	return value->number % MEMORY_STEP == 0 ||
	       line_error(line, token, "round it to a multiple of 2 MiB",
			  "the memory is no multiple of 2 MiB");
}

static bool read_vcpus(struct line *line, struct text_value *value)
{
	return line_number(line, "the number of vcpus", 1, 8, &value->number);
}

static bool read_cpu_weight(struct line *line, struct text_value *value)
{
	return line_number(line, "the weight", 1, 10000, &value->number);
}

static bool read_cpu_cap(struct line *line, struct text_value *value)
{
	return line_percent(line, "the cap", 800, &value->number);
}

static bool read_hundred(struct line *line, struct text_value *value)
{
	return line_percent(line, "the share", 100, &value->number);
}

static bool read_doorbells(struct line *line, struct text_value *value)
{
	return line_number(line, "the number of doorbells", 0, 16, &value->number);
}

static bool read_backends(struct line *line, struct text_value *value)
{
	return line_choice(line, &words_backends, &value->number);
}

static bool read_a_rate(struct line *line, struct text_value *value)
{
	return line_rate(line, "the rate", &value->number);
}

/** One spelling for each file: two disks are the same one when their strings are. */
static bool check_disk_path(struct line *line, const struct line_token *token)
{
	uint32_t start = 1;

	if (token->size == 0 || token->text[0] != '/') {
		return line_error(line, token, "name it from the root on, as in \"/disks/a.vhd\"",
				  "the path of the disk does not begin with '/'");
	}
	for (uint32_t i = start; i <= token->size; i++) {
		uint32_t part = i - start;

		if (i < token->size && token->text[i] != '/') {
			continue;
		}
		if (part == 0 || (part <= 2 && memcmp(token->text + start, "..", part) == 0)) {
			return line_error(line, token, "write the path as short as it can be",
					  "the path of the disk has an empty part, '.' or '..'");
		}
		start = i + 1;
	}
	return true;
}

static bool read_disk(struct line *line, struct text_value *value)
{
	const struct line_token *token = line_peek(line);

	if (!line_string(line, "the file of the disk", DISK_MAX, &value->string) ||
	    !check_disk_path(line, token)) {
		return false;
	}
	while (line_peek(line)->type != LINE_END) {
		uint64_t flag;

		token = line_peek(line);
		if (!line_choice(line, &words_disk, &flag)) {
			return false;
		}
		if ((value->flags & 1u << flag) != 0) {
			return line_error(line, token, "remove one of the two",
					  "'%s' is said twice", words_disk.word[flag]);
		}
		value->flags |= 1u << flag;
	}
	return true;
}

static bool read_bits(struct line *line, const struct words *words, const char *nothing,
		      struct text_value *value)
{
	uint32_t bits = 0;

	if (!line_accept(line, nothing) && !line_bits(line, words, &bits)) {
		return false;
	}
	value->number = bits;
	return true;
}

static bool read_device(struct line *line, struct text_value *value)
{
	return read_bits(line, &words_device, "none", value);
}

static bool read_owns(struct line *line, struct text_value *value)
{
	return line_names(line, "a role", LINE_NONE, &value->names);
}

static bool read_start(struct line *line, struct text_value *value)
{
	return line_choice(line, &words_start, &value->number);
}

static bool read_after(struct line *line, struct text_value *value)
{
	return line_names(line, "a partition", LINE_NONE, &value->names);
}

static bool read_restart(struct line *line, struct text_value *value)
{
	value->number2 = STEADY_USUAL;
	if (line_accept(line, "never")) {
		return true;
	}
	if (!line_number(line, "the number of restarts", 1, RESTART_MAX, &value->number)) {
		return false;
	}
	if (!line_accept(line, "time") && !line_expect(line, "times")) {
		return false;
	}
	return !line_accept(line, "within") ||
	       line_time(line, "the time of a steady run", DAY, &value->number2);
}

static bool read_health(struct line *line, struct text_value *value)
{
	if (!line_choice(line, &words_health, &value->number)) {
		return false;
	}
	return value->number == TEXT_HEALTH_NONE ||
	       (line_expect(line, "within") &&
		line_time(line, "the time until it is ready", DAY, &value->number2));
}

static bool read_run(struct line *line, struct text_value *value)
{
	return read_bits(line, &words_run, "always", value);
}

static const struct property_form {
	property_reader read;
	const char *form;
} forms[TEXT_KEYS] = {
	[TEXT_TITLE] = {read_title, "write: title \"TEXT\""},
	[TEXT_COLOUR] = {read_colour, "write: colour #RRGGBB"},
	[TEXT_PATTERN] = {read_pattern, "write: pattern plain|stripes|dots|checks|waves|bars"},
	[TEXT_CLASS] = {read_class, "write: class user|limited|it-only"},
	[TEXT_ORDER] = {read_order, "write: order NUMBER, from 1 to 9"},
	[TEXT_MEMORY] = {read_memory, "write: memory SIZE, as in 512 MiB"},
	[TEXT_VCPUS] = {read_vcpus, "write: vcpus NUMBER"},
	[TEXT_CPU_WEIGHT] = {read_cpu_weight, "write: cpu weight NUMBER"},
	[TEXT_CPU_CAP] = {read_cpu_cap, "write: cpu cap PERCENT, as in 50%"},
	[TEXT_CPU_GUARANTEE] = {read_hundred, "write: cpu guarantee PERCENT, as in 10%"},
	[TEXT_CACHE] = {read_hundred, "write: cache PERCENT, as in 25%"},
	[TEXT_DOORBELLS] = {read_doorbells, "write: doorbells NUMBER"},
	[TEXT_BACKENDS] = {read_backends, "write: back-ends control|none"},
	[TEXT_DISK_RATE] = {read_a_rate, "write: disk rate RATE, as in 50 MiB/s"},
	[TEXT_NETWORK_RATE] = {read_a_rate, "write: network rate RATE, as in 2 MiB/s"},
	[TEXT_DISK] = {read_disk, "write: disk \"FILE\" encrypted read-only throw-away"},
	[TEXT_DEVICE] = {read_device, "write: device console, entropy, gpu, keyboard, pointer"},
	[TEXT_OWNS] = {read_owns, "write: owns ROLE, ROLE, or: owns none"},
	[TEXT_START] = {read_start, "write: start boot|manual|never"},
	[TEXT_AFTER] = {read_after, "write: after PARTITION, PARTITION, or: after none"},
	[TEXT_RESTART] = {read_restart, "write: restart never, or: restart 2 times within 60 s"},
	[TEXT_HEALTH] = {read_health, "write: health none, or: health ready within 30 s"},
	[TEXT_RUN] = {read_run, "write: run always, or: run mains, idle"},
};

bool statement_is_property(const struct line_token *word)
{
	return line_is(word, "cpu") || line_is(word, "network") ||
	       (words_find(&words_key, word->text, word->size) >= 0 && word->type == LINE_WORD &&
		memchr(word->text, '-', word->size) == NULL) ||
	       line_is(word, "back-ends");
}

/** "cpu weight", "disk rate" and so on are two words. */
static bool read_key(struct line *line, enum text_key *ret_key)
{
	static const char *const cpu_list[] = {"weight", "cap", "guarantee"};
	static const struct words cpu_words = {"property of 'cpu'", 3, cpu_list};
	const struct line_token *token = line_take(line);
	uint64_t number;

	if (line_is(token, "cpu")) {
		line->form =
			"write: cpu weight NUMBER, or: cpu cap PERCENT, or: cpu guarantee PERCENT";
		if (!line_choice(line, &cpu_words, &number)) {
			return false;
		}
		*ret_key = TEXT_CPU_WEIGHT + (enum text_key)number;
	} else if (line_is(token, "network")) {
		line->form = forms[TEXT_NETWORK_RATE].form;
		*ret_key = TEXT_NETWORK_RATE;
		return line_expect(line, "rate");
	} else if (line_is(token, "disk") && line_accept(line, "rate")) {
		*ret_key = TEXT_DISK_RATE;
	} else {
		*ret_key = (enum text_key)words_find(&words_key, token->text, token->size);
	}
	return true;
}

bool statement_read_property(struct line *line, struct text_value *value)
{
	if (!read_key(line, &value->key)) {
		return false;
	}
	line->form = forms[value->key].form;
	return forms[value->key].read(line, value);
}
