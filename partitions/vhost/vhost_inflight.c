/* SPDX-License-Identifier: Apache-2.0 */
/* Owns the mapping of the shared record. Invariant: it is of a file that cannot shrink, else the
 * front-end could end this process by a fault. */
#define _GNU_SOURCE

#include "vhost_inflight.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS	  (F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)
#define PAGE_MASK 4095ull

static bool check_message(const struct vhost_server *server, const struct vhost_msg *msg)
{
	const struct vhost_inflight_area *area = &msg->body.inflight;

	return server->keeps_inflight && msg->header.size >= VHOST_INFLIGHT_AREA_MIN &&
	       msg->header.size <= sizeof(*area) && area->queue_count &&
	       area->queue_count <= server->queue_count && area->queue_size &&
	       area->queue_size <= VQ_SIZE_MAX;
}

static uint64_t area_size(const struct vhost_inflight_area *area)
{
	return area->queue_count * vq_inflight_size(area->queue_size);
}

void vhost_inflight_fini(struct vhost_inflight *inflight)
{
	if (inflight->map) {
		munmap(inflight->map, inflight->size);
	}
	*inflight = (struct vhost_inflight){0};
}

/* Replaces what was mapped before. */
static int map_area(struct vhost_inflight *inflight, int fd, const struct vhost_inflight_area *area)
{
	uint64_t size = area_size(area);
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)area->offset);

	if (map == MAP_FAILED) {
		return -errno;
	}
	vhost_inflight_fini(inflight);
	*inflight = (struct vhost_inflight){
		.map = map,
		.size = size,
		.queue_count = area->queue_count,
		.queue_size = area->queue_size,
	};
	return 0;
}

int vhost_inflight_create(struct vhost_server *server, struct vhost_msg *msg, int *ret_fd)
{
	struct vhost_inflight_area *area = &msg->body.inflight;
	int fd;
	int rc;

	if (!check_message(server, msg)) {
		return -EPROTO;
	}
	area->size = area_size(area);
	area->offset = 0;
	fd = memfd_create("inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0) {
		return -errno;
	}
	rc = ftruncate(fd, (off_t)area->size) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
	rc = rc ? rc : map_area(&server->inflight, fd, area);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

int vhost_inflight_set(struct vhost_server *server, struct vhost_msg *msg)
{
	const struct vhost_inflight_area *area = &msg->body.inflight;
	int seals = fcntl(msg->fd[0], F_GET_SEALS);
	struct stat st;

	if (!check_message(server, msg) || (area->offset & PAGE_MASK) ||
	    area->offset > INT64_MAX - area_size(area) || area->size < area_size(area)) {
		return -EPROTO;
	}
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(msg->fd[0], &st) < 0 ||
	    (uint64_t)st.st_size < area->offset + area_size(area)) {
		return -EPROTO;
	}
	return map_area(&server->inflight, msg->fd[0], area);
}

struct vq_inflight_record *vhost_inflight_record(const struct vhost_inflight *inflight,
						 unsigned index, uint32_t size)
{
	if (!inflight->map || index >= inflight->queue_count || size > inflight->queue_size) {
		return NULL;
	}
	return (struct vq_inflight_record *)(void *)(inflight->map +
						     index * vq_inflight_size(
								     inflight->queue_size));
}
