/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures by mbedTLS, with keys that stock openssl wrote. */
#include "signature.h"

#include "manifest_keys.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What is signed checks; one changed bit anywhere, or another key, does not. */
static void signature_fits_one_text_and_key(void **state)
{
	uint8_t signature[SIGNATURE_MAX];
	struct signer *signer, *other;
	char pem[512], other_pem[512], text[] = "manifest";
	size_t size;

	(void)state;
	assert_int_equal(signer_create(MANIFEST_TEST_KEY, &signer, NULL), 0);
	assert_int_equal(signer_create(MANIFEST_TEST_OTHER_KEY, &other, NULL), 0);
	assert_int_equal(signer_get_public(signer, pem, sizeof(pem)), 0);
	assert_int_equal(signer_get_public(other, other_pem, sizeof(other_pem)), 0);
	assert_string_equal(pem, MANIFEST_TEST_PUBLIC);
	assert_int_equal(signer_sign(signer, text, 8, signature, &size), 0);
	assert_int_equal(signature_check(pem, text, 8, signature, size, NULL), 0);
	assert_int_equal(signature_check(other_pem, text, 8, signature, size, NULL), -EKEYREJECTED);
	assert_int_equal(signature_check(pem, text, 7, signature, size, NULL), -EKEYREJECTED);
	assert_int_equal(signature_check(pem, text, 8, signature, 0, NULL), -EKEYREJECTED);
	for (size_t i = 0; i < size; i++) {
		signature[i] ^= 1;
		assert_int_equal(signature_check(pem, text, 8, signature, size, NULL),
				 -EKEYREJECTED);
		signature[i] ^= 1;
	}
	signer_destroy(signer);
	signer_destroy(other);
}

/* A key of another kind is refused with a sentence. */
static void signature_wants_p256(void **state)
{
	struct signer *signer;
	struct why why = {""};

	(void)state;
	assert_int_equal(signer_create(MANIFEST_TEST_P384_KEY, &signer, &why), -EINVAL);
	assert_non_null(strstr(why.text, "P-256"));
	assert_int_equal(signer_create("", &signer, NULL), -EINVAL);
	assert_int_equal(signature_check("rubbish", "a", 1, (const uint8_t *)"b", 1, &why),
			 -EINVAL);
}

/* What is derived from a key is the same each time, and another for another label or key. */
static void signature_derives_secrets(void **state)
{
	uint8_t a[32], b[32];
	struct signer *signer, *other;

	(void)state;
	assert_int_equal(signer_create(MANIFEST_TEST_KEY, &signer, NULL), 0);
	assert_int_equal(signer_create(MANIFEST_TEST_OTHER_KEY, &other, NULL), 0);
	assert_int_equal(signer_derive(signer, "x", a), 0);
	assert_int_equal(signer_derive(signer, "x", b), 0);
	assert_memory_equal(a, b, 32);
	assert_int_equal(signer_derive(signer, "y", b), 0);
	assert_memory_not_equal(a, b, 32);
	assert_int_equal(signer_derive(other, "x", b), 0);
	assert_memory_not_equal(a, b, 32);
	signer_destroy(signer);
	signer_destroy(other);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(signature_fits_one_text_and_key),
		cmocka_unit_test(signature_wants_p256),
		cmocka_unit_test(signature_derives_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
