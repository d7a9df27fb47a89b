/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the sentences: one per kind, with F and T for the two ends and V for what the policy says.
 */
#include "say.h"

#include <inttypes.h>
#include <string.h>

static const char *const sentences[TEXT_KINDS] = {
	[TEXT_CLIPBOARD] = "What is copied in F V be pasted in T",
	[TEXT_FILE] = "Files of F V be handed to T",
	[TEXT_LINK] = "Links clicked in F V be opened in T",
	[TEXT_CHANNEL] = "F V open a message channel to T",
	[TEXT_NETWORK] = "F V connect to T",
	[TEXT_USB] = "A USB device that is a F V be lent to T",
	[TEXT_CAMERA] = "Pictures of the F V reach T",
	[TEXT_MICROPHONE] = "Sound of the F V reach T",
	[TEXT_SOUND] = "F V be heard on the T",
	[TEXT_CAPTURE] = "The screen content of F V be seen by T",
	[TEXT_PRINT] = "F V print on T",
	[TEXT_FOLDER] = "A folder of F V be seen by T",
	[TEXT_INPUT] = "Input of the F V go to T",
	[TEXT_DISPLAY] = "F V be shown on the T",
};

static const char *const verdicts[] = {
	[TEXT_DENY] = "may not",
	[TEXT_ASK] = "may, after a question,",
	[TEXT_ALLOW] = "may",
};

void say_sentence(FILE *out, enum text_kind kind, enum text_verdict verdict, const char *from,
		  const char *to)
{
	for (const char *at = sentences[kind]; *at; at++) {
		bool alone = (at == sentences[kind] || at[-1] == ' ') && (!at[1] || at[1] == ' ');

		if (alone && *at == 'F') {
			fputs(from, out);
		} else if (alone && *at == 'T') {
			fputs(to, out);
		} else if (alone && *at == 'V') {
			fputs(verdicts[verdict], out);
		} else {
			putc(*at, out);
		}
	}
}

bool say_what(FILE *out, enum text_kind kind, uint32_t types, uint16_t lo, uint16_t hi)
{
	const char *before = "types ";
	bool some = false;

	if (types != text_types_all(kind)) {
		for (unsigned int bit = 0; bit < 32; bit++) {
			const char *word = text_type_word(kind, bit);

			if (types & (1u << bit) && word) {
				fprintf(out, "%s%s", before, word);
				before = ", ";
				some = true;
			}
		}
	}
	if (text_kind_has_ports(kind) && (lo > 0 || hi < UINT16_MAX)) {
		fprintf(out, lo == hi ? "%sport %u" : "%sports %u-%u", some ? " " : "", lo, hi);
		some = true;
	}
	return some;
}

static void say_size(FILE *out, uint64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	unsigned int unit = 0;

	while (unit < 3 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	fprintf(out, "%" PRIu64 " %s", bytes, units[unit]);
}

static void say_time(FILE *out, uint32_t seconds)
{
	if (seconds % 3600 == 0) {
		fprintf(out, "%" PRIu32 " h", seconds / 3600);
	} else if (seconds % 60 == 0) {
		fprintf(out, "%" PRIu32 " min", seconds / 60);
	} else {
		fprintf(out, "%" PRIu32 " s", seconds);
	}
}

void say_limits(FILE *out, const struct text_limits *limits)
{
	if (limits->size_max) {
		fputs(" up to ", out);
		say_size(out, limits->size_max);
	}
	if (limits->rate_max) {
		fputs(" rate ", out);
		say_size(out, limits->rate_max);
		fputs("/s", out);
	}
	if (limits->count_max) {
		fprintf(out, " count %" PRIu32, limits->count_max);
	}
	if (limits->seconds_max) {
		fputs(" for ", out);
		say_time(out, limits->seconds_max);
	}
	fputs(limits->quarantine ? " quarantine" : "", out);
	fputs(limits->readonly ? " read-only" : "", out);
}

bool say_has_limits(const struct text_limits *limits)
{
	return limits->size_max || limits->rate_max || limits->count_max || limits->seconds_max ||
	       limits->quarantine || limits->readonly;
}

bool say_same_limits(const struct text_limits *a, const struct text_limits *b)
{
	return a->size_max == b->size_max && a->rate_max == b->rate_max &&
	       a->count_max == b->count_max && a->seconds_max == b->seconds_max &&
	       a->quarantine == b->quarantine && a->readonly == b->readonly;
}

bool say_can_ask(enum text_kind kind)
{
	return kind != TEXT_NETWORK && kind != TEXT_CHANNEL && kind != TEXT_INPUT &&
	       kind != TEXT_DISPLAY && kind != TEXT_SOUND;
}
