/* SPDX-License-Identifier: Apache-2.0 */
/** The boot record and questions to it. Written once, before anything else runs. */
#include "lib/boot_info.h"

#include "lib/string.h"

static struct boot_info record;

const char *boot_error = "";

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

/** Value of the option in `word` (up to a space), or NULL if word is another option. */
static const char *match(const char *word, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(word, name, len) != 0) {
		return NULL;
	}
	word += len;
	if (*word == '=') {
		return word + 1;
	}
	return *word == ' ' || !*word ? word : NULL;
}

bool boot_option(const char *name, char *buf, size_t size)
{
	const char *at = record.cmdline;
	const char *value;
	size_t len = 0;

	while (*at) {
		value = *at == ' ' ? NULL : match(at, name);
		if (value) {
			while (value[len] && value[len] != ' ' && len + 1 < size) {
				buf[len] = value[len];
				len++;
			}
			buf[len] = 0;
			return true;
		}
		while (*at && *at != ' ') {
			at++;
		}
		while (*at == ' ') {
			at++;
		}
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
