/* SPDX-License-Identifier: Apache-2.0 */
/* A policy of any bytes: refused with a message, or laid out so that it says the same. What stands
 * behind a line "\x01" are files that it may include, named a, b, c and so on. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "fmt.h"
#include "parse.h"
#include "text_equal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good) {
		abort();
	}
}

/* Prints what is wrong to nowhere. */
static void print_all(const struct diag_list *diags, const struct source_set *set)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	check(out != NULL);
	diag_print(diags, set, out);
	check(fclose(out) == 0);
	for (size_t i = 0; i < size; i++) {
		check(text[i] == '\n' || text[i] == '\t' || (unsigned char)text[i] >= ' ');
	}
	free(text);
}

static char *lay_out(const struct source_set *set, uint32_t file, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);

	check(out != NULL && fmt_file(set, file, out) == 0 && fclose(out) == 0);
	return text;
}

/* Adds a file in its canonical layout, which stays as it is when laid out again. */
static uint32_t add_laid_out(struct source_set *to, const struct source_set *from, uint32_t file,
			     struct diag_list *diags)
{
	size_t size, again_size;
	char *made = lay_out(from, file, &size), *again;
	int index = source_add(to, from->file[file].name, made, size, diags);

	check(index >= 0);
	to->file[index].included = from->file[file].included;
	again = lay_out(to, (uint32_t)index, &again_size);
	check(size == again_size && memcmp(made, again, size) == 0);
	free(made);
	free(again);
	return (uint32_t)index;
}

static void check_layout(const struct source_set *set, uint32_t count, const struct text *text)
{
	struct diag_list diags = {0};
	struct source_set other;
	struct text again;

	check(source_init(&other, NULL) == 0);
	for (uint32_t i = 0; i < count; i++) {
		add_laid_out(&other, set, i, &diags);
	}
	check(parse_text(&other, 0, &diags, &again) == 0);
	check(text_equal(text, &again));
	text_fini(&again);
	diag_fini(&diags);
	source_fini(&other);
}

/* Only files that were included have parsed. */
static bool all_used(const struct text *text, uint32_t count)
{
	uint64_t seen = 1;

	for (size_t i = 0; i < text->count; i++) {
		seen |= 1ull << text->statement[i].pos.file;
	}
	return seen == (1ull << count) - 1;
}

static bool add_files(struct source_set *set, const uint8_t *data, size_t size,
		      struct diag_list *diags)
{
	bool good = true;

	while (set->count < 8) {
		const uint8_t *mark = memmem(data, size, "\x01\n", 2);
		size_t part = mark != NULL ? (size_t)(mark - data) : size;
		char name[] = {(char)('a' + (int)set->count - 1), '\0'};
		int file = source_add(set, set->count > 0 ? name : "layer", data, part, diags);

		good &= file >= 0;
		if (file > 0) {
			set->file[file].included = true;
		}
		if (mark == NULL) {
			break;
		}
		data += part + 2;
		size -= part + 2;
	}
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_list diags = {0};
	struct source_set set;
	struct text text;

	check(source_init(&set, NULL) == 0);
	if (add_files(&set, data, size, &diags)) {
		if (parse_text(&set, 0, &diags, &text) == 0) {
			check(diags.error_count == 0);
			if (all_used(&text, set.count)) {
				check_layout(&set, set.count, &text);
			}
			text_fini(&text);
		} else {
			check(diags.error_count > 0);
		}
	} else {
		check(diags.error_count > 0);
	}
	print_all(&diags, &set);
	diag_fini(&diags);
	source_fini(&set);
	return 0;
}
