/* SPDX-License-Identifier: Apache-2.0 */
/** The "crypt" layer: the plain disk over an encrypted area of the layer below.
 *
 *  It shows what stock dm-crypt would show: an unallocated sector reads as the decryption of zeros,
 * and zeroing writes encrypted zeros. Discards go down only when asked for.
 */
#ifndef VHD_LAYER_CRYPT_H
#define VHD_LAYER_CRYPT_H

#include "luks.h"

/** Puts the layer on `below`, which it owns from now on when 0 is returned. The key is copied into
 * locked memory. library: see xts_open(). */
VHD_MUST_CHECK int layer_crypt_open(struct layer *below, const struct luks_segment *segment,
				    const uint8_t key[XTS_KEY_SIZE], const char *library,
				    bool pass_discards, struct layer **ret_layer);

#endif
