/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted disks for crypt.test: cryptdisk VERB FILE SECRET [ARGUMENT]... on a raw file. Prints
 * what was asked for; on a refusal the reason, and exits with the error number. */
#define _GNU_SOURCE

#include "encryption_check.h"
#include "keyslot.h"
#include "layer_crypt.h"
#include "layer_raw.h"
#include "recovery_key.h"
#include "token_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct why why;
static struct layer *payload;
static struct luks_secret secret;
static uint8_t key[XTS_KEY_SIZE];
static struct luks_segment segment;

static int do_format(char **arguments)
{
	struct luks_format format = {.secret = secret, .fast_for_tests = true};

	return luks_format(payload, &format, &why);
}

/* key: prints the key in hexadecimal */
static int do_key(char **arguments)
{
	int rc = luks_unlock(payload, &secret, key, &segment, &why);

	for (unsigned i = 0; !rc && i < sizeof(key); i++) {
		printf("%02x", key[i]);
	}
	puts("");
	return rc;
}

static int open_crypt(struct layer **ret_crypt)
{
	int rc = luks_unlock(payload, &secret, key, &segment, &why);

	return rc ? rc : layer_crypt_open(payload, &segment, key, NULL, false, ret_crypt);
}

/* read: the plain disk on standard output; write: from standard input */
static int do_move(bool write)
{
	static uint8_t bytes[1 << 20];
	struct layer *crypt;
	int rc = open_crypt(&crypt);

	if (rc) {
		return rc;
	}
	for (uint64_t at = 0; !rc && at < crypt->size;) {
		size_t n = crypt->size - at < sizeof(bytes) ? (size_t)(crypt->size - at)
							    : sizeof(bytes);

		if (write) {
			n = fread(bytes, 1, n, stdin);
			if (!n) {
				break;
			}
			rc = layer_write(crypt, bytes, n, at);
		} else {
			rc = layer_read(crypt, bytes, n, at);
			rc = rc ? rc : fwrite(bytes, 1, n, stdout) == n ? 0 : -EIO;
		}
		at += n;
	}
	rc = rc ? rc : layer_flush(crypt);
	(void)crypt->ops->close(crypt);
	return rc;
}

static int do_read(char **arguments)
{
	return do_move(false);
}

static int do_write(char **arguments)
{
	return do_move(true);
}

/* add NEW KIND [TOKEN] */
static int do_add(char **arguments)
{
	struct keyslot_add add = {.secret = secret,
				  .bytes = arguments[0],
				  .size = strlen(arguments[0]),
				  .slot = -1,
				  .kind = (enum luks_slot_kind)atoi(arguments[1]),
				  .token = arguments[2],
				  .fast_for_tests = true};
	int slot = -1, rc = keyslot_add(payload, &add, &slot, &why);

	printf("%d\n", slot);
	return rc;
}

static int do_remove(char **arguments)
{
	return keyslot_remove(payload, atoi(arguments[0]), false, &why);
}

static int do_list(char **arguments)
{
	struct keyslot slots[LUKS_POLICY_SLOTS];
	unsigned count = 0;
	int rc = keyslot_list(payload, slots, &count, &why);

	for (unsigned i = 0; !rc && i < count; i++) {
		printf("%d %s %u %u\n", slots[i].slot, keyslot_kind_name(slots[i].kind),
		       slots[i].cost, slots[i].memory);
	}
	return rc;
}

static int do_check(char **arguments)
{
	struct encryption_report report;

	return encryption_check(payload, false, NULL, &report, &why);
}

/* helper PROGRAM SLOT: opens with what the program says */
static int do_helper(char **arguments)
{
	uint8_t bytes[TOKEN_HELPER_SECRET];
	int rc = token_helper_run(payload, arguments[0], atoi(arguments[1]), bytes, &secret, &why);

	return rc ? rc : do_key(arguments);
}

static int do_recovery(char **arguments)
{
	char text[RECOVERY_KEY_TEXT];
	int rc = recovery_key_generate(text);

	puts(text);
	return rc;
}

static const struct {
	const char *name;
	int (*run)(char **arguments);
} verbs[] = {{"format", do_format},    {"key", do_key},	    {"read", do_read},
	     {"write", do_write},      {"add", do_add},	    {"remove", do_remove},
	     {"list", do_list},	       {"check", do_check}, {"helper", do_helper},
	     {"recovery", do_recovery}};

static int run(const char *verb, char **arguments)
{
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, verb) == 0) {
			return verbs[i].run(arguments);
		}
	}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct file *file;
	int fd, rc;

	if (argc < 4) {
		return 2;
	}
	fd = open(argv[2], O_RDWR | O_CLOEXEC);
	if (fd < 0 || file_from_fd(fd, &file) < 0 || layer_raw_open(file, &payload) < 0) {
		perror(argv[2]);
		return 2;
	}
	secret = (struct luks_secret){argv[3], strlen(argv[3]), -1};
	rc = run(argv[1], argv + 4);
	if (rc) {
		fprintf(stderr, "%s: %s\n", strerror(-rc), why.text);
	}
	(void)layer_close(payload);
	return -rc;
}
