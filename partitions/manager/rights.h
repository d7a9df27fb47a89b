/* SPDX-License-Identifier: Apache-2.0 */
/** Who asks, and whether the policy lets them.
 *
 *  Root and members of the group bulkhead-it are IT, members of bulkhead-admin administer this
 * machine, everybody else who may use the socket at all (group bulkhead) is a user. What the
 * switcher asks for is asked by a user.
 */
#ifndef MANAGER_RIGHTS_H
#define MANAGER_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "policy/table/table.h"
#include "request.h"

#define RIGHTS_WHY_SIZE 160u
#define RIGHTS_WHO_SIZE 32u

/** Numbers of the groups that mean something here; (gid_t)-1: there is no such group. */
struct rights_groups {
	gid_t socket, admin, it;
};

struct rights_peer {
	bool known; /* may use the socket */
	uid_t uid;
	uint32_t person;	   /* enum text_person */
	char who[RIGHTS_WHO_SIZE]; /* for the record: "user 1000" */
};

void rights_find_groups(struct rights_groups *ret_groups);
/** Groups by their numbers, "SOCKET,ADMIN,IT", for tests. False when that is not what it says. */
bool rights_read_groups(const char *text, struct rights_groups *ret_groups);
/** Somebody with this user, of these groups. */
struct rights_peer rights_of(const struct rights_groups *groups, uid_t uid, const gid_t *gids,
			     size_t count);
/** Who holds the other end of a connected socket. */
struct rights_peer rights_of_socket(const struct rights_groups *groups, int fd);

/** Whether the person may do that with a partition (0: the machine as a whole); table NULL: there
 * is no policy, and only IT may do anything. If not, `why` says so, and whom to ask. */
bool rights_allow(const struct table *table, uint32_t person, enum request_verb verb, uint32_t part,
		  char why[RIGHTS_WHY_SIZE]);

#endif
