/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-unlock: one request on one LUKS2 header, in a jail (unlock_jail.h). The header is a copy
 * in memory; the engine puts back on the disk what it finds changed there. */
#define _GNU_SOURCE

#include "locked.h"
#include "unlock_jail.h"
#include "unlock_open.h"
#include "unlock_proto.h"
#include "unlock_verbs.h"

#include <unistd.h>

#define MEMORY_SLACK (64u << 20)

static bool read_all(int fd, void *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, (char *)bytes + done, size - done);

		if (n <= 0) {
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

static bool write_all(int fd, const void *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = write(fd, (const char *)bytes + done, size - done);

		if (n <= 0) {
			return false;
		}
		done += (size_t)n;
	}
	return true;
}

static bool read_job(struct unlock_job *job)
{
	const struct unlock_request *r = &job->request;

	return read_all(UNLOCK_SOCKET, &job->request, sizeof(job->request)) &&
	       r->magic == UNLOCK_MAGIC && r->secret_size <= UNLOCK_SECRET_MAX &&
	       r->other_size <= UNLOCK_SECRET_MAX && r->token_size < UNLOCK_TOKEN_MAX &&
	       r->header_size <= LUKS_AREA_MAX &&
	       read_all(UNLOCK_SOCKET, job->secret, r->secret_size) &&
	       read_all(UNLOCK_SOCKET, job->other, r->other_size) &&
	       read_all(UNLOCK_SOCKET, job->token, r->token_size);
}

/* In the jail. */
static bool serve(struct unlock_job *job)
{
	bool good = read_job(job);

	if (good) {
		job->reply.magic = UNLOCK_MAGIC;
		job->reply.slot = -1;
		job->reply.error = unlock_run(job);
		good = write_all(UNLOCK_SOCKET, &job->reply, sizeof(job->reply));
	}
	return good;
}

int main(void)
{
	struct unlock_job *job = locked_alloc(sizeof(*job));
	bool good;

	close_range(UNLOCK_HEADER + 1, ~0u, 0);
	if (!job || !unlock_warm_up()) {
		return 2;
	}
	unlock_open_only(UNLOCK_HEADER);
	if (!unlock_jail((LUKS_MEMORY_MAX << 10) + MEMORY_SLACK)) {
		return 3;
	}
	good = serve(job);
	locked_free(job, sizeof(*job));
	return good ? 0 : 4;
}
