/* SPDX-License-Identifier: Apache-2.0 */
/** The formatter behind log lines. No floating point, no locale, no state. */
#include "lib/format.h"

#include "lib/string.h"

struct out {
	char *buf;
	size_t size, len;
};

struct spec {
	bool left, zero, wide;
	size_t width;
};

static void out_char(struct out *out, char c)
{
	if (out->len + 1 < out->size) {
		out->buf[out->len++] = c;
	}
}

static void out_field(struct out *out, const struct spec *spec, const char *text, size_t len)
{
	size_t pad = spec->width > len ? spec->width - len : 0;

	for (; !spec->left && pad; pad--) {
		out_char(out, spec->zero ? '0' : ' ');
	}
	while (len--) {
		out_char(out, *text++);
	}
	for (; pad; pad--) {
		out_char(out, ' ');
	}
}

static void out_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base,
		       bool negative)
{
	char text[24];
	size_t at = sizeof(text);

	do {
		text[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative) {
		text[--at] = '-';
	}
	out_field(out, spec, text + at, sizeof(text) - at);
}

static const char *parse_spec(const char *fmt, struct spec *spec)
{
	*spec = (struct spec){0};
	for (; *fmt == '-' || *fmt == '0'; fmt++) {
		spec->left |= *fmt == '-';
		spec->zero |= *fmt == '0';
	}
	for (; *fmt >= '0' && *fmt <= '9'; fmt++) {
		spec->width = spec->width * 10 + (size_t)(*fmt - '0');
	}
	for (; *fmt == 'l' || *fmt == 'z'; fmt++) {
		spec->wide = true;
	}
	return fmt;
}

static void out_conversion(struct out *out, char conversion, const struct spec *spec, va_list *args)
{
	const char *text;
	uint64_t value;
	int64_t number;
	char c;

	switch (conversion) {
	case 'd':
		number = spec->wide ? va_arg(*args, long) : va_arg(*args, int);
		value = number < 0 ? -(uint64_t)number : (uint64_t)number;
		out_number(out, spec, value, 10, number < 0);
		break;
	case 'u':
	case 'x':
		value = spec->wide ? va_arg(*args, unsigned long) : va_arg(*args, unsigned);
		out_number(out, spec, value, conversion == 'u' ? 10 : 16, false);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		out_field(out, spec, &c, 1);
		break;
	case 's':
		text = va_arg(*args, const char *);
		text = text ? text : "(null)";
		out_field(out, spec, text, strlen(text));
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
	for (; *fmt; fmt++) {
		if (*fmt != '%') {
			out_char(&out, *fmt);
			continue;
		}
		fmt = parse_spec(fmt + 1, &spec);
		if (!*fmt) {
			break;
		}
		out_conversion(&out, *fmt, &spec, &copy);
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
