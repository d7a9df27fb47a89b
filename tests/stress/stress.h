/* SPDX-License-Identifier: Apache-2.0 */
/** What control.c and guest.c agree on. */
#ifndef STRESS_H
#define STRESS_H

#define STRESS_PORT	 0x5f0u /* write 32 bits: so many rounds are done */
#define STRESS_DOORBELLS 0xd0100000ull
#define STRESS_VECTOR	 0x66u /* the control partition raises it, for nothing */
#define STRESS_LATE_S	 20u   /* a wake-up that takes longer is lost */

#endif
