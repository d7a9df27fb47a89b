/* SPDX-License-Identifier: Apache-2.0 */
/** Lists of words by number or bit: one place for what is read, printed and guessed. */
#ifndef POLICY_WORDS_H
#define POLICY_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct words {
	const char *what; /* as messages call one of them: "kind of flow" */
	uint32_t count;
	const char *const *word;
};

/** NULL when out of range. */
const char *words_get(const struct words *words, uint32_t number);
/** Number of a word, -1: it is not one of them. */
int words_find(const struct words *words, const char *word, size_t size);

extern const struct words words_layer, words_verdict, words_kind, words_key, words_person;
extern const struct words words_action, words_limit;
extern const struct words words_clipboard, words_file, words_link, words_network;
extern const struct words words_pattern, words_class, words_start, words_backends, words_iommu;
extern const struct words words_health, words_disk, words_device, words_run, words_claim;
extern const struct words words_size, words_time, words_bus;
/** Words that begin a statement. */
extern const struct words words_statement;

#endif
