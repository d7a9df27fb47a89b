/* SPDX-License-Identifier: Apache-2.0 */
/* blk-load: drives a vhost-user-blk back end without a guest, and says what each request cost the
 * back end.
 *
 * One split queue in shared memory; as many requests as the depth says are always in flight. The
 * cost is the CPU time of the back end's process (all its threads, from /proc), so a lighter or
 * heavier driver does not change it. Prints one JSON object.
 *
 *  Source: QEMU, "Vhost-user Protocol"; virtio 1.2, "Split Virtqueues" and "Block Device".
 */
#define _GNU_SOURCE

#include "vhost_msg.h"

#include <errno.h>
#include <getopt.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RING	   256u
#define DEPTH_MAX  (RING / 4)
#define HEADERS_AT (1u << 20)
#define STATUS_AT  (2u << 20)
#define DATA_AT	   (4u << 20)
#define SECTOR	   512u

struct load {
	const char *socket;
	const char *mode;
	size_t block;
	unsigned depth;
	double seconds;
	uint64_t limit;	      /* bytes of the disk that are used, 0: all */
	unsigned flush_every; /* requests between two flushes, 0: none */
	int pid;
	bool is_write, is_random, is_fill;
	/* the connection */
	int sock, kick, call;
	uint8_t *memory;
	size_t memory_size;
	struct vring ring;
	uint64_t capacity; /* bytes */
	/* the run */
	uint16_t avail, used;
	uint64_t next, random, submitted, done, errors, flushes, kicks;
};

static void fail(const char *what)
{
	fprintf(stderr, "blk-load: %s: %s\n", what, errno ? strerror(errno) : "refused");
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* CPU seconds that all threads of the process ever used, ended ones included. */
static double cpu_seconds(int pid)
{
	unsigned long user = 0, system = 0;
	char path[64], line[1024];
	const char *after;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof(line), file) || !(after = strrchr(line, ')')) ||
	    sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2) {
		fail(path);
	}
	fclose(file);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void send_fd(struct load *load, uint32_t request, const void *body, uint32_t size, int fd)
{
	struct vhost_msg msg = {.header = {request, VHOST_VERSION, size}};
	struct iovec iov[2] = {{&msg.header, sizeof(msg.header)}, {&msg.body, size}};
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct msghdr hdr = {.msg_iov = iov, .msg_iovlen = 2};

	if (size) {
		memcpy(&msg.body, body, size);
	}
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		hdr.msg_control = control.bytes;
		hdr.msg_controllen = sizeof(control.bytes);
		cmsg = CMSG_FIRSTHDR(&hdr);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	if (sendmsg(load->sock, &hdr, MSG_NOSIGNAL) < 0) {
		fail("send");
	}
}

static void send_u64(struct load *load, uint32_t request, uint64_t value)
{
	send_fd(load, request, &value, sizeof(value), -1);
}

static void send_state(struct load *load, uint32_t request, uint32_t num)
{
	struct vhost_ring_state state = {0, num};

	send_fd(load, request, &state, sizeof(state), -1);
}

static void receive(struct load *load, struct vhost_msg *ret_msg)
{
	if (recv(load->sock, ret_msg, sizeof(ret_msg->header), MSG_WAITALL) !=
		    sizeof(ret_msg->header) ||
	    ret_msg->header.size > sizeof(ret_msg->body) ||
	    recv(load->sock, &ret_msg->body, ret_msg->header.size, MSG_WAITALL) !=
		    (ssize_t)ret_msg->header.size) {
		fail("receive");
	}
}

static uint64_t ask_u64(struct load *load, uint32_t request)
{
	struct vhost_msg msg;

	send_fd(load, request, NULL, 0, -1);
	receive(load, &msg);
	return msg.body.u64;
}

static void connect_to(struct load *load)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct vhost_mem_table table = {.region_count = 1};
	struct vhost_config config = {.size = sizeof(struct virtio_blk_config)};
	struct virtio_blk_config disk;
	struct vhost_ring_addr at = {0};
	struct vhost_msg msg;
	uint64_t features;
	int memory_fd;

	load->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strncpy(address.sun_path, load->socket, sizeof(address.sun_path) - 1);
	if (connect(load->sock, (struct sockaddr *)&address, sizeof(address)) < 0) {
		fail(load->socket);
	}
	send_fd(load, VHOST_SET_OWNER, NULL, 0, -1);
	features = ask_u64(load, VHOST_GET_FEATURES);
	if (features & 1ull << VHOST_F_PROTOCOL_FEATURES) {
		uint64_t offered = ask_u64(load, VHOST_GET_PROTOCOL_FEATURES);

		send_u64(load, VHOST_SET_PROTOCOL_FEATURES,
			 offered & (VHOST_PROTOCOL_CONFIG | VHOST_PROTOCOL_MQ));
	}
	send_u64(load, VHOST_SET_FEATURES,
		 features & (1ull << 32 | 1ull << VHOST_F_PROTOCOL_FEATURES |
			     1ull << VIRTIO_BLK_F_FLUSH | 1ull << VIRTIO_BLK_F_SEG_MAX |
			     1ull << VIRTIO_BLK_F_BLK_SIZE));
	config.size = 60;
	send_fd(load, VHOST_GET_CONFIG, &config, VHOST_CONFIG_SIZE(config.size), -1);
	receive(load, &msg);
	memcpy(&disk, msg.body.config.data, sizeof(disk));
	load->capacity = disk.capacity * SECTOR;

	load->memory_size = DATA_AT + load->depth * load->block;
	load->memory_size = (load->memory_size + (2u << 20) - 1) & ~(size_t)((2u << 20) - 1);
	memory_fd = memfd_create("guest", MFD_CLOEXEC);
	if (memory_fd < 0 || ftruncate(memory_fd, (off_t)load->memory_size) < 0) {
		fail("memory");
	}
	load->memory = mmap(NULL, load->memory_size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_POPULATE, memory_fd, 0);
	if (load->memory == MAP_FAILED) {
		fail("memory");
	}
	table.region[0].size = load->memory_size;
	table.region[0].user_addr = (uintptr_t)load->memory;
	send_fd(load, VHOST_SET_MEM_TABLE, &table, VHOST_MEM_TABLE_SIZE(1), memory_fd);
	vring_init(&load->ring, RING, load->memory, 4096);
	send_state(load, VHOST_SET_VRING_NUM, RING);
	send_state(load, VHOST_SET_VRING_BASE, 0);
	at.desc = (uintptr_t)load->ring.desc;
	at.used = (uintptr_t)load->ring.used;
	at.avail = (uintptr_t)load->ring.avail;
	send_fd(load, VHOST_SET_VRING_ADDR, &at, sizeof(at), -1);
	load->kick = eventfd(0, EFD_CLOEXEC);
	load->call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	send_fd(load, VHOST_SET_VRING_KICK, &(uint64_t){0}, 8, load->kick);
	send_fd(load, VHOST_SET_VRING_CALL, &(uint64_t){0}, 8, load->call);
	send_state(load, VHOST_SET_VRING_ENABLE, 1);
}

/* Three descriptors a request: header, data, status. They never change; only the headers do. */
static void lay_out(struct load *load)
{
	struct vring_desc *desc = load->ring.desc;
	uint64_t *words = (uint64_t *)(load->memory + DATA_AT);

	for (size_t i = 0; i < load->depth * load->block / 8; i++) {
		words[i] = (i + 1) * 0x9e3779b97f4a7c15ull; /* nothing compresses or is zero */
	}
	for (unsigned i = 0; i < load->depth; i++, desc += 3) {
		desc[0] = (struct vring_desc){HEADERS_AT + i * sizeof(struct virtio_blk_outhdr),
					      sizeof(struct virtio_blk_outhdr), VRING_DESC_F_NEXT,
					      (uint16_t)(3 * i + 1)};
		desc[1] = (struct vring_desc){DATA_AT + i * load->block, (uint32_t)load->block, 0,
					      (uint16_t)(3 * i + 2)};
		desc[2] = (struct vring_desc){STATUS_AT + i, 1, VRING_DESC_F_WRITE, 0};
	}
}

static uint64_t next_block(struct load *load)
{
	uint64_t blocks =
		(load->limit && load->limit < load->capacity ? load->limit : load->capacity) /
		load->block;

	if (!load->is_random) {
		return load->next++ % blocks;
	}
	load->random ^= load->random << 13;
	load->random ^= load->random >> 7;
	load->random ^= load->random << 17;
	return load->random % blocks;
}

static void submit(struct load *load, unsigned i)
{
	struct virtio_blk_outhdr *header =
		(struct virtio_blk_outhdr *)(load->memory + HEADERS_AT) + i;
	struct vring_desc *desc = &load->ring.desc[3 * i];
	bool flush =
		load->flush_every && load->submitted % (load->flush_every + 1) == load->flush_every;

	load->submitted++;
	if (flush) {
		load->flushes++;
		*header = (struct virtio_blk_outhdr){.type = VIRTIO_BLK_T_FLUSH};
		desc[0].next = (uint16_t)(3 * i + 2);
	} else {
		header->type = load->is_write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
		header->sector = next_block(load) * (load->block / SECTOR);
		desc[0].next = (uint16_t)(3 * i + 1);
		desc[1].flags = VRING_DESC_F_NEXT | (load->is_write ? 0 : VRING_DESC_F_WRITE);
	}
	load->memory[STATUS_AT + i] = 0xff;
	load->ring.avail->ring[load->avail % RING] = (uint16_t)(3 * i);
	load->avail++;
	__atomic_store_n(&load->ring.avail->idx, load->avail, __ATOMIC_RELEASE);
}

static void kick(struct load *load)
{
	uint64_t one = 1;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&load->ring.used->flags, __ATOMIC_RELAXED) & VRING_USED_F_NO_NOTIFY) {
		return;
	}
	load->kicks++;
	if (write(load->kick, &one, sizeof(one)) < 0) {
		fail("kick");
	}
}

static void wait_used(struct load *load)
{
	while (__atomic_load_n(&load->ring.used->idx, __ATOMIC_ACQUIRE) == load->used) {
		struct pollfd fds[2] = {{load->call, POLLIN, 0}, {load->sock, POLLIN, 0}};
		uint64_t count;

		if (poll(fds, 2, 120000) == 0 || fds[1].revents & (POLLHUP | POLLERR)) {
			errno = ETIMEDOUT;
			fail("the back end does not answer");
		}
		(void)!read(load->call, &count, sizeof(count));
	}
}

static double run(struct load *load)
{
	double start = now(), stop = start;
	uint64_t all = load->is_fill ? load->capacity / load->block : UINT64_MAX;
	unsigned flying = 0;

	for (; flying < load->depth && load->submitted < all; flying++) {
		submit(load, flying);
	}
	kick(load);
	while (flying) {
		bool more = false;

		wait_used(load);
		stop = now();
		while (__atomic_load_n(&load->ring.used->idx, __ATOMIC_ACQUIRE) != load->used) {
			unsigned i = load->ring.used->ring[load->used % RING].id / 3;

			load->used++;
			load->done++;
			load->errors += load->memory[STATUS_AT + i] != VIRTIO_BLK_S_OK;
			if (load->is_fill ? load->submitted < all : stop - start < load->seconds) {
				submit(load, i);
				more = true;
			} else {
				flying--;
			}
		}
		if (more) {
			kick(load);
		}
	}
	return stop - start;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: blk-load --socket PATH --mode read|write|randread|randwrite|fill\n"
		"                [--block BYTES] [--depth N] [--seconds S] [--limit BYTES]\n"
		"                [--flush-every N] [--pid N]\n"
		"Drives a vhost-user-blk back end and prints one JSON object. Writing modes\n"
		"overwrite the disk. --pid: the back end's process, for its CPU time.\n");
	exit(2);
}

static void parse(struct load *load, int argc, char **argv)
{
	static const struct option options[] = {
		{"socket", 1, 0, 's'},	    {"mode", 1, 0, 'm'},    {"block", 1, 0, 'b'},
		{"depth", 1, 0, 'd'},	    {"seconds", 1, 0, 't'}, {"limit", 1, 0, 'l'},
		{"flush-every", 1, 0, 'f'}, {"pid", 1, 0, 'p'},	    {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			load->socket = optarg;
			break;
		case 'm':
			load->mode = optarg;
			break;
		case 'b':
			load->block = strtoul(optarg, NULL, 0);
			break;
		case 'd':
			load->depth = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 't':
			load->seconds = strtod(optarg, NULL);
			break;
		case 'l':
			load->limit = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			load->flush_every = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			load->pid = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (!load->socket || !load->mode || load->depth < 1 || load->depth > DEPTH_MAX ||
	    load->block < SECTOR || load->block % SECTOR || load->block > 64u << 20) {
		usage();
	}
	load->is_fill = !strcmp(load->mode, "fill");
	load->is_write = load->is_fill || strstr(load->mode, "write");
	load->is_random = !strncmp(load->mode, "rand", 4);
}

int main(int argc, char **argv)
{
	struct load load = {
		.block = 4096, .depth = 1, .seconds = 1, .random = 88172645463325252ull};
	double cpu = 0, seconds;

	parse(&load, argc, argv);
	connect_to(&load);
	lay_out(&load);
	if (load.pid) {
		cpu = cpu_seconds(load.pid);
	}
	seconds = run(&load);
	if (load.pid) {
		cpu = cpu_seconds(load.pid) - cpu;
	}
	printf("{\"mode\": \"%s\", \"block\": %zu, \"depth\": %u, \"requests\": %lu, \"flushes\": "
	       "%lu, "
	       "\"errors\": %lu, \"seconds\": %.3f, \"iops\": %.0f, \"mb_per_s\": %.1f, "
	       "\"cpu_us\": %.3f, "
	       "\"kicks\": %lu}\n",
	       load.mode, load.block, load.depth, load.done, load.flushes, load.errors, seconds,
	       (double)load.done / seconds,
	       (double)(load.done - load.flushes) * (double)load.block / seconds / 1e6,
	       cpu * 1e6 / (double)load.done, load.kicks);
	send_state(&load, VHOST_GET_VRING_BASE, 0);
	receive(&load, &(struct vhost_msg){0});
	return load.errors ? 1 : 0;
}
