/* SPDX-License-Identifier: Apache-2.0 */
/** The boot record and questions to it. Written once, before anything else runs. */
#include "lib/boot_info.h"

#include "lib/format.h"
#include "lib/string.h"

static struct boot_info record;

const char *boot_error = "";

int boot_fail(enum bh_err err, const char *fmt, ...)
{
	static char text[160];
	va_list args;

	va_start(args, fmt);
	fmt_vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	boot_error = text;
	return -(int)err;
}

const struct boot_info *boot_get(void)
{
	return &record;
}

struct boot_info *boot_record(void)
{
	return &record;
}

const struct boot_module *boot_module(const struct boot_info *info, const char *role)
{
	for (uint32_t i = 0; i < info->module_count; i++) {
		if (strcmp(info->modules[i].role, role) == 0) {
			return &info->modules[i];
		}
	}
	return NULL;
}

bool boot_module_at(const struct boot_info *info, uint64_t base, uint64_t size)
{
	for (uint32_t i = 0; i < info->module_count; i++) {
		const struct boot_module *m = &info->modules[i];

		if (m->base < base + size && base < m->base + m->size) {
			return true;
		}
	}
	return false;
}

uint64_t boot_screen_size(const struct boot_info *info)
{
	return info->screen.depth ? (uint64_t)info->screen.pitch * info->screen.height : 0;
}

bool boot_option(const char *name, char *buf, size_t size)
{
	size_t name_len = strlen(name), len = 0;

	for (const char *at = record.cmdline; *at; at++) {
		const char *end = at + name_len;

		if ((at != record.cmdline && at[-1] != ' ') || strncmp(at, name, name_len) != 0 ||
		    (*end && *end != '=' && *end != ' ')) {
			continue;
		}
		end += *end == '=';
		while (end[len] && end[len] != ' ' && len + 1 < size) {
			buf[len] = end[len];
			len++;
		}
		buf[len] = 0;
		return true;
	}
	return false;
}

uint64_t boot_option_u64(const char *name, uint64_t fallback)
{
	uint64_t value = 0;
	char buf[20]; /* 19 digits do not overflow */

	if (!boot_option(name, buf, sizeof(buf)) || !buf[0]) {
		return fallback;
	}
	for (const char *c = buf; *c; c++) {
		if (*c < '0' || *c > '9') {
			return fallback;
		}
		value = value * 10 + (uint64_t)(*c - '0');
	}
	return value;
}
