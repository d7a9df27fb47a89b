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

static int compile_load(struct tool *tool, struct load *load, struct compile *compile)
{
	uint32_t layers;
	int ret = load_fill(load, compile, &layers);

	if (!layers) {
		tool_complain(
			tool,
			"no policy is installed here; name its files (explain: --policy FILE)");
		return TOOL_FAILED;
	}
	ret = ret ? ret : compile_sources(compile, 0, layers, PROVE_ALL);
	return tool_judge(tool, ret, compile);
}

static int load_installed(struct tool *tool, struct load *load, struct compile *compile)
{
	char why[LOAD_WHY_SIZE], prefix[16];
	struct places places;
	int folder, ret;

	find_places(tool, &places);
	load->system_path = places.policy;
	load->keys_path = places.keys;
	ret = open_state(tool, places.state, &folder, prefix);
	if (ret == TOOL_OK) {
		ret = load_read(load, folder, prefix[0] ? prefix : NULL, why);
		ret = ret ? ret : load_choose(load, why);
		if (ret) {
			tool_complain(tool, "%s", why);
			ret = TOOL_WRONG;
		}
	}
	if (folder >= 0) {
		close(folder);
	}
	return ret ? ret : compile_load(tool, load, compile);
}

static int load_policy(struct tool *tool, const struct tool_files *given, struct compile *compile)
{
	struct load *load;
	int ret;

	if (given->count) {
		return tool_load(tool, given, compile);
	}
	load = calloc(1, sizeof(*load));
	if (!load) {
		tool_complain(tool, "out of memory");
		return TOOL_FAILED;
	}
	compile->sources.include_dir = -1;
	ret = load_installed(tool, load, compile);
	load_fini(load);
	free(load);
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
	ret = load_policy(tool, given, compile);
	if (ret == TOOL_OK) {
		ret = use(tool, compile);
	}
	compile_fini(compile);
	free(compile);
	return ret;
}
