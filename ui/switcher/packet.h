/* SPDX-License-Identifier: Apache-2.0 */
/** One packet of a SOCK_SEQPACKET socket, with the fds that came along. */
#ifndef BH_PACKET_H
#define BH_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "ui/proto/switcher.h"

#define PACKET_FDS_MAX	4u
#define PACKET_SIZE_MAX sizeof(struct switcher_question) /* the largest of all */

struct packet {
	size_t size;
	unsigned fd_count;
	int fds[PACKET_FDS_MAX];
	uint8_t bytes[PACKET_SIZE_MAX];
};

/** Reads without waiting. Returns 1: a packet is there, its fds are the caller's; 0: nothing to
 * read now; -1: the connection ended. A packet that is too long, or has too many fds, comes with
 * .size 0 and no fds, which no decoder accepts. */
int packet_receive(int fd, struct packet *ret_packet);

/** Closes what is left in packet->fds (entries of -1 were taken over). */
void packet_close_fds(struct packet *packet);

/** Sends without waiting or SIGPIPE. Returns 0, -1 with errno. */
int packet_send(int fd, const void *bytes, size_t size);

#endif
