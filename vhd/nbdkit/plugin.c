/* SPDX-License-Identifier: Apache-2.0 */
/* nbdkit-bulkheadvhd-plugin: a disk for every NBD client. Requests come one at a time; all
 * connections share one open disk, so a flush on one is a flush for all.
 *
 *  Source: nbdkit-plugin(3).
 */
#define NBDKIT_API_VERSION 2

#include <nbdkit-plugin.h>

#include "locked.h"
#include "plugin_disk.h"
#include "plugin_range.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_MODEL NBDKIT_THREAD_MODEL_SERIALIZE_ALL_REQUESTS
/* Extents of one answer at most; the client asks again from where it ends. */
#define EXTENT_MAX 4096u
#define PREFERRED  4096u
#define MAXIMUM	   (32u << 20)

static struct plugin_disk disk;

static int set_path(char **path, const char *value)
{
	free(*path);
	*path = nbdkit_absolute_path(value);
	return *path ? 0 : -1;
}

static int set_flag(bool *flag, const char *value)
{
	int parsed = nbdkit_parse_bool(value);

	*flag = parsed > 0;
	return parsed < 0 ? -1 : 0;
}

static int set_rate(int64_t *rate, const char *value)
{
	*rate = nbdkit_parse_size(value);
	return *rate < 0 ? -1 : 0;
}

static int config(const char *key, const char *value)
{
	const struct {
		const char *key;
		char **path;
		bool *flag;
		int64_t *rate;
	} keys[] = {
		{"file", &disk.file, NULL, NULL},
		{"secret-file", &disk.secret_file, NULL, NULL},
		{"trusted-key", &disk.trusted_key_file, NULL, NULL},
		{"sign-key", &disk.sign_key_file, NULL, NULL},
		{"read-only", NULL, &disk.read_only, NULL},
		{"throw-away", NULL, &disk.throw_away, NULL},
		{"raw", NULL, &disk.raw, NULL},
		{"ciphertext", NULL, &disk.ciphertext, NULL},
		{"pass-discards", NULL, &disk.pass_discards, NULL},
		{"iops", NULL, NULL, &disk.iops},
		{"bandwidth", NULL, NULL, &disk.bandwidth},
	};

	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(key, keys[i].key) == 0) {
			return keys[i].path   ? set_path(keys[i].path, value)
			       : keys[i].flag ? set_flag(keys[i].flag, value)
					      : set_rate(keys[i].rate, value);
		}
	}
	nbdkit_error("there is no parameter %s; see nbdkit --help bulkheadvhd", key);
	return -1;
}

static int config_complete(void)
{
	if (!disk.file) {
		nbdkit_error("name the image: file=PATH");
		return -1;
	}
	return 0;
}

/* Before the fork, where a refusal is still read by who started it, and ends the command that waits
 * for us. */
static int get_ready(void)
{
	struct why why = {""};
	int rc = plugin_disk_open(&disk, &why);

	if (rc < 0) {
		nbdkit_error("%s: %s", disk.file, why.text[0] ? why.text : strerror(-rc));
		return -1;
	}
	return 0;
}

/* The key's memory is not locked in the child. */
static int after_fork(void)
{
	locked_again();
	return 0;
}

static void cleanup(void)
{
	int rc = plugin_disk_close(&disk);

	if (rc < 0) {
		nbdkit_error("%s: closing failed, something written may be lost: %s", disk.file,
			     strerror(-rc));
	}
}

static void unload(void)
{
	free(disk.file);
	free(disk.secret_file);
	free(disk.trusted_key_file);
	free(disk.sign_key_file);
}

static void *open_connection(int readonly)
{
	return &disk;
}

static int64_t get_size(void *handle)
{
	return (int64_t)disk.top->size;
}

static int block_size(void *handle, uint32_t *ret_minimum, uint32_t *ret_preferred,
		      uint32_t *ret_maximum)
{
	*ret_minimum = 1;
	*ret_preferred = disk.top->block_size > PREFERRED ? disk.top->block_size : PREFERRED;
	*ret_maximum = MAXIMUM;
	return 0;
}

static int can_write(void *handle)
{
	return !disk.top->read_only;
}

static int yes(void *handle)
{
	return 1;
}

static int can_fua(void *handle)
{
	return NBDKIT_FUA_NATIVE;
}

/* An error in the words of nbdkit, or the flush that FUA asks for. */
static int answer(int rc, uint32_t flags)
{
	if (!rc && flags & NBDKIT_FLAG_FUA) {
		rc = layer_flush(disk.top);
	}
	if (rc < 0) {
		nbdkit_error("%s", strerror(-rc));
		nbdkit_set_error(-rc);
		return -1;
	}
	return 0;
}

static int pread_disk(void *handle, void *ret_bytes, uint32_t count, uint64_t offset,
		      uint32_t flags)
{
	return answer(plugin_read(disk.top, ret_bytes, count, offset), 0);
}

static int pwrite_disk(void *handle, const void *bytes, uint32_t count, uint64_t offset,
		       uint32_t flags)
{
	return answer(plugin_write(disk.top, bytes, count, offset), flags);
}

/* Encrypted zeros have to be written: that is not faster than writing. */
static int zero_disk(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	if (flags & NBDKIT_FLAG_FAST_ZERO && layer_find(disk.top, "crypt")) {
		nbdkit_set_error(EOPNOTSUPP);
		return -1;
	}
	return answer(plugin_zero(disk.top, count, offset), flags);
}

static int trim_disk(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	return answer(plugin_trim(disk.top, count, offset), flags);
}

static int flush_disk(void *handle, uint32_t flags)
{
	return answer(layer_flush(disk.top), 0);
}

static uint32_t nbd_extent(unsigned extent)
{
	return (extent & LAYER_HOLE ? NBDKIT_EXTENT_HOLE : 0u) |
	       (extent & LAYER_ZERO ? NBDKIT_EXTENT_ZERO : 0u);
}

static int extents(void *handle, uint32_t count, uint64_t offset, uint32_t flags,
		   struct nbdkit_extents *list)
{
	uint64_t end = offset + count;

	offset -= offset % LAYER_SECTOR;
	for (unsigned i = 0; i < EXTENT_MAX && offset < end; i++) {
		uint64_t size;
		unsigned extent;
		int rc = layer_extent(disk.top, offset, &size, &extent);

		if (rc < 0) {
			return answer(rc, 0);
		}
		if (nbdkit_add_extent(list, offset, size, nbd_extent(extent)) < 0) {
			return -1;
		}
		if (flags & NBDKIT_FLAG_REQ_ONE) {
			break;
		}
		offset += size;
	}
	return 0;
}

static struct nbdkit_plugin plugin = {
	.name = "bulkheadvhd",
	.longname = "Bulkhead VHD",
	.description = "Serves a VHD, LUKS2 inside and parents included.",
	.config = config,
	.config_complete = config_complete,
	.config_help = "file=PATH           the image (required)\n"
		       "secret-file=PATH    its passphrase, when it is encrypted\n"
		       "read-only=true      refuse writes\n"
		       "throw-away=true     keep writes in memory, forget them\n"
		       "raw=true            no VHD: the file's bytes are the disk\n"
		       "ciphertext=true     do not decrypt\n"
		       "pass-discards=true  of an encrypted disk, too\n"
		       "iops=N bandwidth=N  limits a second\n"
		       "trusted-key=FILE    refuse a manifest that this key did not sign\n"
		       "sign-key=FILE       sign the manifest when the disk was written",
	.magic_config_key = "file",
	.get_ready = get_ready,
	.after_fork = after_fork,
	.cleanup = cleanup,
	.unload = unload,
	.open = open_connection,
	.get_size = get_size,
	.block_size = block_size,
	.can_write = can_write,
	.can_flush = yes,
	.can_trim = yes,
	.can_zero = yes,
	.can_fast_zero = yes,
	.can_extents = yes,
	.can_multi_conn = yes,
	.can_fua = can_fua,
	.pread = pread_disk,
	.pwrite = pwrite_disk,
	.zero = zero_disk,
	.trim = trim_disk,
	.flush = flush_disk,
	.extents = extents,
	.errno_is_preserved = 0,
};

NBDKIT_REGISTER_PLUGIN(plugin)
