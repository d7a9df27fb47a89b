/* SPDX-License-Identifier: Apache-2.0 */
/** Why something was refused: an error code with a sentence for the person who asked. */
#ifndef VHD_WHY_H
#define VHD_WHY_H

#define VHD_MUST_CHECK __attribute__((warn_unused_result))

struct why {
	char text[320]; /* "" until something was refused */
};

/** Writes the sentence, unless `why` is NULL, and returns `error`, so that a refusal is one
 * statement. What came from an image or another person must be printable: pass it through
 * why_quote(). */
__attribute__((format(printf, 3, 4))) int why_set(struct why *why, int error, const char *format,
						  ...);

/** Puts "WHAT: " in front of the sentence that is there. Returns `error`. */
int why_prefix(struct why *why, int error, const char *what);

/** Copies untrusted text with everything unprintable replaced by '?', cut to the buffer. Returns
 * `ret_text`. */
const char *why_quote(char *ret_text, unsigned size, const char *untrusted);

#endif
