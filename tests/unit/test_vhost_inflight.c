/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that goes from one back end to the next: its size, its seals, and who may give what.
 */
#define _GNU_SOURCE

#include "vhost_inflight.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static struct vhost_server server;

static int setup(void **state)
{
	memset(&server, 0, sizeof(server));
	server.queue_count = 2;
	server.keeps_inflight = true;
	return 0;
}

static int teardown(void **state)
{
	vhost_inflight_fini(&server.inflight);
	return 0;
}

static struct vhost_msg message(uint16_t queues, uint16_t entries, int fd)
{
	return (struct vhost_msg){
		.header.size = sizeof(struct vhost_inflight_area),
		.body.inflight = {.size = queues * vq_inflight_size(entries),
				  .queue_count = queues,
				  .queue_size = entries},
		.fd_count = fd >= 0,
		.fd = {fd},
	};
}

static int create(uint16_t queues, uint16_t entries)
{
	struct vhost_msg msg = message(queues, entries, -1);
	int fd = -1;
	int rc = vhost_inflight_create(&server, &msg, &fd);

	if (!rc) {
		assert_int_equal(msg.body.inflight.size, queues * vq_inflight_size(entries));
		assert_int_equal(lseek(fd, 0, SEEK_END), msg.body.inflight.size);
		assert_true(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK);
		close(fd);
	}
	return rc;
}

static int set(uint16_t queues, uint16_t entries, int fd)
{
	struct vhost_msg msg = message(queues, entries, fd);

	return vhost_inflight_set(&server, &msg);
}

static int sealed_file(off_t size)
{
	int fd = memfd_create("inflight", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	return fd;
}

/* Each queue has a record of its own, within the memory. */
static void inflight_has_record_per_queue(void **state)
{
	const uint8_t *first, *second;

	assert_int_equal(create(2, 64), 0);
	first = (uint8_t *)vhost_inflight_record(&server.inflight, 0, 64);
	second = (uint8_t *)vhost_inflight_record(&server.inflight, 1, 64);
	assert_int_equal(second - first, vq_inflight_size(64));
	assert_non_null(vhost_inflight_record(&server.inflight, 1, 32));
	assert_null(vhost_inflight_record(&server.inflight, 2, 64));
	assert_null(vhost_inflight_record(&server.inflight, 0, 128));
}

/* A device that keeps no record, or a record of impossible size, is not talked about. */
static void inflight_refuses_bad_sizes(void **state)
{
	assert_int_equal(create(3, 64), -EPROTO);
	assert_int_equal(create(0, 64), -EPROTO);
	assert_int_equal(create(1, 0), -EPROTO);
	assert_int_equal(create(1, 1025), -EPROTO);
	server.keeps_inflight = false;
	assert_int_equal(create(1, 64), -EPROTO);
}

/* Messages of both lengths that are in use are taken, no others. */
static void inflight_checks_message_size(void **state)
{
	static const struct {
		uint32_t size;
		int rc;
	} cases[] = {{19, -EPROTO}, {20, 0}, {24, 0}, {25, -EPROTO}};

	for (unsigned i = 0; i < 4; i++) {
		struct vhost_msg msg = message(1, 64, -1);
		int fd = -1;

		msg.header.size = cases[i].size;
		assert_int_equal(vhost_inflight_create(&server, &msg, &fd), cases[i].rc);
		if (fd >= 0) {
			close(fd);
		}
	}
}

/* Memory that may shrink could end us; what is too short or no memory at all is refused, too. */
static void inflight_checks_file(void **state)
{
	const off_t size = (off_t)vq_inflight_size(64);
	int loose = memfd_create("loose", MFD_CLOEXEC);
	int event = eventfd(0, EFD_CLOEXEC);
	int exact = sealed_file(size), little = sealed_file(size - 1);
	struct vhost_msg msg = message(1, 64, exact);

	assert_int_equal(ftruncate(loose, size), 0);
	assert_int_equal(set(1, 64, loose), -EPROTO);
	assert_int_equal(set(1, 64, event), -EPROTO);
	assert_int_equal(set(1, 64, little), -EPROTO);
	msg.body.inflight.offset = 1;
	assert_int_equal(vhost_inflight_set(&server, &msg), -EPROTO);
	msg.body.inflight.offset = UINT64_MAX - 4095;
	assert_int_equal(vhost_inflight_set(&server, &msg), -EPROTO);
	assert_null(server.inflight.map);
	assert_int_equal(set(1, 64, exact), 0);
	assert_non_null(vhost_inflight_record(&server.inflight, 0, 64));
	close(loose);
	close(event);
	close(exact);
	close(little);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inflight_has_record_per_queue),
		TEST(inflight_refuses_bad_sizes),
		TEST(inflight_checks_message_size),
		TEST(inflight_checks_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
