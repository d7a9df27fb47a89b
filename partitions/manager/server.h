/* SPDX-License-Identifier: Apache-2.0 */
/** The daemon's Unix socket. Clients are whoever rights.h knows, and may do what the policy lets
 * them; each may be slow or hang without holding up anything but itself.
 */
#ifndef MANAGER_SERVER_H
#define MANAGER_SERVER_H

#include "order.h"
#include "part.h"
#include "rights.h"

/** Listens at path (an old socket there is replaced) for requests about these partitions on a
 * machine in this condition, of people by these groups. Returns 0 or -errno. */
int server_start(const char *path, struct part *parts, unsigned int part_count,
		 const struct when *when, const struct rights_groups *people);
/** Other partitions, and as many. */
void server_set_parts(unsigned int part_count);
void server_stop(void);
/** A partition printed something: followers get it. data is the struct part. */
void server_console_grew(void *data);

#endif
