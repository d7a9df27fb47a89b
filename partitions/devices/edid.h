/* SPDX-License-Identifier: Apache-2.0 */
/** The EDID of a partition's screen: one base block with one preferred mode.
 *
 *  Source: VESA, "Enhanced Extended Display Identification Data Standard" 1.4, "EDID Data
 * Structure" and "Detailed Timing Descriptor"; VESA, "Coordinated Video Timings", reduced blanking.
 */
#ifndef BH_DEVICES_EDID_H
#define BH_DEVICES_EDID_H

#include <stdbool.h>
#include <stdint.h>

#define EDID_SIZE 128u

/** Writes an EDID whose preferred mode is width x height at 60 Hz. False when the format cannot
 * express that mode; nothing is written then. */
bool edid_make(uint32_t width, uint32_t height, uint8_t ret_edid[EDID_SIZE]);

#endif
