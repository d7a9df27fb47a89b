/* SPDX-License-Identifier: Apache-2.0 */
/** Disks as verbs open them: by a path, with the secret asked for when one is needed. */
#ifndef VHD_TOOL_DISK_H
#define VHD_TOOL_DISK_H

#include "recovery_key.h"
#include "stack.h"
#include "tool.h"
#include "tool_secret.h"

struct tool_disk {
	struct folder *folder;
	const char *name;	   /* in the folder; points into the path */
	struct layer *top;	   /* NULL: not opened */
	struct tool_secret secret; /* that opened it; size 0: none was needed */
};

/** Opens the folder of an image and ends what a power cut left half done there. Reports what goes
 * wrong; returns an exit code. */
int tool_disk_find(struct tool *tool, const char *path, struct tool_disk *ret_disk);

/** tool_disk_find() for several images that will be changed: they must lie in one folder and be
 * this PC's; ret_names get their names. */
int tool_disk_find_set(struct tool *tool, char **paths, unsigned count, struct tool_disk *ret_disk,
		       const char **ret_names);

/** Whether this PC may change the image: not when it has moved away. When it is sealed, says that
 * the manifest will not fit any more. Exit code. */
int tool_disk_may_change(struct tool *tool, const struct tool_disk *disk, const char *name);

/** Opens the stack of a disk that was found; asks for the secret when it is encrypted, three times
 * on a terminal. Reports what goes wrong; returns an exit code. */
int tool_disk_open(struct tool *tool, struct tool_disk *disk, const struct stack_options *options);

/** Finds and opens. */
int tool_disk_open_path(struct tool *tool, const char *path, const struct stack_options *options,
			struct tool_disk *ret_disk);

/** A secret as the engine takes it; a recovery key that was typed in another way (small letters, no
 * dashes) becomes the text that was printed, in `room`, which lives as long as the result. */
struct luks_secret tool_disk_secret(const struct tool_secret *secret, char room[RECOVERY_KEY_TEXT]);

/** The secret of a disk that was found, opened or not: from --token-helper, or as tool_secret_get().
 */
VHD_MUST_CHECK int tool_disk_get_secret(struct tool *tool, const struct tool_disk *disk,
					const char *prompt, struct tool_secret *ret_secret);

/** Puts a fresh LUKS2 header at the start of a new image. weak: for tests. Returns 0 or -errno. */
VHD_MUST_CHECK int tool_luks_format(struct tool *tool, struct folder *folder, const char *name,
				    const struct luks_secret *secret, bool weak);

/** Closes what is open; reports an error of closing when `code` is TOOL_OK. Returns the code. */
int tool_disk_close(struct tool *tool, struct tool_disk *disk, int code);

#endif
