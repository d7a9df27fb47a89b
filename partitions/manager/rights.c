/* SPDX-License-Identifier: Apache-2.0 */
/** Rights of people over partitions, by the policy. */
#define _GNU_SOURCE
#include "rights.h"

#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/lang/text.h"

#define NO_GROUP   ((gid_t)-1)
#define GROUPS_MAX 256u

static gid_t find_group(const char *name)
{
	const struct group *entry = getgrnam(name);

	return entry ? entry->gr_gid : NO_GROUP;
}

void rights_find_groups(struct rights_groups *ret_groups)
{
	*ret_groups = (struct rights_groups){
		.socket = find_group("bulkhead"),
		.admin = find_group("bulkhead-admin"),
		.it = find_group("bulkhead-it"),
	};
}

bool rights_read_groups(const char *text, struct rights_groups *ret_groups)
{
	unsigned int socket, admin, it;
	int end = 0;

	if (sscanf(text, "%8u,%8u,%8u%n", &socket, &admin, &it, &end) != 3 || text[end]) {
		return false;
	}
	*ret_groups = (struct rights_groups){.socket = socket, .admin = admin, .it = it};
	return true;
}

static bool is_member(gid_t group, const gid_t *gids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (group != NO_GROUP && gids[i] == group) {
			return true;
		}
	}
	return false;
}

struct rights_peer rights_of(const struct rights_groups *groups, uid_t uid, const gid_t *gids,
			     size_t count)
{
	struct rights_peer peer = {.uid = uid, .person = TEXT_PERSON_USER};

	/* A daemon that is not root's runs in a test, where its own user stands for root. */
	if (uid == 0 || uid == geteuid() || is_member(groups->it, gids, count)) {
		peer.person = TEXT_PERSON_IT;
	} else if (is_member(groups->admin, gids, count)) {
		peer.person = TEXT_PERSON_ADMIN;
	}
	peer.known = peer.person != TEXT_PERSON_USER || is_member(groups->socket, gids, count);
	snprintf(peer.who, sizeof(peer.who), "%s %u", text_person_word(peer.person),
		 (unsigned int)uid);
	return peer;
}

struct rights_peer rights_of_socket(const struct rights_groups *groups, int fd)
{
	gid_t gids[GROUPS_MAX + 1];
	struct ucred cred;
	socklen_t size = sizeof(cred), gids_size = GROUPS_MAX * sizeof(gid_t);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size)) {
		return (struct rights_peer){.known = false};
	}
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &gids_size)) {
		gids_size = 0;
	}
	gids[gids_size / sizeof(gid_t)] = cred.gid;
	return rights_of(groups, cred.uid, gids, gids_size / sizeof(gid_t) + 1);
}

/* Whoever may use the socket: what they hand in is judged by what is signed. */
#define EVERYBODY UINT32_MAX

static const struct need {
	uint32_t actions; /* 0: IT's alone */
	const char *word;
} needs[] = {
	[REQUEST_LIST] = {TEXT_SEE, "see"},
	[REQUEST_START] = {TEXT_ACT_START, "start"},
	[REQUEST_STOP] = {TEXT_STOP, "stop"},
	[REQUEST_RESET] = {TEXT_RESET, "reset"},
	[REQUEST_PAUSE] = {TEXT_PAUSE, "pause"},
	[REQUEST_RESUME] = {TEXT_PAUSE, "resume"},
	[REQUEST_FOCUS] = {TEXT_SEE, "show"},
	[REQUEST_STATS] = {TEXT_SEE, "see"},
	[REQUEST_CONSOLE] = {TEXT_ATTACH, "attach to"},
	[REQUEST_LOG] = {TEXT_ATTACH, "attach to"},
	[REQUEST_TYPE] = {TEXT_ATTACH, "attach to"},
	[REQUEST_POLICY_STATUS] = {TEXT_SEE, "see"},
	[REQUEST_POLICY_APPLY] = {EVERYBODY, "change the policy of"},
	[REQUEST_POLICY_CONFIRM] = {0, "confirm the policy of"},
	[REQUEST_POLICY_REVERT] = {0, "take back what somebody else changed in the policy of"},
	[REQUEST_POLICY_ASK] = {0, "ask the policy of"},
};

/* The first of those below IT who may, or IT. */
static const char *who_may(const struct table *table, uint32_t actions, uint32_t part)
{
	if (actions && table && table_may(table, TEXT_PERSON_ADMIN, part, actions)) {
		return "an administrator of this machine (group bulkhead-admin) or IT";
	}
	return "IT (group bulkhead-it)";
}

bool rights_allow(const struct table *table, uint32_t person, enum request_verb verb, uint32_t part,
		  char why[RIGHTS_WHY_SIZE])
{
	static const char *const names[TEXT_PERSONS] = {"a user", "an administrator", "IT"};
	const struct need *need = &needs[verb];
	const char *name = part && table ? table_name(table, part) : "this machine";

	if (!table || !need->actions) {
		if (person == TEXT_PERSON_IT) {
			return true;
		}
	} else if (need->actions == EVERYBODY ? person < TEXT_PERSONS
					      : table_may(table, person, part, need->actions)) {
		return true;
	}
	snprintf(why, RIGHTS_WHY_SIZE, "the policy does not let %s %s %s; ask %s",
		 person < TEXT_PERSONS ? names[person] : "anybody", need->word, name,
		 who_may(table, need->actions, part));
	return false;
}
