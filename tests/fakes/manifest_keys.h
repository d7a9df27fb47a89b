/* SPDX-License-Identifier: Apache-2.0 */
/** Keys for tests of manifests, written by openssl; they protect nothing. */
#ifndef MANIFEST_KEYS_H
#define MANIFEST_KEYS_H

#define MANIFEST_TEST_KEY                                                                          \
	"-----BEGIN EC PRIVATE KEY-----\n"                                                         \
	"MHcCAQEEIIuMYu+2xJP2KXdO1hNnBfoAMG0jwRYMPz8DT7H4TwyZoAoGCCqGSM49\n"                       \
	"AwEHoUQDQgAEYYMT2re+pUCXxyUE4n5LTXp+TFg1WTPRq48Ic5wzeZUsSXEarTdn\n"                       \
	"cGP9KFqy8aMU/kTpe9dsS2a/LwgDHrTtPg==\n"                                                   \
	"-----END EC PRIVATE KEY-----\n"

#define MANIFEST_TEST_PUBLIC                                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                                             \
	"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYYMT2re+pUCXxyUE4n5LTXp+TFg1\n"                       \
	"WTPRq48Ic5wzeZUsSXEarTdncGP9KFqy8aMU/kTpe9dsS2a/LwgDHrTtPg==\n"                           \
	"-----END PUBLIC KEY-----\n"

#define MANIFEST_TEST_OTHER_KEY                                                                    \
	"-----BEGIN EC PRIVATE KEY-----\n"                                                         \
	"MHcCAQEEIFR9+WvC7r+sIALduKlEZ0ATZt5AgaGFKhd79ZSsydGhoAoGCCqGSM49\n"                       \
	"AwEHoUQDQgAEbA4OTgXeUTQQbzeMgnilDE/bc2L2qyM8b5VPSGfyDtjN8FVvI9y6\n"                       \
	"CPqrKQXsqtkmlA6V2GNX+v8HfanPpAJpmQ==\n"                                                   \
	"-----END EC PRIVATE KEY-----\n"

#define MANIFEST_TEST_P384_KEY                                                                     \
	"-----BEGIN EC PRIVATE KEY-----\n"                                                         \
	"MIGkAgEBBDDfk43ouVXQDmNM8L4YzDx+IvhVxwpY2VZTy5+t9+E7nVDkJKoLP1wd\n"                       \
	"IAT1WqdeBSqgBwYFK4EEACKhZANiAASbJ2kRtn9eiGOiU4cGSmpS5IJpMJ2X+S9e\n"                       \
	"y4bacWHwhbEQSsvPjstk2PulJ2KYlmSi0YCv12j9nuWBYWmRc4fz4rOvMJ/HikvS\n"                       \
	"2efypWf4UOh6MWllQ4KQX7Wi7XvqsBY=\n"                                                       \
	"-----END EC PRIVATE KEY-----\n"

#endif
