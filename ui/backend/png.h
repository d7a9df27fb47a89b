/* SPDX-License-Identifier: Apache-2.0 */
/** Pictures of canvases, for tests and documents. Not linked into the product. */
#ifndef BH_PNG_H
#define BH_PNG_H

#include "ui/trusted/canvas.h"

/** Writes an 8-bit RGB PNG. Returns 0 or -1 with errno set by the file. */
int png_write(const char *path, const struct canvas *canvas);

#endif
