/* SPDX-License-Identifier: Apache-2.0 */
/* Power cuts and failing calls while a disk moves: on the sender and its stick, and on the
 * receiver.
 *
 *   movecut [SEED [STATES [STRIDE]]]     of failing calls, each STRIDE-th is tried
 *
 * After each: at most one owner; a bundle that is there is whole; the sender's disk reads as it
 * was; the receiver has the disk as it came, or not at all; and doing it again succeeds. Prints
 * TAP. */
#define _GNU_SOURCE

#include "disk_cut.h"
#include "disk_memory.h"
#include "move_export.h"
#include "move_import.h"
#include "owner.h"
#include "vhd_disk.h"
#include "vhd_journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DISK_SIZE (16u << 20)

static const struct luks_secret secret = {"secret", 6, -1};
static uint8_t expected[DISK_SIZE], read_back[DISK_SIZE];
static uint64_t seed;
static unsigned states, states_max, bad, stride = 1;
static char note[200];

static struct folder *at(struct disk_memory *disk)
{
	return disk_memory_folder(disk);
}

static void complain(const char *what, int rc, const struct why *why)
{
	if (bad++ < 10) {
		printf("# %s: %s (%d) %s\n", note, what, rc, why ? why->text : "");
	}
}

static void must(const char *what, int rc)
{
	if (rc < 0) {
		printf("Bail out! %s: %s\n", what, strerror(-rc));
		exit(1);
	}
}

static void fill(struct disk_memory *disk, const char *name, uint32_t sector, uint32_t count)
{
	struct layer *layer;
	uint8_t *bytes = malloc((size_t)count * 4096);

	for (size_t i = 0; i < (size_t)count * 4096; i++) {
		bytes[i] = i % 32 ? (uint8_t)i : (uint8_t)disk_memory_random(&seed);
	}
	must("open", vhd_disk_open(at(disk), name, VHD_DISK_WRITE, &layer, NULL));
	must("write", layer_write(layer, bytes, (size_t)count * 4096, (uint64_t)sector * 4096));
	must("flush", layer_flush(layer));
	must("close", layer_close(layer));
	free(bytes);
}

static int read_all(struct disk_memory *disk, const char *name, uint8_t *ret_bytes)
{
	struct why why = {""};
	struct layer *layer;
	int rc = vhd_journal_recover(at(disk), &why);

	rc = rc ? rc : vhd_disk_open(at(disk), name, 0, &layer, &why);
	if (!rc) {
		rc = layer_read(layer, ret_bytes, DISK_SIZE, 0);
		must("close", layer_close(layer));
	}
	return rc;
}

static bool reads_right(struct disk_memory *disk)
{
	return read_all(disk, "office.vhd", read_back) == 0 &&
	       memcmp(read_back, expected, DISK_SIZE) == 0;
}

/* The sender with a disk of three frames, and a receiver; both have the base. */
static void make(struct disk_memory **ret_a, struct disk_memory **ret_b)
{
	struct vhd_disk_create create = {.type = VHD_DYNAMIC, .size = DISK_SIZE, .uuid = {1}};
	struct vhd_disk_create child = {.type = VHD_DIFFERENCING, .parent = "base.vhd"};
	struct disk_memory *plain = disk_memory_create(true);

	must("create", vhd_disk_create(at(plain), "base.vhd", &create, NULL));
	fill(plain, "base.vhd", 0, 300);
	*ret_b = disk_memory_fork(plain);
	must("create", vhd_disk_create(at(plain), "office.vhd", &child, NULL));
	fill(plain, "office.vhd", 100, 2300);
	fill(plain, "office.vhd", 3000, 40);
	must("read", read_all(plain, "office.vhd", expected));
	*ret_a = plain;
}

static int send(struct disk_memory *a, struct disk_memory *stick, struct why *why)
{
	struct move_export_options options = {
		.secret = &secret, .fast_for_tests = true, .level = 1};
	struct move_export_report report;

	return move_export(at(a), "office.vhd", &options, at(stick), &report, why);
}

static int receive(struct disk_memory *b, struct disk_memory *stick, struct why *why)
{
	struct move_import_options options = {.secret = &secret};
	struct move_import_report report;
	struct bundle_file stream;
	struct file *file;
	int rc = folder_open_file(at(stick), "office.bundle", FOLDER_READ, &file);

	if (rc < 0) {
		return rc;
	}
	bundle_file_init(&stream, file, 0);
	rc = move_import(&stream.in, at(b), &options, &report, why);
	file_close(file);
	if (!rc) {
		free(report.receipt);
		free(report.config);
	}
	return rc;
}

static bool has_bundle(struct disk_memory *stick, bool *ret_whole)
{
	struct bundle_summary summary;
	struct bundle_file stream;
	struct file *file;

	if (folder_open_file(at(stick), "office.bundle", FOLDER_READ, &file) < 0) {
		return false;
	}
	bundle_file_init(&stream, file, 0);
	*ret_whole = move_verify(&stream.in, NULL, &summary, NULL) == 0;
	file_close(file);
	return true;
}

/* What the sender and the stick hold after a cut or an error. */
static void check_sender(struct disk_memory *a, struct disk_memory *stick, struct disk_memory *b,
			 bool receive_too)
{
	bool whole = true, there = has_bundle(stick, &whole);
	struct why why = {""};
	int rc;

	if (!whole) {
		complain("a bundle that is not whole", 0, NULL);
	}
	if (there && owner_check_write(at(a), "office.vhd", NULL) == 0) {
		complain("two owners", 0, NULL);
	}
	if (!reads_right(a)) {
		complain("the sender's disk differs", 0, NULL);
	}
	rc = send(a, stick, &why);
	if (rc < 0) {
		complain("the export does not go on", rc, &why);
		return;
	}
	if (!has_bundle(stick, &whole) || !whole) {
		complain("no whole bundle after all", 0, NULL);
	}
	if (receive_too) {
		struct disk_memory *fresh = disk_memory_fork(b);

		rc = receive(fresh, stick, &why);
		if (rc < 0 || !reads_right(fresh)) {
			complain("it does not arrive", rc, &why);
		}
		disk_memory_destroy(fresh);
	}
}

static void check_receiver(struct disk_memory *b, struct disk_memory *stick)
{
	struct why why = {""};
	struct file *file;
	int rc = vhd_journal_recover(at(b), &why);

	if (rc < 0) {
		complain("the journal", rc, &why);
	}
	rc = folder_open_file(at(b), "office.vhd", FOLDER_READ, &file);
	if (!rc) {
		struct owner owner;

		file_close(file);
		if (!reads_right(b)) {
			complain("the disk is there and differs", 0, NULL);
		}
		if (owner_read(at(b), "office.vhd", &owner, &why) < 0 ||
		    owner.state != OWNER_HERE) {
			complain("the disk is there without its owner's record", 0, &why);
		}
	}
	rc = receive(b, stick, &why);
	if (rc < 0) {
		complain("the import does not go on", rc, &why);
	} else if (!reads_right(b)) {
		complain("it is imported and differs", read_all(b, "office.vhd", read_back), &why);
	}
}

/* The scene that is cut: its disks, as one power supply or two. */
static struct disk_memory *scene_a, *scene_b, *scene_stick;
static bool sending;
static unsigned every, count;

static void cut(struct disk_memory *changed, enum disk_call call)
{
	struct disk_memory *main_disk = sending ? scene_a : scene_b;
	struct disk_cut one = disk_cut_choose(main_disk, &seed);
	struct disk_memory *disk = disk_cut_make(main_disk, &one), *stick;
	struct disk_cut other;
	char text[80];

	(void)changed;
	snprintf(note, sizeof(note), "%s, change %u (call %d), %s", sending ? "export" : "import",
		 count, call, disk_cut_describe(&one, text, sizeof(text)));
	if (sending) {
		other = disk_cut_choose(scene_stick, &seed);
		stick = disk_cut_make(scene_stick, &other);
		check_sender(disk, stick, scene_b, states % 4 == 0);
		disk_memory_destroy(stick);
	} else {
		check_receiver(disk, scene_stick);
	}
	disk_memory_destroy(disk);
	states++;
}

static void on_change(struct disk_memory *disk, enum disk_call call)
{
	if (count++ % every == 0 && states < states_max) {
		cut(disk, call);
	}
}

/* Counts the changes first, to spread the states over them. */
static void power_cuts(bool send_it, struct disk_memory *a, struct disk_memory *b,
		       struct disk_memory *whole_stick, unsigned most)
{
	unsigned before = bad, first = states;

	sending = send_it;
	states_max = states + most;
	every = 1;
	while (states < states_max && bad < 10) {
		struct disk_memory *fork_a = disk_memory_fork(a), *fork_b = disk_memory_fork(b);
		struct disk_memory *stick =
			send_it ? disk_memory_create(true) : disk_memory_fork(whole_stick);
		int rc;

		scene_a = fork_a;
		scene_b = fork_b;
		scene_stick = stick;
		count = 0;
		scene_a->on_change = scene_stick->on_change = send_it ? on_change : NULL;
		scene_b->on_change = send_it ? NULL : on_change;
		rc = send_it ? send(scene_a, scene_stick, NULL)
			     : receive(scene_b, scene_stick, NULL);
		must("the scene", rc);
		disk_memory_destroy(stick);
		disk_memory_destroy(fork_a);
		disk_memory_destroy(fork_b);
	}
	printf("%sok %d - %u power cuts during an %s: old or new, one owner, and it goes on\n",
	       bad == before ? "" : "not ", send_it ? 1 : 2, states - first,
	       send_it ? "export" : "import");
}

static uint64_t calls_of(const struct disk_memory *disk)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < DISK_CALL_COUNT; i++) {
		sum += disk->calls[i];
	}
	return sum;
}

/* The n-th call of one disk fails, once or for ever; then all is well again. */
static bool one_fault(bool send_it, bool on_stick, uint64_t after, bool for_ever, int error,
		      struct disk_memory *a, struct disk_memory *b, struct disk_memory *whole_stick)
{
	struct disk_memory *fork_a = disk_memory_fork(a), *fork_b = disk_memory_fork(b);
	struct disk_memory *stick =
		send_it ? disk_memory_create(false) : disk_memory_fork(whole_stick);
	struct disk_memory *broken = on_stick ? stick : send_it ? fork_a : fork_b;
	bool happened;
	int rc;

	snprintf(note, sizeof(note), "%s, call %llu of %s fails %s", send_it ? "export" : "import",
		 (unsigned long long)after, on_stick ? "the stick" : "the PC",
		 for_ever ? "for ever" : "once");
	broken->fault = (struct disk_fault){
		.calls = error == -ENOSPC ? DISK_CHANGING_CALLS : DISK_ALL_CALLS,
		.after = after,
		.error = error,
		.for_ever = for_ever,
	};
	rc = send_it ? send(fork_a, stick, NULL) : receive(fork_b, stick, NULL);
	happened = broken->fault.happened;
	memset(&broken->fault, 0, sizeof(broken->fault));
	if (!happened && rc < 0) {
		complain("fails without a reason", rc, NULL);
	}
	if (disk_memory_open_count(fork_a) || disk_memory_open_count(fork_b) ||
	    disk_memory_open_count(stick)) {
		complain("files stay open", rc, NULL);
	}
	if (send_it) {
		check_sender(fork_a, stick, b, after % 8 == 0);
	} else {
		check_receiver(fork_b, stick);
	}
	disk_memory_destroy(fork_a);
	disk_memory_destroy(fork_b);
	disk_memory_destroy(stick);
	return happened;
}

static void faults(bool send_it, struct disk_memory *a, struct disk_memory *b,
		   struct disk_memory *whole_stick)
{
	static const int errors[] = {-EIO, -ENOSPC};
	unsigned before = bad, count_here = 0;

	for (unsigned kind = 0; kind < 8 && bad < 10; kind++) {
		bool on_stick = kind & 1;

		for (uint64_t n = kind % stride; bad < 10; n += stride) {
			count_here++;
			if (!one_fault(send_it, on_stick, n, kind & 2, errors[kind >> 2], a, b,
				       whole_stick)) {
				break;
			}
		}
	}
	printf("%sok %d - %u failing calls during an %s: old or new, one owner, and it goes on\n",
	       bad == before ? "" : "not ", send_it ? 3 : 4, count_here,
	       send_it ? "export" : "import");
}

int main(int argc, char **argv)
{
	struct disk_memory *a, *b, *stick = disk_memory_create(true), *sender;
	unsigned most = argc > 2 ? (unsigned)atoi(argv[2]) : 400;
	struct why why = {""};

	seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 4;
	stride = argc > 3 && atoi(argv[3]) > 0 ? (unsigned)atoi(argv[3]) : 1;
	make(&a, &b);
	sender = disk_memory_fork(a);
	must("export", send(sender, stick, &why));
	printf("# an export makes %llu calls\n",
	       (unsigned long long)(calls_of(sender) + calls_of(stick)));
	power_cuts(true, a, b, stick, most);
	power_cuts(false, a, b, stick, most);
	faults(true, a, b, stick);
	faults(false, a, b, stick);
	puts("1..4");
	return bad != 0;
}
