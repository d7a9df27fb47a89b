/* SPDX-License-Identifier: Apache-2.0 */
/** What one user may cost the machine: entries of the audit log, and CPU time for policies that
 * they hand in. IT has no quota. Bounded: of QUOTA_USERS whoever is nearest to a full one gives
 * way.
 *
 *  Times are milliseconds of one clock that only grows.
 */
#ifndef MANAGER_QUOTA_H
#define MANAGER_QUOTA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define QUOTA_USERS	  16u
#define QUOTA_RECORDS	  60u	/* at once */
#define QUOTA_RECORD_MS	  5000u /* until there is one more */
#define QUOTA_POLICY_MS	  2000u /* CPU time for policies at once */
#define QUOTA_POLICY_PART 5u	/* and this part of all time on end */

/** Whether this user may do one more thing that is recorded. */
bool quota_take(uid_t uid, uint64_t now_ms);
/** Whether this user may hand in a policy now. */
bool quota_may_apply(uid_t uid, uint64_t now_ms);
/** A policy of this user took so much CPU time. */
void quota_spend(uid_t uid, uint64_t now_ms, uint64_t cpu_ms);

#endif
