/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of policy layers, with keys that stock openssl wrote. */
#define _GNU_SOURCE
#include "sign.h"
#include "sign_text.h"

#include "manifest_keys.h"
#include "policy_keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "fakes/scratch.h"

#define OTHER_PUBLIC                                                                               \
	"-----BEGIN PUBLIC KEY-----\n"                                                             \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEbA4OTgXeUTQQbzeMgnilDE/bc2L2\n"                       \
	"qyM8b5VPSGfyDtjN8FVvI9y6CPqrKQXsqtkmlA6V2GNX+v8HfanPpAJpmQ==\n"                           \
	"-----END PUBLIC KEY-----\n"

static char main_text[] = "policy it \"a\" version 7\n", include_text[] = "zone a = 10.0.0.0/8\n";
static char main_name[] = "dir/it.pol", include_name[] = "zones.pol", odd_name[] = "two words.pol";
static const uint32_t both[] = {0, 1};
static struct source_set set;
static uint8_t sig[SIGN_SIZE_MAX];
static size_t sig_size;
static char why[SIGN_WHY_SIZE];

static int make_folder(void **state)
{
	assert_int_equal(scratch_make("/tmp"), 0);
	mkdir(scratch_path("keys"), 0700);
	mkdir(scratch_path("keys/it"), 0700);
	mkdir(scratch_path("keys/user"), 0700);
	scratch_write("ec.pem", MANIFEST_TEST_KEY);
	scratch_write("ec.pub", MANIFEST_TEST_PUBLIC);
	scratch_write("rsa.pem", POLICY_TEST_RSA_KEY);
	scratch_write("rsa.pub", POLICY_TEST_RSA_PUBLIC);
	scratch_write("p384.pem", MANIFEST_TEST_P384_KEY);
	scratch_write("small.pub", POLICY_TEST_RSA_1024_PUBLIC);
	scratch_write("keys/it/a-broken.pem", "rubbish");
	scratch_write("keys/it/first.pem", MANIFEST_TEST_PUBLIC);
	scratch_write("keys/it/second.pem", POLICY_TEST_RSA_PUBLIC);
	scratch_write("keys/user/other.pem", OTHER_PUBLIC);
	(void)state;
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return scratch_remove();
}

static void set_file(uint32_t index, char *name, char *text)
{
	set.file[index] = (struct source){.name = name, .text = text, .size = strlen(text)};
}

static int make_set(void **state)
{
	(void)state;
	memset(&set, 0, sizeof(set));
	set.count = 2;
	set_file(0, main_name, main_text);
	set_file(1, include_name, include_text);
	return 0;
}

static void make(const char *key)
{
	assert_int_equal(
		sign_make(&set, both, 2, TEXT_IT, 7, scratch_path(key), sig, &sig_size, why), 0);
}

static int verify(const char *keys)
{
	return sign_verify(&set, both, 2, TEXT_IT, 7, sig, sig_size, scratch_path(keys), why);
}

/* Both kinds of keys sign, and the public halves check. */
static void sign_make_and_verify_agree(void **state)
{
	(void)state;
	make("ec.pem");
	assert_int_equal(verify("ec.pub"), 0);
	assert_int_equal(verify("rsa.pub"), -EKEYREJECTED);
	make("rsa.pem");
	assert_int_equal(verify("rsa.pub"), 0);
	assert_int_equal(verify("ec.pub"), -EKEYREJECTED);
}

/* A folder of keys trusts each one for its own layer only. */
static void sign_keys_belong_to_a_layer(void **state)
{
	(void)state;
	make("ec.pem");
	assert_int_equal(verify("keys"), 0);
	make("rsa.pem");
	assert_int_equal(verify("keys"), 0);
	assert_int_equal(
		sign_make(&set, both, 2, TEXT_USER, 7, scratch_path("ec.pem"), sig, &sig_size, why),
		0);
	assert_int_equal(
		sign_verify(&set, both, 2, TEXT_USER, 7, sig, sig_size, scratch_path("keys"), why),
		-EKEYREJECTED);
	assert_non_null(strstr(why, "not trusted for layer user"));
	assert_int_equal(sign_make(&set, both, 2, TEXT_VENDOR, 7, scratch_path("ec.pem"), sig,
				   &sig_size, why),
			 0);
	assert_int_equal(sign_verify(&set, both, 2, TEXT_VENDOR, 7, sig, sig_size,
				     scratch_path("keys"), why),
			 -ENOENT);
}

/* A signature fits one layer, one version and one list of files. */
static void sign_verify_wants_the_same_layer_version_and_files(void **state)
{
	const char *key = scratch_path("ec.pub");
	const uint32_t turned[] = {1, 0};

	(void)state;
	make("ec.pem");
	assert_int_equal(sign_verify(&set, both, 2, TEXT_USER, 7, sig, sig_size, key, why),
			 -EKEYREJECTED);
	assert_string_equal(why, "it is for layer it, the file is of layer user");
	assert_int_equal(sign_verify(&set, both, 2, TEXT_IT, 8, sig, sig_size, key, why),
			 -EKEYREJECTED);
	assert_string_equal(why, "it is for version 7, the file says version 8; sign it again");
	assert_int_equal(sign_verify(&set, both, 1, TEXT_IT, 7, sig, sig_size, key, why),
			 -EKEYREJECTED);
	assert_string_equal(why, "it names 2 files, the layer has 1");
	assert_int_equal(sign_verify(&set, turned, 2, TEXT_IT, 7, sig, sig_size, key, why),
			 -EKEYREJECTED);
	include_text[0] = 'Z';
	assert_int_equal(verify("ec.pub"), -EKEYREJECTED);
	assert_string_equal(
		why, "zones.pol was changed after it was signed; get it anew or sign it again");
	include_text[0] = 'z';
	main_text[0] = 'P';
	assert_int_equal(verify("ec.pub"), -EKEYREJECTED);
	main_text[0] = 'p';
	assert_int_equal(verify("ec.pub"), 0);
}

/* One changed, added or missing byte anywhere in a signature makes it none. */
static void sign_check_takes_no_changed_byte(void **state)
{
	struct sign_head head;

	(void)state;
	make("ec.pem");
	for (size_t i = 0; i < sig_size; i++) {
		sig[i] ^= (uint8_t)(1u << i % 7);
		assert_int_not_equal(sign_check(sig, sig_size, scratch_path("ec.pub"), &head, why),
				     0);
		sig[i] ^= (uint8_t)(1u << i % 7);
	}
	for (size_t size = 0; size < sig_size; size++) {
		assert_int_not_equal(sign_check(sig, size, scratch_path("ec.pub"), &head, why), 0);
	}
	sig[sig_size] = '\n';
	assert_int_equal(sign_check(sig, sig_size + 1, scratch_path("ec.pub"), &head, why),
			 -EBADMSG);
	assert_int_equal(sign_check(sig, sig_size, scratch_path("ec.pub"), &head, why), 0);
}

/* What was checked says which files to read, before one of them is looked at. */
static void sign_check_tells_the_files(void **state)
{
	struct sign_head head, same;

	(void)state;
	make("rsa.pem");
	assert_int_equal(sign_check(sig, sig_size, scratch_path("rsa.pub"), &head, why), 0);
	assert_int_equal(head.layer, TEXT_IT);
	assert_int_equal(head.version, 7);
	assert_int_equal(head.count, 2);
	assert_string_equal(head.file[0].name, "");
	assert_string_equal(head.file[1].name, "zones.pol");
	assert_int_equal(sign_check_file(&head, 1, include_text, strlen(include_text), why), 0);
	assert_int_equal(sign_check_file(&head, 0, include_text, strlen(include_text), why),
			 -EKEYREJECTED);
	assert_int_equal(sign_check_file(&head, 2, "", 0, why), -EKEYREJECTED);
	assert_int_equal(sign_describe(&set, both, 2, TEXT_IT, 7, &same, why), 0);
	assert_memory_equal(head.digest, same.digest, SIGN_HASH_SIZE);
}

/* The digest is that of the content: the same for another key, another for another version. */
static void sign_digest_is_of_the_content(void **state)
{
	struct sign_head ec, rsa, next;

	(void)state;
	make("ec.pem");
	assert_int_equal(sign_check(sig, sig_size, scratch_path("keys"), &ec, why), 0);
	make("rsa.pem");
	assert_int_equal(sign_check(sig, sig_size, scratch_path("keys"), &rsa, why), 0);
	assert_memory_equal(ec.digest, rsa.digest, SIGN_HASH_SIZE);
	assert_int_equal(sign_describe(&set, both, 2, TEXT_IT, 8, &next, why), 0);
	assert_memory_not_equal(ec.digest, next.digest, SIGN_HASH_SIZE);
}

/* Weak and foreign keys neither sign nor check. */
static void sign_refuses_other_keys(void **state)
{
	struct sign_head head;

	(void)state;
	assert_int_equal(
		sign_make(&set, both, 2, TEXT_IT, 7, scratch_path("p384.pem"), sig, &sig_size, why),
		-EINVAL);
	assert_int_equal(
		sign_make(&set, both, 2, TEXT_IT, 7, scratch_path("none"), sig, &sig_size, why),
		-ENOENT);
	make("ec.pem");
	assert_int_equal(sign_check(sig, sig_size, scratch_path("small.pub"), &head, why), -EINVAL);
	assert_non_null(strstr(why, "2048"));
	assert_int_equal(sign_check(sig, sig_size, scratch_path("none"), &head, why), -ENOENT);
}

/* A signature that names the algorithm of another key is refused before any arithmetic. */
static void sign_check_takes_the_algorithm_from_the_key(void **state)
{
	struct sign_text text;
	struct sign_head head;
	size_t signed_size, head_size, size;
	char bytes[SIGN_SIZE_MAX];

	(void)state;
	make("ec.pem");
	assert_int_equal(sign_text_decode(sig, sig_size, &text, &signed_size), 0);
	text.algorithm = SIGN_RSA_PSS;
	size = sign_text_encode(&text, bytes, &head_size, &signed_size);
	assert_int_equal(sign_check((uint8_t *)bytes, size, scratch_path("ec.pub"), &head, why),
			 -EKEYREJECTED);
	assert_string_equal(why, "it names another algorithm than that of its key");
}

/* The largest layer has a signature that fits and reads back. */
static void sign_text_of_all_files_fits(void **state)
{
	static char names[SOURCE_FILES_MAX][SIGN_NAME_SIZE];
	uint32_t all[SOURCE_FILES_MAX];
	struct sign_head head;

	(void)state;
	for (uint32_t i = 0; i < SOURCE_FILES_MAX; i++) {
		memset(names[i], 'x', SIGN_NAME_SIZE - 1);
		set_file(i, names[i], main_text);
		all[i] = i;
	}
	set.count = SOURCE_FILES_MAX;
	assert_int_equal(sign_make(&set, all, SOURCE_FILES_MAX, TEXT_IT, UINT64_MAX,
				   scratch_path("rsa.pem"), sig, &sig_size, why),
			 0);
	assert_int_equal(sign_check(sig, sig_size, scratch_path("keys"), &head, why), 0);
	assert_int_equal(head.count, SOURCE_FILES_MAX);
	assert_int_equal(sign_verify(&set, all, SOURCE_FILES_MAX, TEXT_IT, UINT64_MAX, sig,
				     sig_size, scratch_path("keys"), why),
			 0);
}

/* An include that no signature can name is refused when signing. */
static void sign_make_refuses_odd_names(void **state)
{
	(void)state;
	set_file(1, odd_name, include_text);
	assert_int_equal(
		sign_make(&set, both, 2, TEXT_IT, 7, scratch_path("ec.pem"), sig, &sig_size, why),
		-EINVAL);
	assert_non_null(strstr(why, "two words.pol"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sign_make_and_verify_agree, make_set),
		cmocka_unit_test_setup(sign_keys_belong_to_a_layer, make_set),
		cmocka_unit_test_setup(sign_verify_wants_the_same_layer_version_and_files,
				       make_set),
		cmocka_unit_test_setup(sign_check_takes_no_changed_byte, make_set),
		cmocka_unit_test_setup(sign_check_tells_the_files, make_set),
		cmocka_unit_test_setup(sign_digest_is_of_the_content, make_set),
		cmocka_unit_test_setup(sign_refuses_other_keys, make_set),
		cmocka_unit_test_setup(sign_check_takes_the_algorithm_from_the_key, make_set),
		cmocka_unit_test_setup(sign_text_of_all_files_fits, make_set),
		cmocka_unit_test_setup(sign_make_refuses_odd_names, make_set),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
