/* SPDX-License-Identifier: Apache-2.0 */
/** Runs a fuzz target without a fuzzer: each argument is a file, or a folder of files, given once to
 *  LLVMFuzzerTestOneInput, after an empty input and two synthetic ones. So every corpus is a plain test.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (16u << 20) /* bytes */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned input_count;

/* A copy of the exact size, so that ASan sees each read past the end. */
static void run_input(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	input_count++;
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);
	size_t size;

	if (!f || !data) {
		perror(path);
		free(data);
		if (f)
			fclose(f);
		return 1;
	}
	size = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	run_input(data, size);
	free(data);
	return 0;
}

static int run_path(const char *path)
{
	struct stat st;
	struct dirent *e;
	DIR *dir;
	int bad = 0;

	if (stat(path, &st) < 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return run_file(path);
	dir = opendir(path);
	if (!dir) {
		perror(path);
		return 1;
	}
	while ((e = readdir(dir))) {
		char *file;

		if (e->d_name[0] == '.')
			continue;
		if (asprintf(&file, "%s/%s", path, e->d_name) < 0)
			abort();
		bad |= run_file(file);
		free(file);
	}
	closedir(dir);
	return bad;
}

int main(int argc, char **argv)
{
	uint8_t pattern[4096];
	int bad = 0;

	run_input(NULL, 0);
	memset(pattern, 0xff, sizeof(pattern));
	run_input(pattern, sizeof(pattern));
	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)i;
	run_input(pattern, sizeof(pattern));
	for (int i = 1; i < argc; i++)
		bad |= run_path(argv[i]);
	printf("%u inputs\n", input_count);
	return bad;
}
