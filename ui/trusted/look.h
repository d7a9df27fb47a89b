/* SPDX-License-Identifier: Apache-2.0 */
/** The house colours of trusted drawings. Partitions bring their own; these are neutral, so that
 * they never name one. */
#ifndef BH_LOOK_H
#define BH_LOOK_H

#define LOOK_GROUND 0x14181fu /* panels and tab rail */
#define LOOK_RAISED 0x232a35u /* cards, tabs at rest */
#define LOOK_EDGE   0x3a4453u /* hair lines */
#define LOOK_TEXT   0xf2f5f9u /* on any of the above: 12 to 1 and more */
#define LOOK_DIM    0xa9b4c4u /* secondary text: 6.9 to 1 on LOOK_RAISED */
#define LOOK_WARN   0xffc233u /* plate of a warning; LOOK_GROUND on it: 11 to 1 */

#endif
