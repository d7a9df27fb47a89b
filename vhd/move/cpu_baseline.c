/* SPDX-License-Identifier: Apache-2.0 */
/* Features by CPUID, those of wide registers only where the system saves these. */
#include "cpu_baseline.h"

#include <cpuid.h>
#include <stdio.h>
#include <string.h>

enum reg { A, B, C, D };

/* `level` is the x86-64 level that includes the feature, 0 for one beyond all levels. */
static const struct feature {
	const char *name;
	uint32_t leaf;
	uint8_t sub, reg, bit, level;
} features[] = {
	{"cx16", 1, 0, C, 13, 2},
	{"lahf_lm", 0x80000001, 0, C, 0, 2},
	{"popcnt", 1, 0, C, 23, 2},
	{"pni", 1, 0, C, 0, 2},
	{"sse4_1", 1, 0, C, 19, 2},
	{"sse4_2", 1, 0, C, 20, 2},
	{"ssse3", 1, 0, C, 9, 2},
	{"avx", 1, 0, C, 28, 3},
	{"avx2", 7, 0, B, 5, 3},
	{"bmi1", 7, 0, B, 3, 3},
	{"bmi2", 7, 0, B, 8, 3},
	{"f16c", 1, 0, C, 29, 3},
	{"fma", 1, 0, C, 12, 3},
	{"abm", 0x80000001, 0, C, 5, 3},
	{"movbe", 1, 0, C, 22, 3},
	{"osxsave", 1, 0, C, 27, 3},
	{"avx512f", 7, 0, B, 16, 4},
	{"avx512bw", 7, 0, B, 30, 4},
	{"avx512cd", 7, 0, B, 28, 4},
	{"avx512dq", 7, 0, B, 17, 4},
	{"avx512vl", 7, 0, B, 31, 4},
	{"aes", 1, 0, C, 25, 0},
	{"pclmulqdq", 1, 0, C, 1, 0},
	{"sha_ni", 7, 0, B, 29, 0},
	{"vaes", 7, 0, C, 9, 0},
	{"vpclmulqdq", 7, 0, C, 10, 0},
	{"gfni", 7, 0, C, 8, 0},
	{"rdrand", 1, 0, C, 30, 0},
	{"rdseed", 7, 0, B, 18, 0},
	{"adx", 7, 0, B, 19, 0},
	{"erms", 7, 0, B, 9, 0},
	{"fsrm", 7, 0, D, 4, 0},
	{"fsgsbase", 7, 0, B, 0, 0},
	{"invpcid", 7, 0, B, 10, 0},
	{"pcid", 1, 0, C, 17, 0},
	{"smep", 7, 0, B, 7, 0},
	{"smap", 7, 0, B, 20, 0},
	{"umip", 7, 0, C, 2, 0},
	{"pku", 7, 0, C, 3, 0},
	{"xsaveopt", 0xd, 1, A, 0, 0},
	{"xsavec", 0xd, 1, A, 1, 0},
	{"xsaves", 0xd, 1, A, 3, 0},
	{"rdtscp", 0x80000001, 0, D, 27, 0},
	{"pdpe1gb", 0x80000001, 0, D, 26, 0},
	{"avx_vnni", 7, 1, A, 4, 0},
	{"avx512_vnni", 7, 0, C, 11, 0},
	{"avx512_bf16", 7, 1, A, 5, 0},
	{"avx512_fp16", 7, 0, D, 23, 0},
	{"avx512vbmi", 7, 0, C, 1, 0},
	{"avx512ifma", 7, 0, B, 21, 0},
	{"clflushopt", 7, 0, B, 23, 0},
	{"clwb", 7, 0, B, 24, 0},
	{"waitpkg", 7, 0, C, 5, 0},
	{"movdiri", 7, 0, C, 27, 0},
};

#define FEATURE_COUNT (sizeof(features) / sizeof(*features))

_Static_assert(FEATURE_COUNT <= 64, "one bit each");

/* What the operating system saves at a task switch: without it, wide registers are of no use. */
static uint64_t saved_state(void)
{
	uint32_t a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27)) {
		return 0;
	}
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

static int has(const struct feature *feature)
{
	uint32_t regs[4];

	return __get_cpuid_count(feature->leaf, feature->sub, &regs[A], &regs[B], &regs[C],
				 &regs[D]) &&
	       (regs[feature->reg] >> feature->bit & 1);
}

static int is_wide(const char *name)
{
	return strncmp(name, "avx512", 6) == 0 ? 2
	       : strncmp(name, "avx", 3) == 0 || strcmp(name, "fma") == 0 ||
			       strcmp(name, "f16c") == 0 || name[0] == 'v'
		       ? 1
		       : 0;
}

void cpu_baseline_get(struct cpu_baseline *ret_baseline)
{
	static const uint64_t needed_state[] = {0, 0x6, 0xe6};
	struct cpu_baseline baseline = {.level = 4};
	uint64_t state = saved_state();

	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		uint64_t needed = needed_state[is_wide(features[i].name)];

		if (has(&features[i]) && (state & needed) == needed) {
			baseline.feature |= 1ull << i;
		} else if (features[i].level && features[i].level <= baseline.level) {
			baseline.level = features[i].level - 1u;
		}
	}
	*ret_baseline = baseline;
}

const char *cpu_baseline_name(unsigned bit)
{
	return bit < FEATURE_COUNT ? features[bit].name : NULL;
}

int cpu_baseline_bit(const char *name)
{
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		if (strcmp(features[i].name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

static void add_word(char *text, const char *word)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, CPU_BASELINE_TEXT - used, "%s%s", used ? " " : "", word);
}

unsigned cpu_baseline_missing(const struct cpu_baseline *needs, const struct cpu_baseline *cpu,
			      char ret_text[CPU_BASELINE_TEXT])
{
	unsigned count = 0;
	char level[24];

	ret_text[0] = '\0';
	if (needs->level > cpu->level) {
		(void)snprintf(level, sizeof(level), "x86-64-v%u", needs->level);
		add_word(ret_text, level);
		count++;
	}
	for (unsigned i = 0; i < FEATURE_COUNT; i++) {
		if (needs->feature & ~cpu->feature & 1ull << i) {
			add_word(ret_text, features[i].name);
			count++;
		}
	}
	return count;
}
