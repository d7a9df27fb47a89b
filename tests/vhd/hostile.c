/* SPDX-License-Identifier: Apache-2.0 */
/* Images made to be expensive: each is refused, or opened, within 100 ms of CPU time and 64 MiB.
 *
 * Each is opened in a process of its own, three times; the cheapest run counts, for other programs
 * may disturb. What the process has before opening is subtracted.
 */
#define _GNU_SOURCE

#include "disk_memory.h"
#include "vhd_bytes.h"
#include "vhd_disk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPU_MAX_US   100000l
#define MEMORY_MAX   (64l << 10) /* KiB */
#define HEADER	     512u
#define BLOCKS_MAX   (2040u << 9) /* of 2 MiB */
#define GIB	     (1ull << 30)
#define CHAIN_LENGTH 40u

enum filling { UNUSED, RISING, FALLING, SHUFFLED, SAME, NONSENSE, OVERLAPPING };

static void must(bool good)
{
	if (!good) {
		abort();
	}
}

static struct file *open_file(struct disk_memory *disk, const char *name)
{
	struct file *file;

	must(!folder_open_file(disk_memory_folder(disk), name, FOLDER_WRITE, &file));
	return file;
}

static void make(struct disk_memory *disk, const char *name, const char *parent, uint64_t size)
{
	struct vhd_disk_create create = {.type = parent ? VHD_DIFFERENCING : VHD_DYNAMIC,
					 .size = size,
					 .parent = parent,
					 .timestamp = 1};

	must(!vhd_disk_create(disk_memory_folder(disk), name, &create, NULL));
}

static void change_header(struct disk_memory *disk, const char *name, unsigned field,
			  uint32_t value)
{
	struct file *file = open_file(disk, name);
	uint8_t bytes[1024];

	must(!file_read(file, bytes, sizeof(bytes), HEADER));
	vhd_store32(bytes + field, value);
	vhd_store32(bytes + 36, vhd_checksum(bytes, sizeof(bytes), 36));
	must(!file_write(file, bytes, sizeof(bytes), HEADER));
	file_close(file);
}

static uint32_t entry_of(enum filling filling, uint32_t i, uint32_t count, uint64_t *seed)
{
	const uint32_t first = 16384, stride = 4104;

	switch (filling) {
	case RISING:
		return first + i * stride;
	case FALLING:
		return first + (count - 1 - i) * stride;
	case SHUFFLED: /* an odd factor visits each place once */
		return first + (uint32_t)((uint64_t)i * 524287 % count) * stride;
	case SAME:
		return first;
	case NONSENSE:
		return (uint32_t)disk_memory_random(seed);
	case OVERLAPPING:
		return first + (uint32_t)((uint64_t)i * 524287 % count) * (stride - 16);
	case UNUSED:
		break;
	}
	return UINT32_MAX;
}

/* Fills the block table of the largest disk there is; the file is as long as blocks in order need.
 */
static void fill_table(struct disk_memory *disk, const char *name, enum filling filling)
{
	struct file *file = open_file(disk, name);
	uint8_t footer[512], header[1024];
	uint64_t at, end, seed = 1;
	uint32_t count = BLOCKS_MAX;

	must(!file_get_size(file, &end));
	must(!file_read(file, footer, sizeof(footer), end - 512));
	must(!file_read(file, header, sizeof(header), HEADER));
	at = vhd_load64(header + 16);
	for (uint32_t i = 0; i < count; i += 128) {
		uint8_t sector[512];

		for (uint32_t k = 0; k < 128; k++) {
			vhd_store32(sector + 4 * k, entry_of(filling, i + k, count, &seed));
		}
		must(!file_write(file, sector, sizeof(sector), at + 4ull * i));
	}
	must(!file_write(file, footer, sizeof(footer), (16384ull + count * 4104ull + 8) * 512));
	file_close(file);
}

static int open_disk(struct disk_memory *disk, const char *name, bool write)
{
	struct layer *layer;
	struct why why;
	int rc = vhd_disk_open(disk_memory_folder(disk), name, write ? VHD_DISK_WRITE : 0, &layer,
			       &why);

	if (!rc) {
		(void)!layer_close(layer);
	}
	return rc;
}

static long used_us(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000l +
	       usage->ru_utime.tv_usec + usage->ru_stime.tv_usec;
}

/* What a process takes that opens the disk. */
static int measure(struct disk_memory *disk, const char *name, bool writable, long *ret_us,
		   long *ret_kib)
{
	struct rusage before, after;
	int status = 0;
	int pipes[2];
	long numbers[3] = {0};
	pid_t pid;

	must(!pipe(pipes));
	pid = fork();
	must(pid >= 0);
	if (pid == 0) {
		getrusage(RUSAGE_SELF, &before);
		numbers[2] = open_disk(disk, name, writable);
		getrusage(RUSAGE_SELF, &after);
		numbers[0] = used_us(&after) - used_us(&before);
		numbers[1] = after.ru_maxrss - before.ru_maxrss;
		must(write(pipes[1], numbers, sizeof(numbers)) == sizeof(numbers));
		_exit(0);
	}
	must(read(pipes[0], numbers, sizeof(numbers)) == sizeof(numbers));
	close(pipes[0]);
	close(pipes[1]);
	must(waitpid(pid, &status, 0) == pid);
	*ret_us = numbers[0];
	*ret_kib = numbers[1];
	return (int)numbers[2];
}

static bool check(struct disk_memory *disk, const char *what, const char *name, bool write,
		  bool may_open)
{
	long us = 0, kib = 0, best_us = 0, best_kib = 0;
	bool good;
	int rc = 0;

	for (unsigned i = 0; i < 3; i++) {
		rc = measure(disk, name, write, &us, &kib);
		best_us = !i || us < best_us ? us : best_us;
		best_kib = !i || kib < best_kib ? kib : best_kib;
	}
	good = best_us <= CPU_MAX_US && best_kib <= MEMORY_MAX && (rc || may_open);
	printf("%s - %s: %s, %ld.%ld ms, %ld KiB\n", good ? "ok" : "not ok", what,
	       rc ? strerrorname_np(-rc) : "opened", best_us / 1000, best_us / 100 % 10, best_kib);
	fflush(stdout);
	return good;
}

static bool check_tables(void)
{
	static const struct {
		const char *what;
		enum filling filling;
		bool may_open;
	} tables[] = {
		{"the largest table, empty", UNUSED, true},
		{"the largest table, in order", RISING, true},
		{"the largest table, backwards", FALLING, true},
		{"the largest table, shuffled", SHUFFLED, true},
		{"a table with one place for all", SAME, false},
		{"a table of nonsense", NONSENSE, false},
		{"a table of blocks that overlap", OVERLAPPING, false},
	};
	bool good = true;

	for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct disk_memory *disk = disk_memory_create(false);

		make(disk, "d.vhd", NULL, 2040 * GIB);
		fill_table(disk, "d.vhd", tables[i].filling);
		good = check(disk, tables[i].what, "d.vhd", false, tables[i].may_open) && good;
		disk_memory_destroy(disk);
	}
	return good;
}

static bool check_headers(void)
{
	static const struct {
		const char *what;
		unsigned field;
		uint32_t value;
	} headers[] = {
		{"more entries than any disk has", 28, UINT32_MAX},
		{"blocks of one sector", 32, 512},
		{"blocks of 2 GiB", 32, 1u << 31},
		{"blocks of 4 KiB on a large disk", 32, 4096},
		{"a table far outside", 16, 0x7fffffff},
	};
	bool good = true;

	for (unsigned i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct disk_memory *disk = disk_memory_create(false);

		make(disk, "d.vhd", NULL, 2040 * GIB);
		change_header(disk, "d.vhd", headers[i].field, headers[i].value);
		good = check(disk, headers[i].what, "d.vhd", true, i == 0) && good;
		disk_memory_destroy(disk);
	}
	return good;
}

/* A chain too long, of disks with the largest tables, and one whose end is missing. */
static bool check_chains(void)
{
	struct disk_memory *disk = disk_memory_create(false);
	char name[32] = "0.vhd", parent[32];
	unsigned count;
	bool good;

	make(disk, name, NULL, 2040 * GIB);
	for (count = 1; count < CHAIN_LENGTH; count++) {
		struct vhd_disk_create create = {.type = VHD_DIFFERENCING, .timestamp = 1};

		memcpy(parent, name, sizeof(parent));
		snprintf(name, sizeof(name), "%u.vhd", count);
		create.parent = parent;
		if (vhd_disk_create(disk_memory_folder(disk), name, &create, NULL)) {
			memcpy(name, parent, sizeof(name));
			break;
		}
	}
	must(!folder_remove(disk_memory_folder(disk), "0.vhd"));
	good = check(disk, "a long chain of large disks without its end", name, true, false);
	disk_memory_destroy(disk);
	return good;
}

int main(void)
{
	bool good = check_tables();

	good = check_headers() && good;
	good = check_chains() && good;
	return good ? 0 : 1;
}
