/* SPDX-License-Identifier: Apache-2.0 */
/** The formatter behind log lines. No floating point, no locale, no state. */
#include "lib/format.h"

#include "lib/string.h"

struct out {
	char *buf;
	size_t size, len;
};

struct spec {
	bool left, zero;
	int width, precision, longs; /* longs: -2 hh, -1 h, 0, 1 l, 2 ll */
};

static void out_char(struct out *out, char c)
{
	if (out->len + 1 < out->size) {
		out->buf[out->len++] = c;
	}
}

static void out_field(struct out *out, const struct spec *spec, const char *text, size_t len)
{
	size_t width = spec->width > 0 ? (size_t)spec->width : 0;
	size_t pad = width > len ? width - len : 0;

	if (spec->zero && !spec->left && len && *text == '-') {
		out_char(out, '-');
		text++;
		len--;
	}
	for (size_t i = 0; !spec->left && i < pad; i++) {
		out_char(out, spec->zero ? '0' : ' ');
	}
	for (size_t i = 0; i < len; i++) {
		out_char(out, text[i]);
	}
	for (size_t i = 0; spec->left && i < pad; i++) {
		out_char(out, ' ');
	}
}

static void out_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base,
		       bool upper, bool negative)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	size_t at = sizeof(text);

	do {
		text[--at] = digits[value % base];
		value /= base;
	} while (value);
	if (negative) {
		text[--at] = '-';
	}
	out_field(out, spec, text + at, sizeof(text) - at);
}

static int64_t take_signed(va_list *args, int longs)
{
	int64_t value = longs > 0 ? va_arg(*args, long) : va_arg(*args, int);

	return longs == -1 ? (int16_t)value : longs == -2 ? (int8_t)value : value;
}

static uint64_t take_unsigned(va_list *args, int longs)
{
	uint64_t value = longs > 0 ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);

	return longs == -1 ? (uint16_t)value : longs == -2 ? (uint8_t)value : value;
}

static const char *parse_spec(const char *fmt, struct spec *spec, va_list *args)
{
	*spec = (struct spec){.precision = -1};
	for (;; fmt++) {
		if (*fmt == '-') {
			spec->left = true;
		} else if (*fmt == '0') {
			spec->zero = true;
		} else {
			break;
		}
	}
	if (*fmt == '*') {
		spec->width = va_arg(*args, int);
		fmt++;
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
		spec->width = spec->width * 10 + (*fmt - '0');
	}
	if (*fmt == '.') {
		spec->precision = 0;
		if (*++fmt == '*') {
			spec->precision = va_arg(*args, int);
			fmt++;
		}
		for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
			spec->precision = spec->precision * 10 + (*fmt - '0');
		}
	}
	for (;; fmt++) {
		if (*fmt == 'l' || *fmt == 'z') {
			spec->longs++;
		} else if (*fmt == 'h') {
			spec->longs--;
		} else {
			return fmt;
		}
	}
}

static void out_string(struct out *out, const struct spec *spec, const char *s)
{
	size_t len = 0;

	s = s ? s : "(null)";
	while (s[len] && (spec->precision < 0 || len < (size_t)spec->precision)) {
		len++;
	}
	out_field(out, spec, s, len);
}

static void out_conversion(struct out *out, char conversion, const struct spec *spec, va_list *args)
{
	struct spec pointer = {.zero = true, .width = 16};
	int64_t number;
	char c;

	switch (conversion) {
	case 'd':
	case 'i':
		number = take_signed(args, spec->longs);
		out_number(out, spec, number < 0 ? -(uint64_t)number : (uint64_t)number, 10, false,
			   number < 0);
		break;
	case 'u':
		out_number(out, spec, take_unsigned(args, spec->longs), 10, false, false);
		break;
	case 'x':
	case 'X':
		out_number(out, spec, take_unsigned(args, spec->longs), 16, conversion == 'X',
			   false);
		break;
	case 'p':
		out_number(out, &pointer, (uintptr_t)va_arg(*args, void *), 16, false, false);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		out_field(out, spec, &c, 1);
		break;
	case 's':
		out_string(out, spec, va_arg(*args, const char *));
		break;
	default:
		out_char(out, conversion); /* "%%", and a conversion we lack shows itself */
		break;
	}
}

size_t fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out out = {.buf = buf, .size = size};
	struct spec spec;
	va_list copy;

	va_copy(copy, args);
	while (*fmt) {
		if (*fmt != '%') {
			out_char(&out, *fmt++);
			continue;
		}
		fmt = parse_spec(fmt + 1, &spec, &copy);
		if (!*fmt) {
			break;
		}
		out_conversion(&out, *fmt++, &spec, &copy);
	}
	va_end(copy);
	buf[out.len] = 0;
	return out.len;
}

size_t fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	size_t len;

	va_start(args, fmt);
	len = fmt_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}
