/* SPDX-License-Identifier: Apache-2.0 */
/** Reads a bundle: first what it says in the clear, to tell whether the desktop will run on this PC
 * and what is missing; then, with the secret, its sectors into new images.
 *
 *  Nothing that is there already is written. The sectors go to NAME.incoming, a differencing image
 * over the base, each frame verified before it is applied; at the end it becomes NAME.eN.vhd (the
 * state of epoch N), a new empty child over it becomes NAME.vhd, and the owner's record says so. An
 * import that was cut off goes on with the same bundle where it was; once done, it does nothing.
 */
#ifndef VHD_MOVE_IMPORT_H
#define VHD_MOVE_IMPORT_H

#include "bundle.h"
#include "cpu_baseline.h"
#include "folder.h"
#include "luks.h"
#include "progress.h"

#define MOVE_MISSING_MAX 12u

enum move_missing_kind {
	MOVE_MISSING_CPU, /* guest programs may stop with an illegal instruction */
	MOVE_MISSING_SPACE,
	MOVE_MISSING_BASE,   /* not in the folder */
	MOVE_WRONG_BASE,     /* there, with other contents */
	MOVE_MISSING_ENGINE, /* a newer version wrote it */
	MOVE_OLD_EPOCH,	     /* a replay: this state or a later one was here already */
	MOVE_MISSING_ROLE,   /* not allowed here */
	MOVE_MISSING_RAM,
	MOVE_MISSING_FIRMWARE,
	MOVE_NAME_TAKEN, /* another disk has the name */
	MOVE_UNTRUSTED,	 /* no signature of the trusted key */
};

struct move_missing {
	enum move_missing_kind kind;
	bool fatal; /* move_import() refuses; else a warning */
	char text[256];
};

/** What is known of the PC. */
struct move_host {
	struct cpu_baseline cpu;
	uint64_t free_space;	      /* bytes on the drive of the folder */
	uint64_t ram;		      /* bytes that a guest may get; 0: do not check */
	const char *const *roles;     /* allowed, NULL-terminated; NULL: all */
	const char *const *firmwares; /* NULL: all */
};

/** Fills in CPU, free space (at `path`, NULL: unlimited) and RAM of this PC. */
void move_host_get(struct move_host *ret_host, const char *path);

struct move_check {
	struct bundle_summary summary;
	uint8_t bundle_id[BUNDLE_ID_SIZE];
	bool is_signed; /* signature there and right by the key given, or not judged without one */
	bool needs_disk_secret; /* else a passphrase of the bundle */
	struct move_missing missing[MOVE_MISSING_MAX];
	unsigned missing_count;
	bool runs_here;	      /* nothing is missing */
	char name[256];	      /* that the disk has, or will have, here */
	bool is_here;	      /* imported already: nothing is left to do */
	char base[256];	      /* name of the base in the folder, "" none */
	uint64_t frames_here; /* applied by an earlier attempt */
};

/** Reads the front of the bundle only. host NULL: CPU and RAM of this PC, no limit of space.
 * trusted_key (PEM text): signatures must be of it. Returns 0 also when something is missing;
 * -EINVAL no bundle; -EBADMSG damaged; -errno. */
VHD_MUST_CHECK int move_check(struct bundle_in *in, struct folder *folder,
			      const struct move_host *host, const char *trusted_key,
			      struct move_check *ret_check, struct why *why);

/** The check as a JSON object; the caller frees. NULL: no memory. */
char *move_check_to_json(const struct move_check *check);

struct move_import_options {
	const struct luks_secret *secret;
	const char *name; /* of the disk here; NULL: as the sender calls it */
	const struct move_host *host;
	const char *trusted_key; /* PEM text, NULL: any or none */
	const char *sign_key;	 /* PEM text, signs the receipt; NULL: unsigned */
	bool despite_warnings;	 /* import with non-fatal things missing; fatal ones always stop */
	const struct progress *progress;
};

struct move_import_report {
	struct move_check check;
	uint64_t read; /* bytes of the bundle */
	uint64_t frames, frames_kept;
	bool was_done;	 /* the bundle had been imported before */
	char image[256]; /* the disk's name here */
	char state[256]; /* the image that holds what came */
	char *receipt;	 /* text to give to the sender; the caller frees */
	char *config;	 /* the partition's configuration, NULL: none; the caller frees */
};

/** Checks, verifies and applies a bundle. `in` is at its start. Returns 0; -EBADMSG damaged, cut
 * off or tampered with (nothing of the damaged frame was applied, NAME is as before); -ENOKEY;
 * -EPERM the secret does not open it; -ESTALE an old epoch or a wrong base; -EHOSTDOWN something
 * fatal is missing, `why` has the first; -ENOSPC; -ECANCELED; -errno. */
VHD_MUST_CHECK int move_import(struct bundle_in *in, struct folder *folder,
			       const struct move_import_options *options,
			       struct move_import_report *ret_report, struct why *why);

/** How far an import of `name` came that was cut off: for move_export_options.have_*. -ENOENT:
 * nothing is under way. */
VHD_MUST_CHECK int move_import_have(struct folder *folder, const char *name,
				    uint8_t ret_id[BUNDLE_ID_SIZE], uint64_t *ret_frames,
				    uint8_t ret_chain[BUNDLE_HASH_SIZE]);

/** Removes what an import that will not be finished left. */
VHD_MUST_CHECK int move_import_forget(struct folder *folder, const char *name, struct why *why);

/** Reads a whole bundle without any secret and checks every hash in it: is the stick good? */
VHD_MUST_CHECK int move_verify(struct bundle_in *in, const struct progress *progress,
			       struct bundle_summary *ret_summary, struct why *why);

#endif
