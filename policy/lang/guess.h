/* SPDX-License-Identifier: Apache-2.0 */
/** Which of the known words a misspelt one was meant to be.
 *
 *  guess_init, guess_offer for each word that would have been right, guess_best. Distance counts
 *  letters put in, left out, changed and two neighbours swapped, capital or not; a word of n
 * letters may be (n + 2) / 4 away, at most 3.
 */
#ifndef POLICY_GUESS_H
#define POLICY_GUESS_H

#include <stddef.h>

#define GUESS_SIZE 32u /* longer words are not guessed */

struct guess {
	const char *word; /* need not be closed by 0 */
	size_t size;
	const char *best;
	size_t distance;
};

void guess_init(struct guess *guess, const char *word, size_t size);
/** candidate must outlive the guess. NULL is ignored. */
void guess_offer(struct guess *guess, const char *candidate);
/** The nearest word offered, the first of equals; NULL: none is near. */
const char *guess_best(const struct guess *guess);

#endif
