/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and runs bulkhead-unlock, and believes nothing that it says without a look. */
#define _GNU_SOURCE

#include "luks_process.h"

#include "locked.h"
#include "luks.h"
#include "child.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WAIT_SECONDS (UNLOCK_CPU_SECONDS + 60)

/* Beside what this code is part of, as it is installed and as it is built; then where it belongs.
 */
static const char *const places[] = {
	"",	      "../libexec/bulkhead/", "../../libexec/bulkhead/",
	"../crypto/", "../vhd/crypto/",	      "../../vhd/crypto/"};

static bool find_beside(const char *object, char *ret_path, size_t size)
{
	const char *slash = strrchr(object, '/');
	int folder = slash ? (int)(slash - object) + 1 : 0;

	for (unsigned i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		int n = snprintf(ret_path, size, "%.*s%s" UNLOCK_PROGRAM, folder, object,
				 places[i]);

		if (n > 0 && (size_t)n < size && access(ret_path, X_OK) == 0) {
			return true;
		}
	}
	return false;
}

static bool find_program(char *ret_path, size_t size)
{
	char self[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	Dl_info info;

	if (n > 0) {
		self[n] = '\0';
		if (find_beside(self, ret_path, size)) {
			return true;
		}
	}
	/* A plugin lies elsewhere than the program that loaded it. */
	if (dladdr(places, &info) && info.dli_fname && info.dli_fname[0] == '/' &&
	    find_beside(info.dli_fname, ret_path, size)) {
		return true;
	}
	n = snprintf(ret_path, size, "%s/" UNLOCK_PROGRAM, UNLOCK_FOLDER);
	return n > 0 && (size_t)n < size && access(ret_path, X_OK) == 0;
}

static int write_all(int fd, const uint8_t *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, bytes + done, size - done, (off_t)done);

		if (n <= 0) {
			return -EIO;
		}
		done += (size_t)n;
	}
	return 0;
}

/* Memory as large as the disk, with holes, so that libcryptsetup finds the sizes plausible. */
static int make_copy(const struct layer *payload, const struct luks_job *job, int *ret_fd)
{
	int fd = memfd_create("luks2", MFD_CLOEXEC | MFD_ALLOW_SEALING), rc;

	if (fd < 0) {
		return -errno;
	}
	rc = ftruncate(fd, (off_t)payload->size) < 0 ? -errno : 0;
	rc = rc ? rc : write_all(fd, job->before, job->size);
	if (!rc && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		rc = -errno;
	}
	if (rc) {
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

static int converse(struct child *child, struct luks_job *job)
{
	const struct unlock_request *r = &job->request;
	size_t size;
	int rc = child_send(child, r, sizeof(*r));

	rc = rc ? rc : child_send(child, job->secret, r->secret_size);
	rc = rc ? rc : child_send(child, job->other, r->other_size);
	rc = rc ? rc : child_send(child, job->token, r->token_size);
	rc = rc ? rc : child_receive(child, job->reply, sizeof(*job->reply), &size, WAIT_SECONDS);
	if (rc) {
		return rc;
	}
	return size == sizeof(*job->reply) && job->reply->magic == UNLOCK_MAGIC ? 0 : -EIO;
}

/* A process that was taken over by a header could answer anything. */
static bool reply_sane(const struct layer *payload, const struct luks_job *job)
{
	const struct luks_policy *p = &job->reply->policy;

	return (p->sector_size == 512 || p->sector_size == 4096) && p->offset % 4096 == 0 &&
	       p->offset <= LUKS_AREA_MAX && p->offset <= payload->size &&
	       p->size <= payload->size - p->offset && p->size % p->sector_size == 0 &&
	       p->metadata_size >= 16384 && p->metadata_size <= LUKS_METADATA_MAX &&
	       p->area_end <= p->offset && 2 * p->metadata_size <= p->area_end &&
	       p->area_end <= job->size && job->reply->slot < (int)LUKS_POLICY_SLOTS &&
	       job->reply->slot >= -1;
}

static int take_reply(const struct layer *payload, struct luks_job *job, struct why *why)
{
	struct unlock_reply *reply = job->reply;
	char text[sizeof(reply->why.text)];

	reply->why.text[sizeof(reply->why.text) - 1] = '\0';
	reply->token[sizeof(reply->token) - 1] = '\0';
	reply->policy.uuid[sizeof(reply->policy.uuid) - 1] = '\0';
	if (reply->error) {
		(void)why_quote(text, sizeof(text), reply->why.text);
		if (reply->error > 0 || reply->error < -4095) {
			reply->error = -EIO;
		}
		return why_set(why, reply->error, "%s", text[0] ? text : strerror(-reply->error));
	}
	return reply_sane(payload, job) ? 0
					: why_set(why, -EBADMSG,
						  "the LUKS2 header does not fit "
						  "the disk that it is on");
}

static int run_once(struct layer *payload, struct luks_job *job, struct why *why)
{
	struct child child;
	char path[1024];
	int fd = -1, rc;

	if (!find_program(path, sizeof(path))) {
		return why_set(why, -ENOENT,
			       "%s is not installed (looked beside this program and "
			       "in %s)",
			       UNLOCK_PROGRAM, UNLOCK_FOLDER);
	}
	rc = make_copy(payload, job, &fd);
	if (rc) {
		return why_set(why, rc, "no memory for a copy of the LUKS2 header");
	}
	rc = child_start(path, fd, false, &child);
	if (rc) {
		close(fd);
		return why_set(why, rc, "%s cannot be started: %s", path, strerror(-rc));
	}
	rc = converse(&child, job);
	(void)child_finish(&child);
	if (rc) {
		rc = why_set(why, rc == -ETIMEDOUT ? rc : -EIO, "%s ended without an answer",
			     UNLOCK_PROGRAM);
	} else {
		rc = take_reply(payload, job, why);
	}
	if (!rc && job->after && pread(fd, job->after, job->size, 0) != (ssize_t)job->size) {
		rc = -EIO;
	}
	close(fd);
	return rc;
}

/* What the disk has, up to `size` bytes. */
static int load(struct layer *payload, struct luks_job *job, size_t size, struct why *why)
{
	uint32_t verb = job->request.verb;

	free(job->before);
	free(job->after);
	job->size = payload->size < size ? (size_t)payload->size : size;
	job->before = calloc(1, job->size + 1);
	job->after = verb == UNLOCK_FORMAT || verb == UNLOCK_ADD || verb == UNLOCK_REMOVE
			     ? calloc(1, job->size + 1)
			     : NULL;
	if (!job->before || (verb >= UNLOCK_FORMAT && verb <= UNLOCK_REMOVE && !job->after)) {
		return why_set(why, -ENOMEM, "no memory for a copy of the LUKS2 header");
	}
	job->request.header_size = (uint32_t)job->size;
	return verb == UNLOCK_FORMAT ? 0 : layer_read(payload, job->before, job->size, 0);
}

int luks_process_run(struct layer *payload, struct luks_job *job, struct why *why)
{
	int rc;

	job->request.magic = UNLOCK_MAGIC;
	if (job->request.secret_size > UNLOCK_SECRET_MAX ||
	    job->request.other_size > UNLOCK_SECRET_MAX ||
	    job->request.token_size >= UNLOCK_TOKEN_MAX) {
		return why_set(why, -E2BIG, "a secret may have %u bytes", UNLOCK_SECRET_MAX);
	}
	job->reply = locked_alloc(sizeof(*job->reply));
	if (!job->reply) {
		return -ENOMEM;
	}
	rc = load(payload, job, LUKS_HEADER_SIZE, why);
	rc = rc ? rc : run_once(payload, job, why);
	if (rc == -ENODATA && payload->size > LUKS_HEADER_SIZE) {
		memset(job->reply, 0, sizeof(*job->reply));
		rc = load(payload, job, LUKS_AREA_MAX, why);
		rc = rc ? rc : run_once(payload, job, why);
	}
	return rc;
}

void luks_process_clean(struct luks_job *job)
{
	locked_free(job->reply, sizeof(*job->reply));
	free(job->before);
	free(job->after);
	job->reply = NULL;
	job->before = job->after = NULL;
}
