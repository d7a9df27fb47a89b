/* SPDX-License-Identifier: Apache-2.0 */
/** Every read takes the time anew. There is never an update in progress; a reader that sees two
 * different seconds reads again, as on the real chip. */
#define _GNU_SOURCE
#include "cmos.h"

#define STATUS_B_24_HOURS 0x02u
#define STATUS_D_VALID	  0x80u

void cmos_init(struct cmos *cmos)
{
	*cmos = (struct cmos){.now = time};
	tzset(); /* gmtime_r() would else open time zone files at its first call, and by then it may not */
}

static uint8_t to_bcd(int value)
{
	return (uint8_t)((value / 10) << 4 | value % 10);
}

static uint8_t read_cell(const struct cmos *cmos)
{
	time_t now = cmos->now(NULL);
	struct tm tm;

	if (gmtime_r(&now, &tm) == NULL) {
		return 0;
	}
	switch (cmos->index) {
	case 0x00:
		return to_bcd(tm.tm_sec % 60);
	case 0x02:
		return to_bcd(tm.tm_min);
	case 0x04:
		return to_bcd(tm.tm_hour);
	case 0x06:
		return to_bcd(tm.tm_wday + 1);
	case 0x07:
		return to_bcd(tm.tm_mday);
	case 0x08:
		return to_bcd(tm.tm_mon + 1);
	case 0x09:
		return to_bcd(tm.tm_year % 100);
	case 0x0a:
		return 0x26; /* 32.768 kHz, 1024 Hz rate */
	case 0x0b:
		return STATUS_B_24_HOURS;
	case 0x0d:
		return STATUS_D_VALID;
	case 0x32:
		return to_bcd((tm.tm_year + 1900) / 100 % 100);
	default:
		return 0;
	}
}

static uint64_t cmos_read(void *device, uint64_t offset, unsigned size)
{
	if (offset != 1 || size != 1) {
		return bus_ones(size);
	}
	return read_cell(device);
}

static void cmos_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	struct cmos *cmos = device;

	if (offset == 0) {
		cmos->index = value & 0x7f; /* bit 7 masks the NMI on a PC */
	}
}

const struct bus_ops cmos_ops = {.read = cmos_read, .write = cmos_write};
