/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the way to the policy that a machine follows: the layers that came with it, and in their
 * place the signed ones that were applied, chosen by the same code that the daemon has chosen them
 * with.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "prove.h"
#include "tool.h"

#define POLICY_DIR "/etc/bulkhead/policy"
#define KEYS_DIR   "/etc/bulkhead/keys"
#define STATE_DIR  "/var/lib/bulkhead"

struct places {
	char policy[PATH_MAX], keys[PATH_MAX], state[PATH_MAX];
};

static void find_places(const struct tool *tool, struct places *places)
{
	const char *root = tool->root ? tool->root : "";

	snprintf(places->policy, PATH_MAX, "%s%s", root, POLICY_DIR);
	snprintf(places->keys, PATH_MAX, "%s%s", root, KEYS_DIR);
	snprintf(places->state, PATH_MAX, "%s%s", root, STATE_DIR);
}

/* The generation that the daemon follows, one on trial before the one that stays; 0: none was ever
 * applied. */
static int read_generation(int folder, uint32_t *ret_generation)
{
	int fd = openat(folder, "state", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	uint32_t current, trial;
	char text[256];
	ssize_t size;

	if (fd < 0) {
		return -errno;
	}
	size = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (size < 0) {
		return -EIO;
	}
	text[size] = '\0';
	if (sscanf(text, "bulkhead-policy-state 1\ncurrent %" SCNu32 "\ntrial %" SCNu32, &current,
		   &trial) != 2) {
		return -EBADMSG;
	}
	*ret_generation = trial ? trial : current;
	return 0;
}

/* Opens the folder of applied sets; prefix stays empty when there are none. */
static int open_state(struct tool *tool, const char *path, int *ret_folder, char prefix[16])
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint32_t generation = 0;
	int ret = folder < 0 ? -errno : read_generation(folder, &generation);

	*ret_folder = folder;
	prefix[0] = '\0';
	if (ret == -ENOENT) {
		return TOOL_OK;
	}
	if (ret == -EACCES) {
		tool_complain(tool, "%s is root's to read; be root, or name the layers", path);
		return TOOL_FAILED;
	}
	if (ret) {
		tool_complain(tool, "%s: %s", path, strerror(-ret));
		return TOOL_FAILED;
	}
	if (generation) {
		snprintf(prefix, 16, "g%" PRIu32, generation);
	}
	return TOOL_OK;
}

/* The layers in force: applied sets, whose user layers before that one are left out, and what came
 * with the system. 0, 1: the text is wrong, see the diags, or -errno and why. */
static int load_layers(const struct places *places, int folder, const char *prefix,
		       uint32_t no_user_before, struct compile *compile, char why[LOAD_WHY_SIZE])
{
	struct load *load = calloc(1, sizeof(*load));
	uint32_t layers = 0;
	int ret;

	compile->sources.include_dir = -1;
	if (!load) {
		snprintf(why, LOAD_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	load->system_path = places->policy;
	load->keys_path = places->keys;
	load->no_user_before = no_user_before;
	ret = load_read(load, folder, prefix[0] ? prefix : NULL, why);
	ret = ret ? ret : load_choose(load, why);
	if (ret == 0) {
		ret = load_fill(load, compile, &layers);
		if (layers == 0) {
			snprintf(why, LOAD_WHY_SIZE,
				 "no policy is installed here; name its files (explain: --policy "
				 "FILE)");
			ret = -ENODATA;
		} else {
			ret = ret || compile_sources(compile, 0, layers, PROVE_ALL);
		}
	}
	load_fini(load);
	free(load);
	return ret;
}

static void forget(struct compile *compile)
{
	compile_fini(compile);
	memset(compile, 0, sizeof(*compile));
}

/* As the daemon starts: where a user layer that was applied does not hold any more, the others
 * count without it. */
static int load_stored(struct tool *tool, const struct places *places, int folder,
		       const char *prefix, struct compile *compile)
{
	char why[LOAD_WHY_SIZE] = "", other[LOAD_WHY_SIZE];
	int ret = load_layers(places, folder, prefix, 0, compile, why);

	if (ret && prefix[0]) {
		forget(compile);
		if (load_layers(places, folder, prefix, LOAD_NO_SET, compile, other) == 0) {
			tool_complain(tool,
				      "the user layer does not hold any more and is left out%s%s",
				      ret < 0 ? ": " : "", ret < 0 ? why : "");
			return tool_judge(tool, 0, compile);
		}
		forget(compile);
		ret = load_layers(places, folder, prefix, 0, compile, why);
	}
	if (ret < 0) {
		tool_complain(tool, "%s", why);
		return ret == -ENODATA ? TOOL_FAILED : TOOL_WRONG;
	}
	return tool_judge(tool, ret, compile);
}

static int load_installed(struct tool *tool, struct compile *compile)
{
	struct places places;
	char prefix[16];
	int folder, ret;

	find_places(tool, &places);
	ret = open_state(tool, places.state, &folder, prefix);
	if (ret == TOOL_OK) {
		ret = load_stored(tool, &places, folder, prefix, compile);
	}
	if (folder >= 0) {
		close(folder);
	}
	return ret;
}

int tool_use_policy(struct tool *tool, const struct tool_files *given,
		    int (*use)(struct tool *tool, struct compile *compile))
{
	struct compile *compile = calloc(1, sizeof(*compile));
	int ret;

	if (!compile) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	ret = given->count ? tool_load(tool, given, compile) : load_installed(tool, compile);
	if (ret == TOOL_OK) {
		ret = use(tool, compile);
	}
	compile_fini(compile);
	free(compile);
	return ret;
}
