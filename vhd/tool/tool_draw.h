/* SPDX-License-Identifier: Apache-2.0 */
/** Small pictures in text: branches of a tree, a strip that shows how full a disk is. Lines and
 * blocks where the locale has them, plain ASCII elsewhere.
 */
#ifndef VHD_TOOL_DRAW_H
#define VHD_TOOL_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOOL_DRAW_BRANCH 512u
/** What stands before an item of that depth in a tree that only goes down: its first line, or the
 * ones below. */
const char *tool_draw_branch(char ret_text[TOOL_DRAW_BRANCH], unsigned depth, bool first);

#define TOOL_DRAW_CELLS 64u
#define TOOL_DRAW_STRIP (TOOL_DRAW_CELLS * 4u + 32u)

/** Counts [offset, offset + size) of a disk of `total` bytes as held, by cells. */
void tool_draw_add(uint64_t held[TOOL_DRAW_CELLS], uint64_t total, uint64_t offset, uint64_t size);

/** The strip: four grades from empty to full, and the percentage. */
const char *tool_draw_strip(char ret_text[TOOL_DRAW_STRIP], const uint64_t held[TOOL_DRAW_CELLS],
			    uint64_t total);

#endif
