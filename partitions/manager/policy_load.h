/* SPDX-License-Identifier: Apache-2.0 */
/** Runs bulkhead-policy-load, which verifies and compiles a generation, and takes what it made. One
 * run at a time. */
#ifndef MANAGER_POLICY_LOAD_H
#define MANAGER_POLICY_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/lang/text.h"
#include "policy/table/table.h"

#define POLICY_LOAD_TEXT_MAX 16384u
#define POLICY_NO_SET	     UINT32_MAX

/** A table and its bytes. */
struct policy_held {
	void *bytes; /* NULL: holds nothing */
	struct table table;
	struct {
		bool there;
		uint64_t version;
		uint32_t set; /* of the generation; POLICY_NO_SET: came with the system */
	} layer[TEXT_LAYERS];
};

struct policy_load_paths {
	const char *program_dir, *system_path, *keys_path, *seen_path, *modules_path;
	int folder_fd;
	bool confine;
};

/** Called once, from the event loop. held NULL: refused, and text says why; else it is the
 * callee's. text has what the compiler said. */
typedef void policy_load_done(void *data, struct policy_held *held, const char *text);

/** Which sets of a generation count. Zeros and POLICY_NO_SET: all. */
struct policy_load_sets {
	uint32_t user_from; /* those from this one on are refused unless they are the user layer */
	uint32_t no_user_before; /* user layers before this one are left out */
};

/** Returns 0, -EBUSY while another run goes on, or -errno. The paths must stay. */
int policy_load_start(const struct policy_load_paths *paths, uint32_t generation,
		      const struct policy_load_sets *sets, policy_load_done *done, void *data);
/** The versions of this generation count as seen from now on, but those of user layers before that
 * set. No answer; a failure is said. */
void policy_load_record(const struct policy_load_paths *paths, uint32_t generation,
			uint32_t no_user_before);
bool policy_load_busy(void);
void policy_held_fini(struct policy_held *held);

#endif
