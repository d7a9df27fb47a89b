/* SPDX-License-Identifier: Apache-2.0 */
/* Edit distance with swaps, over three rows of a table, never recursive. */
#define _GNU_SOURCE
#include "guess.h"

#include <stdbool.h>
#include <string.h>

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/** Capital letters are no mistake of their own. */
static bool same(char a, char b)
{
	char low_a = a >= 'A' && a <= 'Z' ? (char)(a | 0x20) : a;
	char low_b = b >= 'A' && b <= 'Z' ? (char)(b | 0x20) : b;

	return low_a == low_b;
}

static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
	size_t row[3][GUESS_SIZE + 1];
	size_t *before = row[0], *last = row[1], *now = row[2];

	for (size_t j = 0; j <= b_size; j++) {
		last[j] = j;
	}
	for (size_t i = 1; i <= a_size; i++) {
		size_t *spare = before;

		now[0] = i;
		for (size_t j = 1; j <= b_size; j++) {
			size_t cost = same(a[i - 1], b[j - 1]) ? 0 : 1;

			now[j] = min(min(last[j], now[j - 1]) + 1, last[j - 1] + cost);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1])) {
				now[j] = min(now[j], before[j - 2] + 1);
			}
		}
		before = last;
		last = now;
		now = spare;
	}
	return last[b_size];
}

void guess_init(struct guess *guess, const char *word, size_t size)
{
	/* One more than what is still taken. */
	size_t distance_end = size > GUESS_SIZE ? 0 : min((size + 2) / 4, 3) + 1;

	*guess = (struct guess){.word = word, .size = size, .distance = distance_end};
}

void guess_offer(struct guess *guess, const char *candidate)
{
	size_t size, far;

	if (candidate == NULL || guess->distance == 0) {
		return;
	}
	size = strnlen(candidate, GUESS_SIZE + 1);
	if (size > GUESS_SIZE || size + guess->distance <= guess->size ||
	    guess->size + guess->distance <= size) {
		return;
	}
	far = distance(guess->word, guess->size, candidate, size);
	if (far < guess->distance) {
		guess->distance = far;
		guess->best = candidate;
	}
}

const char *guess_best(const struct guess *guess)
{
	return guess->best;
}
