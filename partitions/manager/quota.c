/* SPDX-License-Identifier: Apache-2.0 */
/** Accounts of users: each is the time at which it will be full again. */
#include "quota.h"

static struct account {
	uid_t uid;
	uint64_t records_ms, policy_ms; /* when they are full again; in the past: they are */
} accounts[QUOTA_USERS];

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* One that is not in use is a full one of user 0. */
static struct account *account_of(uid_t uid)
{
	struct account *fullest = &accounts[0];

	for (unsigned int i = 0; i < QUOTA_USERS; i++) {
		struct account *account = &accounts[i];

		if (account->uid == uid) {
			return account;
		}
		if (later(account->records_ms, account->policy_ms) <
		    later(fullest->records_ms, fullest->policy_ms)) {
			fullest = account;
		}
	}
	*fullest = (struct account){.uid = uid};
	return fullest;
}

bool quota_take(uid_t uid, uint64_t now_ms)
{
	struct account *account = account_of(uid);
	uint64_t full_ms = later(account->records_ms, now_ms) + QUOTA_RECORD_MS;

	if (full_ms - now_ms > QUOTA_RECORDS * QUOTA_RECORD_MS) {
		return false;
	}
	account->records_ms = full_ms;
	return true;
}

bool quota_may_apply(uid_t uid, uint64_t now_ms)
{
	return account_of(uid)->policy_ms < now_ms + QUOTA_POLICY_MS * QUOTA_POLICY_PART;
}

void quota_spend(uid_t uid, uint64_t now_ms, uint64_t cpu_ms)
{
	struct account *account = account_of(uid);

	account->policy_ms = later(account->policy_ms, now_ms) + cpu_ms * QUOTA_POLICY_PART;
}
