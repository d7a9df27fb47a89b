/* SPDX-License-Identifier: Apache-2.0 */
/* bench: how fast a disk is on this machine, one request at a time. Reads the disk; writes only a
 * scratch image of its own. */
#define _GNU_SOURCE

#include "tool_disk.h"
#include "tool_size.h"
#include "tool_verbs.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define SCRATCH_SIZE (256ull << 20)
#define CHUNK_MAX    (1u << 20)

static struct {
	bool write;
	int64_t seconds;
} opt = {.seconds = 1};

const struct tool_option tool_bench_options[] = {
	{"write", TOOL_FLAG, &opt.write, NULL,
	 "also writes, to a scratch image in the same folder that is removed again"},
	{"seconds", TOOL_NUMBER, &opt.seconds, "N", "for each row; default 1"},
	{0},
};

struct pattern {
	const char *name;
	size_t size;
	bool random, write;
};

static const struct pattern patterns[] = {
	{"sequential read 1 MiB", 1u << 20, false, false},
	{"random read 4 KiB", 4096, true, false},
	{"sequential write 1 MiB", 1u << 20, false, true},
	{"random write 4 KiB", 4096, true, true},
};

static double now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* xorshift64: which block is next, the same on every run. */
static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void show(struct tool *tool, const struct pattern *pattern, uint64_t count, double seconds,
		 double cpu)
{
	struct json_object *row = json_object_new_object(), *rows;
	double per_second = (double)count / seconds, us = count ? cpu * 1e6 / (double)count : 0;

	json_object_object_get_ex(tool->result, "rows", &rows);
	tool_add_text(row, "name", pattern->name);
	tool_add_number(row, "requests", count);
	json_object_object_add(row, "iops", json_object_new_double(per_second));
	json_object_object_add(row, "bytes_per_second",
			       json_object_new_double(per_second * (double)pattern->size));
	json_object_object_add(row, "cpu_us_per_request", json_object_new_double(us));
	json_object_array_add(rows, row);
	tool_print(tool, "  %-24s %10.0f /s  %9.1f MB/s  %8.1f us CPU a request", pattern->name,
		   per_second, per_second * (double)pattern->size / 1e6, us);
}

static int measure(struct tool *tool, struct layer *layer, const struct pattern *pattern,
		   uint8_t *buffer)
{
	double start = now(CLOCK_MONOTONIC), cpu = now(CLOCK_PROCESS_CPUTIME_ID), end = start;
	uint64_t slots = layer->size / pattern->size, state = 88172645463325252ull, count = 0;
	int rc = slots ? 0 : -EINVAL;

	while (!rc && end - start < (double)opt.seconds && !tool_interrupted()) {
		uint64_t slot = (pattern->random ? next_random(&state) : count) % slots;

		rc = pattern->write
			     ? layer_write(layer, buffer, pattern->size, slot * pattern->size)
			     : layer_read(layer, buffer, pattern->size, slot * pattern->size);
		end = now(CLOCK_MONOTONIC);
		count++;
	}
	if (!rc && pattern->write) {
		rc = layer_flush(layer);
		end = now(CLOCK_MONOTONIC);
	}
	if (!rc && !tool_interrupted()) {
		show(tool, pattern, count, end - start, now(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	}
	return rc ? rc : tool_interrupted() ? -ECANCELED : 0;
}

static int run(struct tool *tool, struct layer *layer, bool write)
{
	uint8_t *buffer = aligned_alloc(4096, CHUNK_MAX);
	int rc = buffer ? 0 : -ENOMEM;

	if (!rc && getrandom(buffer, 256, 0) != 256) {
		rc = -errno;
	}
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]) && !rc; i++) {
		if (patterns[i].write == write) {
			rc = measure(tool, layer, &patterns[i], buffer);
		}
	}
	free(buffer);
	return rc;
}

static int run_scratch(struct tool *tool, struct folder *folder)
{
	const struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = SCRATCH_SIZE};
	struct layer *layer;
	char name[64];
	int rc;

	snprintf(name, sizeof(name), "bulkhead-bench-%u.vhd", (unsigned)getpid());
	rc = vhd_disk_create(folder, name, &create, &tool->why);
	if (rc < 0) {
		return rc;
	}
	rc = vhd_disk_open(folder, name, VHD_DISK_WRITE, &layer, &tool->why);
	if (!rc) {
		rc = run(tool, layer, true);
		(void)!layer_close(layer);
	}
	(void)!folder_remove(folder, name);
	return rc;
}

int tool_bench(struct tool *tool, char **arguments, unsigned count)
{
	const struct stack_options options = {.write = false};
	struct tool_disk disk;
	int rc, code;

	(void)count;
	if (opt.seconds < 1 || opt.seconds > 3600) {
		return tool_fail_usage(tool, "--seconds is 1 to 3600");
	}
	code = tool_disk_open_path(tool, arguments[0], &options, &disk);
	if (code) {
		return code;
	}
	json_object_object_add(tool->result, "rows", json_object_new_array());
	tool_add_text(tool->result, "disk", disk.name);
	tool_print(tool, "%s%s:", disk.name, disk.secret.size ? ", encrypted" : "");
	rc = run(tool, disk.top, false);
	if (!rc && opt.write) {
		tool_print(tool, "a new dynamic disk beside it:");
		rc = run_scratch(tool, disk.folder);
	}
	code = rc < 0 ? tool_fail(tool, rc, disk.name) : TOOL_OK;
	return tool_disk_close(tool, &disk, code);
}
