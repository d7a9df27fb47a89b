/* SPDX-License-Identifier: Apache-2.0 */
/** What the engine and its small process for LUKS2 headers say to each other: one request with its
 * secrets over a socket (descriptor 0), one reply back. The header lies in shared memory
 * (descriptor 3) that only they see. Both are of one build; the engine trusts no field of a reply.
 */
#ifndef VHD_UNLOCK_PROTO_H
#define VHD_UNLOCK_PROTO_H

#include "luks_policy.h"
#include "xts.h"

#define UNLOCK_PROGRAM	   "bulkhead-unlock"
#define UNLOCK_SOCKET	   0
#define UNLOCK_HEADER	   3
#define UNLOCK_MAGIC	   0x6b6e7562u
#define UNLOCK_SECRET_MAX  4096u
#define UNLOCK_TOKEN_MAX   8192u
#define UNLOCK_CPU_SECONDS 120u

enum unlock_verb {
	UNLOCK_LIST,   /* judge the header and name its slots */
	UNLOCK_KEY,    /* the key of the data */
	UNLOCK_FORMAT, /* a fresh header; `secret` of slot 0 */
	UNLOCK_ADD,    /* `secret` opens, `other` is added */
	UNLOCK_REMOVE, /* `slot`, and the tokens that name it alone */
	UNLOCK_TOKEN,  /* the JSON of the token of `slot` */
};

struct unlock_request {
	uint32_t magic;
	uint32_t verb;
	int32_t slot;	    /* of `secret` or to remove, or -1 */
	int32_t other_slot; /* to add, or -1 */
	uint32_t secret_size;
	uint32_t other_size;
	uint32_t token_size;  /* JSON to add with the slot, its keyslots still empty */
	uint32_t header_size; /* bytes of descriptor 3 that hold what the disk holds */
	uint32_t memory_kib, iterations, threads;
	uint32_t cheap; /* no cost at all, for tests */
	char uuid[40];
};

struct unlock_reply {
	uint32_t magic;
	int32_t error;
	int32_t slot;	/* that opened, or was added */
	int32_t opened; /* ADD: the one that opened */
	uint8_t key[XTS_KEY_SIZE];
	struct luks_policy policy;
	struct why why;
	char token[UNLOCK_TOKEN_MAX];
};

#endif
