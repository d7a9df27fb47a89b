/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for keys: as /proc/self/smaps shows it. */
#include "locked.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

/* The VmFlags of the mapping that holds the address. */
static void flags_of(const void *address, char *ret_flags, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[512];
	uintptr_t from, to;
	int mine = 0;

	assert_non_null(f);
	ret_flags[0] = '\0';
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
			mine = (uintptr_t)address >= from && (uintptr_t)address < to;
		} else if (mine && strncmp(line, "VmFlags:", 8) == 0) {
			snprintf(ret_flags, size, "%s", line);
		}
	}
	fclose(f);
}

/* Locked ("lo"; to be seen without sanitizers only) and left out of dumps ("dd"), zeroed, whatever
 * was there before. */
static void memory_is_locked_and_not_dumped(void **state)
{
	char flags[512];
	struct rlimit limit = {0};
	unsigned char *memory = locked_alloc(100);

	assert_non_null(memory);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(memory[i], 0);
		memory[i] = 0x5a;
	}
	flags_of(memory, flags, sizeof(flags));
	assert_non_null(strstr(flags, " dd"));
#ifndef __SANITIZE_ADDRESS__ /* it makes mlock() do nothing */
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur >= 1u << 16) {
		assert_non_null(strstr(flags, " lo"));
	}
#endif
	(void)limit;
	locked_free(memory, 100);
	locked_free(NULL, 100);
}

/* Without the right to lock it still works. */
static void memory_comes_without_the_right_to_lock(void **state)
{
	struct rlimit limit, none;
	void *memory;

	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
	memory = locked_alloc(1);
	assert_non_null(memory);
	locked_free(memory, 1);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_locked_and_not_dumped),
		cmocka_unit_test(memory_comes_without_the_right_to_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
