/* SPDX-License-Identifier: Apache-2.0 */
/** Serial line 16550 at 0x3f8, polled, and a small printf on it. */
#include "guest.h"

#define COM1     0x3f8u
#define COM1_LSR (COM1 + 5)
#define COM1_LCR (COM1 + 3)
#define LSR_THRE 0x20u
#define LCR_8N1  0x03u

void guest_console_init(void)
{
	cpu_out8(COM1_LCR, LCR_8N1);
}

static void put(char c)
{
	if (c == '\n') {
		put('\r');
	}
	while ((cpu_in8(COM1_LSR) & LSR_THRE) == 0) {
	}
	cpu_out8(COM1, (uint8_t)c);
}

static void put_number(uint64_t value, unsigned int base, int width, char fill, bool negative)
{
	char digits[24];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value != 0);
	if (negative) {
		digits[n++] = '-';
	}
	for (int i = n; i < width; i++) {
		put(fill);
	}
	while (n > 0) {
		put(digits[--n]);
	}
}

void guest_vprintf(const char *f, va_list ap)
{
	for (; *f != 0; f++) {
		char fill = ' ';
		int width = 0;
		bool wide = false;

		if (*f != '%') {
			put(*f);
			continue;
		}
		f++;
		if (*f == '0') {
			fill = '0';
		}
		while (*f >= '0' && *f <= '9') {
			width = width * 10 + (*f++ - '0');
		}
		while (*f == 'l') {
			wide = true;
			f++;
		}
		switch (*f) {
		case 'c':
			put((char)va_arg(ap, int));
			break;
		case 's':
			for (const char *s = va_arg(ap, const char *); *s != 0; s++) {
				put(*s);
			}
			break;
		case 'd': {
			int64_t v = wide ? va_arg(ap, int64_t) : va_arg(ap, int);

			put_number(v < 0 ? -(uint64_t)v : (uint64_t)v, 10, width, fill, v < 0);
			break;
		}
		case 'u':
			put_number(wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned int), 10, width,
				   fill, false);
			break;
		case 'x':
			put_number(wide ? va_arg(ap, uint64_t) : va_arg(ap, unsigned int), 16, width,
				   fill, false);
			break;
		case 'p':
			put_number((uint64_t)va_arg(ap, void *), 16, 16, '0', false);
			break;
		default:
			put('%');
			put(*f);
			break;
		}
	}
}

void guest_printf(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	guest_vprintf(format, ap);
	va_end(ap);
}
