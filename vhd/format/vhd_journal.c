/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the journal file of a folder: its bytes, its lock, and carrying out its steps.
 *
 *  Sector 0 is the head: which of two lists holds. The lists follow and are durable before the head
 * is. All numbers big-endian. Renames of one kind are flushed before the next kind starts, because
 * a power cut may keep any of them and drop the others. */
#define _GNU_SOURCE

#include "vhd_journal.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_SIZE 512u
#define VERSION	  1u

enum state {
	STATE_UNDO = 1,
	STATE_REDO = 2,
	STATE_DONE = 3,
};

static const char magic[8] = "BHVHDJNL";

struct head {
	char magic[8];
	uint32_t version;
	uint32_t state;
	uint32_t undo_count;
	uint32_t redo_count;
	uint32_t size;	    /* of the lists, bytes */
	uint32_t lists_crc; /* of the lists */
	uint8_t rest[HEAD_SIZE - 36];
	uint32_t crc; /* of all before it */
};

_Static_assert(sizeof(struct head) == HEAD_SIZE, "the head is one sector");

struct vhd_journal {
	struct folder *folder;
	struct file *file;
	struct vhd_journal_step *undo, *redo; /* point into `lists` */
	unsigned undo_count, redo_count;
	uint8_t *lists;
	size_t size;
	bool is_cut_off; /* found, not begun here: nobody holds the locks of its files */
};

static uint32_t crc_of(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;
	uint32_t crc = UINT32_MAX;

	while (size--) {
		crc ^= *at++;
		for (unsigned bit = 0; bit < 8; bit++) {
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
		}
	}
	return ~crc;
}

/* Lists in bytes: per step its kind, three names with their NUL, offset, size, bytes. */

struct out {
	uint8_t *bytes;
	size_t size;
	bool too_long;
};

static void put(struct out *out, const void *bytes, size_t size)
{
	if (size > VHD_JOURNAL_SIZE_MAX - out->size) {
		out->too_long = true;
		return;
	}
	memcpy(out->bytes + out->size, bytes, size);
	out->size += size;
}

static void put_name(struct out *out, const char *name)
{
	put(out, name ? name : "", name ? strlen(name) + 1 : 1);
}

static void put_step(struct out *out, const struct vhd_journal_step *step)
{
	uint8_t kind = (uint8_t)step->kind;
	uint64_t offset = htobe64(step->offset);
	uint32_t size = htobe32((uint32_t)step->size);

	if (step->size > VHD_JOURNAL_SIZE_MAX) {
		out->too_long = true;
		return;
	}
	put(out, &kind, 1);
	put_name(out, step->name);
	put_name(out, step->to);
	put_name(out, step->from);
	put(out, &offset, sizeof(offset));
	put(out, &size, sizeof(size));
	if (step->size) {
		put(out, step->bytes, step->size);
	}
}

struct in {
	const uint8_t *bytes;
	size_t size, at;
};

static bool get(struct in *in, void *ret_bytes, size_t size)
{
	if (size > in->size - in->at) {
		return false;
	}
	memcpy(ret_bytes, in->bytes + in->at, size);
	in->at += size;
	return true;
}

/* A name must be plain; "" is one that the step does not have. */
static bool get_name(struct in *in, const char **ret_name)
{
	const char *name = (const char *)in->bytes + in->at;
	size_t size = strnlen(name, in->size - in->at);

	if (size == in->size - in->at || (size && !folder_is_name(name))) {
		return false;
	}
	in->at += size + 1;
	*ret_name = size ? name : NULL;
	return true;
}

static bool has_its_names(const struct vhd_journal_step *step)
{
	switch (step->kind) {
	case VHD_JOURNAL_REMOVE:
	case VHD_JOURNAL_WRITE:
		return step->name;
	case VHD_JOURNAL_BACK:
	case VHD_JOURNAL_REPLACE:
		return step->name && step->to;
	case VHD_JOURNAL_SWAP:
		return step->name && step->to && step->from;
	}
	return false;
}

static bool get_step(struct in *in, struct vhd_journal_step *ret_step)
{
	struct vhd_journal_step step = {0};
	uint8_t kind;
	uint64_t offset;
	uint32_t size;

	if (!get(in, &kind, 1) || !get_name(in, &step.name) || !get_name(in, &step.to) ||
	    !get_name(in, &step.from) || !get(in, &offset, sizeof(offset)) ||
	    !get(in, &size, sizeof(size)) || be32toh(size) > in->size - in->at) {
		return false;
	}
	step.kind = (enum vhd_journal_kind)kind;
	step.offset = be64toh(offset);
	step.size = be32toh(size);
	step.bytes = in->bytes + in->at;
	in->at += step.size;
	*ret_step = step;
	return has_its_names(&step) && step.offset <= INT64_MAX - VHD_JOURNAL_SIZE_MAX;
}

/* Fills the journal's step arrays from its lists. */
static int decode_lists(struct vhd_journal *journal)
{
	struct in in = {.bytes = journal->lists, .size = journal->size};
	unsigned total = journal->undo_count + journal->redo_count;

	journal->undo = calloc(total ? total : 1, sizeof(*journal->undo));
	if (!journal->undo) {
		return -ENOMEM;
	}
	journal->redo = journal->undo + journal->undo_count;
	for (unsigned i = 0; i < total; i++) {
		if (!get_step(&in, &journal->undo[i])) {
			return -EBADMSG;
		}
	}
	return in.at == in.size ? 0 : -EBADMSG;
}

static int write_head(struct vhd_journal *journal, enum state state)
{
	struct head head = {
		.version = htobe32(VERSION),
		.state = htobe32(state),
		.undo_count = htobe32(journal->undo_count),
		.redo_count = htobe32(journal->redo_count),
		.size = htobe32((uint32_t)journal->size),
		.lists_crc = htobe32(crc_of(journal->lists, journal->size)),
	};

	memcpy(head.magic, magic, sizeof(magic));
	head.crc = htobe32(crc_of(&head, offsetof(struct head, crc)));
	return file_write(journal->file, &head, sizeof(head), 0);
}

static void journal_free(struct vhd_journal *journal)
{
	file_close(journal->file);
	free(journal->undo);
	free(journal->lists);
	free(journal);
}

/* Steps. */

static int rename_if_there(struct folder *folder, const char *from, const char *to)
{
	return folder_is_there(folder, from) ? folder_rename(folder, from, to) : 0;
}

static int write_bytes(struct vhd_journal *journal, const struct vhd_journal_step *step)
{
	struct file *file;
	int rc = folder_open_file(journal->folder, step->name, FOLDER_WRITE, &file);

	if (rc < 0) {
		return rc;
	}
	rc = journal->is_cut_off ? file_lock(file, true) : 0;
	rc = rc ? rc : file_write(file, step->bytes, step->size, step->offset);
	rc = rc ? rc : file_flush(file);
	file_close(file);
	return rc;
}

static int remove_if_there(struct folder *folder, const char *name)
{
	int rc = folder_remove(folder, name);

	return rc == -ENOENT ? 0 : rc;
}

static int do_undo(struct folder *folder, const struct vhd_journal_step *step)
{
	int rc = 0;

	if (step->kind == VHD_JOURNAL_REMOVE) {
		rc = remove_if_there(folder, step->name);
	} else if (step->kind == VHD_JOURNAL_BACK && !folder_is_there(folder, step->to)) {
		rc = rename_if_there(folder, step->name, step->to);
	}
	return rc;
}

/* The way forward in three passes with a flush of the folder between them: names are freed, names
 * are taken, bytes are written. */
static int do_redo(struct vhd_journal *journal, const struct vhd_journal_step *step, unsigned pass)
{
	struct folder *folder = journal->folder;

	if (pass == 0 && step->kind == VHD_JOURNAL_SWAP && folder_is_there(folder, step->from)) {
		return rename_if_there(folder, step->name, step->to);
	}
	if (pass == 1 && step->kind == VHD_JOURNAL_SWAP) {
		return rename_if_there(folder, step->from, step->name);
	}
	if (pass == 1 && step->kind == VHD_JOURNAL_REPLACE) {
		return rename_if_there(folder, step->name, step->to);
	}
	if (pass == 2 && step->kind == VHD_JOURNAL_REMOVE) {
		return remove_if_there(folder, step->name);
	}
	if (pass == 2 && step->kind == VHD_JOURNAL_WRITE) {
		return write_bytes(journal, step);
	}
	return 0;
}

/* Marks the journal as done before it goes: who opened it just now must not find anything to do. */
static int finish(struct vhd_journal *journal)
{
	int rc = write_head(journal, STATE_DONE);

	rc = rc ? rc : folder_remove(journal->folder, VHD_JOURNAL_NAME);
	return rc ? rc : folder_flush(journal->folder);
}

static int run_undo(struct vhd_journal *journal)
{
	int rc = 0;

	for (unsigned i = 0; !rc && i < journal->undo_count; i++) {
		rc = do_undo(journal->folder, &journal->undo[i]);
	}
	rc = rc ? rc : folder_flush(journal->folder);
	return rc ? rc : finish(journal);
}

static int run_redo(struct vhd_journal *journal)
{
	int rc = 0;

	for (unsigned pass = 0; !rc && pass < 3; pass++) {
		for (unsigned i = 0; !rc && i < journal->redo_count; i++) {
			rc = do_redo(journal, &journal->redo[i], pass);
		}
		rc = rc ? rc : folder_flush(journal->folder);
	}
	return rc ? rc : finish(journal);
}

/* The operation itself. */

static int encode_lists(struct vhd_journal *journal, const struct vhd_journal_step *undo,
			const struct vhd_journal_step *redo)
{
	struct out out = {.bytes = malloc(VHD_JOURNAL_SIZE_MAX)};

	journal->lists = out.bytes;
	if (!out.bytes) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < journal->undo_count; i++) {
		put_step(&out, &undo[i]);
	}
	for (unsigned i = 0; i < journal->redo_count; i++) {
		put_step(&out, &redo[i]);
	}
	journal->size = out.size;
	return out.too_long ? -E2BIG : decode_lists(journal);
}

static int start_file(struct vhd_journal *journal)
{
	int rc = folder_open_file(journal->folder, VHD_JOURNAL_NAME, FOLDER_CREATE, &journal->file);

	if (rc < 0) {
		return rc == -EEXIST ? -EAGAIN : rc;
	}
	rc = file_lock(journal->file, true);
	rc = rc ? rc : file_write(journal->file, journal->lists, journal->size, HEAD_SIZE);
	rc = rc ? rc : file_flush(journal->file);
	rc = rc ? rc : write_head(journal, STATE_UNDO);
	rc = rc ? rc : file_flush(journal->file);
	rc = rc ? rc : folder_flush(journal->folder);
	if (rc < 0) {
		(void)!folder_remove(journal->folder, VHD_JOURNAL_NAME);
	}
	return rc;
}

int vhd_journal_begin(struct folder *folder, const struct vhd_journal_step *undo,
		      unsigned undo_count, const struct vhd_journal_step *redo, unsigned redo_count,
		      struct vhd_journal **ret_journal, struct why *why)
{
	struct vhd_journal *journal;
	int rc = vhd_journal_recover(folder, why);

	if (rc < 0) {
		return rc;
	}
	if (undo_count > VHD_JOURNAL_STEP_MAX || redo_count > VHD_JOURNAL_STEP_MAX) {
		return why_set(why, -E2BIG, "too many disks at once; take fewer");
	}
	journal = calloc(1, sizeof(*journal));
	if (!journal) {
		return -ENOMEM;
	}
	journal->folder = folder;
	journal->undo_count = undo_count;
	journal->redo_count = redo_count;
	rc = encode_lists(journal, undo, redo);
	rc = rc ? rc : start_file(journal);
	if (rc < 0) {
		journal_free(journal);
		return why_set(why, rc, "the journal %s cannot be made: %s", VHD_JOURNAL_NAME,
			       strerror(-rc));
	}
	*ret_journal = journal;
	return 0;
}

int vhd_journal_decide(struct vhd_journal *journal, struct why *why)
{
	int rc = write_head(journal, STATE_REDO);

	rc = rc ? rc : file_flush(journal->file);
	if (rc < 0) {
		/* Nobody knows now what the medium holds. Undo only when it says so for sure. */
		int back = write_head(journal, STATE_UNDO);

		back = back ? back : file_flush(journal->file);
		back = back ? back : run_undo(journal);
		why_set(why, rc,
			back ? "%s could not be written (%s); the next one who opens a "
			       "disk of this folder ends the operation or undoes it"
			     : "%s could not be written (%s); nothing was changed",
			VHD_JOURNAL_NAME, strerror(-rc));
		journal_free(journal);
		return rc;
	}
	rc = run_redo(journal);
	if (rc < 0) {
		why_set(why, rc,
			"the operation is decided, but was stopped by an error (%s); the next one "
			"who opens a disk of this folder ends it",
			strerror(-rc));
	}
	journal_free(journal);
	return rc;
}

void vhd_journal_abort(struct vhd_journal *journal)
{
	(void)!run_undo(journal); /* what fails now is done by the next one */
	journal_free(journal);
}

/* Recovery. */

static bool is_zero(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	while (size && !*at) {
		at++;
		size--;
	}
	return size == 0;
}

/* Returns 0 and the state; STATE_DONE for a journal that never came to be one. */
static int load(struct vhd_journal *journal, enum state *ret_state)
{
	struct head head;
	uint32_t state, size;
	int rc = file_read(journal->file, &head, sizeof(head), 0);

	if (rc < 0) {
		return rc;
	}
	if (is_zero(&head, sizeof(head))) {
		*ret_state = STATE_DONE;
		return 0;
	}
	state = be32toh(head.state);
	size = be32toh(head.size);
	journal->undo_count = be32toh(head.undo_count);
	journal->redo_count = be32toh(head.redo_count);
	if (memcmp(head.magic, magic, sizeof(magic)) != 0 || be32toh(head.version) != VERSION ||
	    be32toh(head.crc) != crc_of(&head, offsetof(struct head, crc)) || state < STATE_UNDO ||
	    state > STATE_DONE || size > VHD_JOURNAL_SIZE_MAX ||
	    journal->undo_count > VHD_JOURNAL_STEP_MAX ||
	    journal->redo_count > VHD_JOURNAL_STEP_MAX) {
		return -EBADMSG;
	}
	journal->size = size;
	journal->lists = malloc(size ? size : 1);
	if (!journal->lists) {
		return -ENOMEM;
	}
	rc = file_read(journal->file, journal->lists, size, HEAD_SIZE);
	if (!rc && be32toh(head.lists_crc) != crc_of(journal->lists, size)) {
		rc = -EBADMSG;
	}
	*ret_state = (enum state)state;
	return rc ? rc : decode_lists(journal);
}

static int recover(struct vhd_journal *journal)
{
	enum state state = STATE_DONE;
	int rc = file_lock(journal->file, true);

	rc = rc ? rc : load(journal, &state);
	if (rc < 0) {
		return rc;
	}
	if (state == STATE_UNDO) {
		return run_undo(journal);
	}
	if (state == STATE_REDO) {
		return run_redo(journal);
	}
	rc = remove_if_there(journal->folder, VHD_JOURNAL_NAME);
	return rc ? rc : folder_flush(journal->folder);
}

int vhd_journal_recover(struct folder *folder, struct why *why)
{
	struct vhd_journal *journal;
	struct file *file;
	int rc = folder_open_file(folder, VHD_JOURNAL_NAME, FOLDER_WRITE, &file);

	if (rc == -ENOENT) {
		return 0;
	}
	if (rc < 0) {
		return why_set(
			why, rc,
			"%s tells of an operation that was cut off, and cannot be opened for "
			"writing (%s); make the folder writable once",
			VHD_JOURNAL_NAME, strerror(-rc));
	}
	journal = calloc(1, sizeof(*journal));
	if (!journal) {
		file_close(file);
		return -ENOMEM;
	}
	journal->folder = folder;
	journal->file = file;
	journal->is_cut_off = true;
	rc = recover(journal);
	journal_free(journal);
	if (rc == -EAGAIN) {
		return why_set(why, rc,
			       "an operation on disks of this folder is under way; wait "
			       "until it has ended");
	}
	if (rc == -EBADMSG) {
		return why_set(why, rc,
			       "%s is damaged; look which disks exist twice, then remove it",
			       VHD_JOURNAL_NAME);
	}
	if (rc < 0) {
		return why_set(why, rc, "an operation that was cut off could not be ended: %s",
			       strerror(-rc));
	}
	return 0;
}
