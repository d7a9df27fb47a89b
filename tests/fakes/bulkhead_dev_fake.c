/* SPDX-License-Identifier: Apache-2.0 */
/** A /dev/bulkhead of memory and threads: same states and errors as the hypervisor and its module.
 *
 *  One lock guards all. A partition fd is an eventfd whose counter is above 0 while the state is news; it
 *  is recognised by its kernel-wide id, so duplicates work. Waits use poll(), so that signals end them.
 */
#define _GNU_SOURCE
#include "bulkhead_dev_fake.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FAKE_PARTS   4u
#define FAKE_IRQFDS  64u
#define FAKE_MSIS    256u
#define FAKE_LOG     16384u
#define FAKE_CREATED 16u /* failures planned at once */

struct fake_irqfd {
	int fd; /* our duplicate, -1 free */
	unsigned long id;
	uint64_t addr;
	uint32_t data;
};

struct fake_msi {
	uint64_t addr;
	uint32_t data;
};

struct fake_part {
	bool known;
	struct bh_part_info info;
	int fd; /* our duplicate of the partition fd, -1 while EMPTY */
	unsigned long id;
	int ram_fd;
	void *ram;
	int ioreq_fd;
	struct bh_ioreq *slots;
	int wake[BH_VCPU_MAX];     /* for dev_ioreq_next */
	int answered[BH_VCPU_MAX]; /* for fake_dev_access */
	unsigned int epoch;        /* counts resets */
	struct bh_vcpu_start start[BH_VCPU_MAX];
	struct bh_vcpu_stats stats[BH_VCPU_MAX];
	int doorbell[BH_DOORBELL_MAX][BH_DOORBELL_QUEUE_MAX];
	uint64_t window;
	uint32_t window_pages;
	struct fake_irqfd irqfd[FAKE_IRQFDS];
	struct fake_msi msi[FAKE_MSIS];
	unsigned int msi_head, msi_tail;
	int msi_event;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fake_part parts[FAKE_PARTS];
static char log_text[FAKE_LOG];
static size_t log_size;
static int irq_epoll = -1;
static struct {
	unsigned long request;
	int error;
} planned[FAKE_CREATED];

static unsigned long eventfd_id(int fd)
{
	char path[64], line[128];
	unsigned long id = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "eventfd-id: %lu", &id) == 1) {
			id++; /* ids start at 0 */
			break;
		}
	}
	if (file) {
		fclose(file);
	}
	return id;
}

static void event_set(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one)) {
		return; /* counter full: set already */
	}
}

static void event_clear(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count)) {
		return; /* was clear */
	}
}

static int event_wait(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int ret = poll(&pfd, 1, timeout_ms);

	return ret < 0 ? -errno : ret == 0 ? -ETIMEDOUT : 0;
}

static int planned_error(unsigned long request)
{
	for (size_t i = 0; i < FAKE_CREATED; i++) {
		if (planned[i].error && planned[i].request == request) {
			int error = planned[i].error;

			planned[i].error = 0;
			return -error;
		}
	}
	return 0;
}

static struct fake_part *part_find(int fd)
{
	unsigned long id = eventfd_id(fd);

	for (uint32_t i = 0; id && i < FAKE_PARTS; i++) {
		if (parts[i].fd >= 0 && parts[i].id == id) {
			return &parts[i];
		}
	}
	return NULL;
}

/* Locks and finds; on failure unlocks and returns the error. */
static int part_enter(int fd, unsigned long request, struct fake_part **ret_part)
{
	int ret;

	pthread_mutex_lock(&lock);
	*ret_part = part_find(fd);
	ret = *ret_part ? planned_error(request) : -EBADF;
	if (ret) {
		pthread_mutex_unlock(&lock);
	}
	return ret;
}

static int part_leave(int ret)
{
	pthread_mutex_unlock(&lock);
	return ret;
}

static void part_wake(struct fake_part *part)
{
	for (uint32_t v = 0; v < BH_VCPU_MAX; v++) {
		event_set(part->wake[v]);
		event_set(part->answered[v]);
	}
}

static void part_set_state(struct fake_part *part, enum bh_part_state state)
{
	part->info.state = state;
	event_set(part->fd);
	part_wake(part);
}

static void part_clear(struct fake_part *part)
{
	for (uint32_t d = 0; d < BH_DOORBELL_MAX; d++) {
		for (uint32_t q = 0; q < BH_DOORBELL_QUEUE_MAX; q++) {
			if (part->doorbell[d][q] >= 0) {
				close(part->doorbell[d][q]);
				part->doorbell[d][q] = -1;
			}
		}
	}
	for (uint32_t i = 0; i < FAKE_IRQFDS; i++) {
		if (part->irqfd[i].fd >= 0) {
			epoll_ctl(irq_epoll, EPOLL_CTL_DEL, part->irqfd[i].fd, NULL);
			close(part->irqfd[i].fd);
			part->irqfd[i].fd = -1;
		}
	}
	part->window = 0;
	part->window_pages = 0;
	part->msi_head = part->msi_tail = 0;
	part->info.stop_reason = BH_STOP_NONE;
	part->info.stop_detail = part->info.stop_rip = 0;
	memset(part->start, 0, sizeof(part->start));
	memset(part->slots, 0, BH_PAGE_SIZE);
	part->epoch++;
}

static void part_destroy(struct fake_part *part)
{
	part_clear(part);
	part_set_state(part, BH_PART_EMPTY);
	close(part->fd);
	close(part->ram_fd);
	close(part->ioreq_fd);
	munmap(part->ram, part->info.ram_size);
	munmap(part->slots, BH_PAGE_SIZE);
	for (uint32_t v = 0; v < BH_VCPU_MAX; v++) {
		close(part->wake[v]);
		close(part->answered[v]);
	}
	close(part->msi_event);
	part->fd = -1;
	part->info.ram_hpa = 0;
}

static void msi_push(struct fake_part *part, uint64_t addr, uint32_t data)
{
	if (part->msi_tail - part->msi_head < FAKE_MSIS) {
		part->msi[part->msi_tail++ % FAKE_MSIS] = (struct fake_msi){addr, data};
		event_set(part->msi_event);
	}
}

static void *irq_thread(void *arg)
{
	struct epoll_event event;

	(void)arg;
	for (;;) {
		int n = epoll_wait(irq_epoll, &event, 1, -1);

		if (n != 1) {
			continue;
		}
		pthread_mutex_lock(&lock);
		struct fake_part *part = &parts[event.data.u64 / FAKE_IRQFDS];
		struct fake_irqfd *irqfd = &part->irqfd[event.data.u64 % FAKE_IRQFDS];

		/* It may have gone between the wait and the lock. */
		if (part->fd >= 0 && irqfd->fd >= 0 && event_wait(irqfd->fd, 0) == 0) {
			event_clear(irqfd->fd);
			msi_push(part, irqfd->addr, irqfd->data);
		}
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void fake_setup(void)
{
	static bool done;
	pthread_t thread;

	if (done) {
		return;
	}
	done = true;
	irq_epoll = epoll_create1(EPOLL_CLOEXEC);
	if (irq_epoll < 0 || pthread_create(&thread, NULL, irq_thread, NULL)) {
		abort();
	}
	pthread_detach(thread);
	for (uint32_t i = 0; i < FAKE_PARTS; i++) {
		parts[i].fd = -1;
	}
	parts[0].known = true;
	snprintf(parts[0].info.name, sizeof(parts[0].info.name), "control");
	parts[0].info.state = BH_PART_RUNNING;
	parts[0].info.vcpu_count = 1;
}

void fake_dev_reset(void)
{
	pthread_mutex_lock(&lock);
	fake_setup();
	for (uint32_t i = 0; i < FAKE_PARTS; i++) {
		if (parts[i].fd >= 0) {
			part_destroy(&parts[i]);
		}
		parts[i].known = i == 0;
		memset(parts[i].stats, 0, sizeof(parts[i].stats));
	}
	memset(planned, 0, sizeof(planned));
	log_size = 0;
	pthread_mutex_unlock(&lock);
}

void fake_dev_add_part(uint32_t part, const char *name, uint64_t ram_size, uint32_t vcpu_count)
{
	pthread_mutex_lock(&lock);
	fake_setup();
	if (part >= FAKE_PARTS || vcpu_count > BH_VCPU_MAX) {
		abort();
	}
	parts[part].known = true;
	memset(&parts[part].info, 0, sizeof(parts[part].info));
	snprintf(parts[part].info.name, sizeof(parts[part].info.name), "%s", name);
	parts[part].info.ram_size = ram_size;
	parts[part].info.vcpu_count = vcpu_count;
	parts[part].info.weight = 100;
	parts[part].info.tsc_khz = 50000;
	pthread_mutex_unlock(&lock);
}

void fake_dev_fail_next(unsigned long request, int error)
{
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < FAKE_CREATED; i++) {
		if (error == 0 && planned[i].request == request) {
			planned[i].error = 0;
		} else if (error && planned[i].error == 0) {
			planned[i].request = request;
			planned[i].error = error;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
}

int fake_dev_access(uint32_t part, uint32_t vcpu, enum bh_ioreq_type type, enum bh_ioreq_dir dir,
		    uint64_t addr, uint32_t size, uint64_t *data, int timeout_ms)
{
	struct fake_part *p = &parts[part];
	struct bh_ioreq *slot;
	unsigned int epoch;
	int ret = 0;

	pthread_mutex_lock(&lock);
	if (p->fd < 0 || p->info.state != BH_PART_RUNNING) {
		return part_leave(-ENODEV);
	}
	slot = &p->slots[vcpu];
	epoch = p->epoch;
	event_clear(p->answered[vcpu]);
	slot->addr = addr;
	slot->size = size;
	slot->data = dir == BH_IOREQ_WRITE ? *data : 0;
	slot->type = (uint8_t)type;
	slot->dir = (uint8_t)dir;
	slot->vcpu = (uint8_t)vcpu;
	slot->seq++;
	__atomic_store_n(&slot->state, BH_IOREQ_PENDING, __ATOMIC_RELEASE);
	event_set(p->wake[vcpu]);
	while (ret == 0 && p->fd >= 0 && p->info.state == BH_PART_RUNNING && p->epoch == epoch &&
	       slot->state != BH_IOREQ_FREE) {
		pthread_mutex_unlock(&lock);
		ret = event_wait(p->answered[vcpu], timeout_ms);
		pthread_mutex_lock(&lock);
		event_clear(p->answered[vcpu]);
	}
	if (p->fd < 0 || p->info.state != BH_PART_RUNNING || p->epoch != epoch) {
		ret = -ENODEV;
	} else if (ret == 0 && dir == BH_IOREQ_READ) {
		*data = size == 8 ? slot->data : slot->data & ((1ull << (8 * size)) - 1);
	}
	return part_leave(ret);
}

bool fake_dev_ring(uint32_t part, uint64_t gpa)
{
	struct fake_part *p = &parts[part];
	bool rung = false;

	pthread_mutex_lock(&lock);
	if (p->fd >= 0 && p->window && gpa >= p->window &&
	    (gpa - p->window) / BH_PAGE_SIZE < p->window_pages) {
		uint64_t page = (gpa - p->window) / BH_PAGE_SIZE;
		uint64_t queue = gpa % BH_PAGE_SIZE / 4;

		if (queue < BH_DOORBELL_QUEUE_MAX && p->doorbell[page][queue] >= 0) {
			event_set(p->doorbell[page][queue]);
			rung = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return rung;
}

void fake_dev_stop(uint32_t part, enum bh_stop_reason reason, uint64_t detail)
{
	pthread_mutex_lock(&lock);
	if (parts[part].fd >= 0) {
		parts[part].info.stop_reason = reason;
		parts[part].info.stop_detail = detail;
		part_set_state(&parts[part], BH_PART_STOPPED);
	}
	pthread_mutex_unlock(&lock);
}

bool fake_dev_take_msi(uint32_t part, uint64_t *ret_addr, uint32_t *ret_data, int timeout_ms)
{
	struct fake_part *p = &parts[part];
	bool taken = false;

	pthread_mutex_lock(&lock);
	while (p->fd >= 0 && p->msi_head == p->msi_tail) {
		int ret;

		event_clear(p->msi_event);
		pthread_mutex_unlock(&lock);
		ret = event_wait(p->msi_event, timeout_ms);
		pthread_mutex_lock(&lock);
		if (ret) {
			break;
		}
	}
	if (p->fd >= 0 && p->msi_head != p->msi_tail) {
		struct fake_msi msi = p->msi[p->msi_head++ % FAKE_MSIS];

		*ret_addr = msi.addr;
		*ret_data = msi.data;
		taken = true;
	}
	pthread_mutex_unlock(&lock);
	return taken;
}

enum bh_part_state fake_dev_state(uint32_t part)
{
	pthread_mutex_lock(&lock);
	return (enum bh_part_state)part_leave((int)parts[part].info.state);
}

const struct bh_vcpu_start *fake_dev_vcpu(uint32_t part, uint32_t vcpu)
{
	return &parts[part].start[vcpu];
}

void *fake_dev_ram(uint32_t part)
{
	return parts[part].fd >= 0 ? parts[part].ram : NULL;
}

void fake_dev_log(const char *text)
{
	size_t size = strlen(text);

	pthread_mutex_lock(&lock);
	if (size <= FAKE_LOG - log_size) {
		memcpy(log_text + log_size, text, size);
		log_size += size;
	}
	pthread_mutex_unlock(&lock);
}

void fake_dev_set_stats(uint32_t part, uint32_t vcpu, const struct bh_vcpu_stats *stats)
{
	pthread_mutex_lock(&lock);
	parts[part].stats[vcpu] = *stats;
	pthread_mutex_unlock(&lock);
}

int dev_open(void)
{
	int fd;

	pthread_mutex_lock(&lock);
	fake_setup();
	fd = planned_error(BULKHEAD_VERSION);
	if (fd == 0) {
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	return part_leave(fd);
}

int dev_info(int dev, uint32_t part, struct bh_part_info *ret_info)
{
	int ret;

	(void)dev;
	pthread_mutex_lock(&lock);
	ret = planned_error(BULKHEAD_INFO);
	if (ret == 0 && (part >= FAKE_PARTS || !parts[part].known)) {
		ret = -ENOENT;
	}
	if (ret == 0) {
		*ret_info = parts[part].info;
	}
	return part_leave(ret);
}

int dev_stats(int dev, uint32_t part, uint32_t vcpu, struct bh_vcpu_stats *ret_stats)
{
	int ret;

	(void)dev;
	pthread_mutex_lock(&lock);
	ret = planned_error(BULKHEAD_STATS);
	if (ret == 0 && (part >= FAKE_PARTS || !parts[part].known ||
			 vcpu >= parts[part].info.vcpu_count)) {
		ret = -ENOENT;
	}
	if (ret == 0) {
		*ret_stats = parts[part].stats[vcpu];
	}
	return part_leave(ret);
}

int dev_log(int dev, struct bh_log_read *log)
{
	(void)dev;
	pthread_mutex_lock(&lock);
	if (log->cursor > log_size) {
		log->cursor = log_size;
	}
	log->size = log_size - log->cursor < BH_LOG_TEXT ? (uint32_t)(log_size - log->cursor)
							 : BH_LOG_TEXT;
	memcpy(log->text, log_text + log->cursor, log->size);
	log->written = log_size;
	return part_leave(0);
}

/* True if only the fake itself still holds the partition fd: the user closed it. */
static bool part_forgotten(const struct fake_part *part)
{
	DIR *dir = opendir("/proc/self/fd");
	bool held = dir == NULL;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		int fd = atoi(entry->d_name);

		held |= fd > 0 && fd != part->fd && eventfd_id(fd) == part->id;
	}
	if (dir) {
		closedir(dir);
	}
	return !held;
}

static void *map_new(const char *name, uint64_t size, int *ret_fd)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *addr = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, (off_t)size) == 0) {
		addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	}
	if (addr == MAP_FAILED || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		abort();
	}
	*ret_fd = fd;
	return addr;
}

int dev_create(int dev, uint32_t part)
{
	struct fake_part *p;
	int fd, ret;

	(void)dev;
	pthread_mutex_lock(&lock);
	ret = planned_error(BULKHEAD_CREATE);
	if (ret) {
		return part_leave(ret);
	}
	if (part >= FAKE_PARTS || !parts[part].known) {
		return part_leave(-ENOENT);
	}
	p = &parts[part];
	if (part == BH_PART_CONTROL || (p->fd >= 0 && !part_forgotten(p))) {
		return part_leave(-EBUSY);
	}
	if (p->fd >= 0) {
		part_destroy(p);
	}
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		return part_leave(-errno);
	}
	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	p->id = eventfd_id(fd);
	p->ram = map_new("fake-ram", p->info.ram_size, &p->ram_fd);
	p->slots = map_new("fake-ioreq", BH_PAGE_SIZE, &p->ioreq_fd);
	for (uint32_t v = 0; v < BH_VCPU_MAX; v++) {
		p->wake[v] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		p->answered[v] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	p->msi_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	memset(p->doorbell, -1, sizeof(p->doorbell));
	for (uint32_t i = 0; i < FAKE_IRQFDS; i++) {
		p->irqfd[i].fd = -1;
	}
	part_clear(p);
	p->info.state = BH_PART_CREATED;
	p->info.ram_hpa = 0x20000000;
	return part_leave(fd);
}

int dev_part_info(int part_fd, struct bh_part_info *ret_info)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_PART_INFO, &part);

	if (ret) {
		return ret;
	}
	event_clear(part->fd);
	*ret_info = part->info;
	return part_leave(0);
}

static int part_move(int part_fd, unsigned long request, enum bh_part_state from, enum bh_part_state to)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, request, &part);

	if (ret) {
		return ret;
	}
	if (part->info.state != from) {
		return part_leave(-EBUSY);
	}
	part_set_state(part, to);
	return part_leave(0);
}

int dev_part_start(int part_fd)
{
	return part_move(part_fd, BULKHEAD_START, BH_PART_CREATED, BH_PART_RUNNING);
}

int dev_part_pause(int part_fd)
{
	return part_move(part_fd, BULKHEAD_PAUSE, BH_PART_RUNNING, BH_PART_PAUSED);
}

int dev_part_resume(int part_fd)
{
	return part_move(part_fd, BULKHEAD_RESUME, BH_PART_PAUSED, BH_PART_RUNNING);
}

int dev_part_reset(int part_fd)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_RESET, &part);

	if (ret) {
		return ret;
	}
	part_clear(part);
	memset(part->ram, 0, part->info.ram_size);
	part_set_state(part, BH_PART_CREATED);
	return part_leave(0);
}

int dev_vcpu_set(int part_fd, uint32_t vcpu, const struct bh_vcpu_start *start)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_VCPU_SET, &part);

	if (ret) {
		return ret;
	}
	if (part->info.state != BH_PART_CREATED) {
		return part_leave(-EBUSY);
	}
	if (vcpu >= part->info.vcpu_count) {
		return part_leave(-ENOENT);
	}
	part->start[vcpu] = *start;
	return part_leave(0);
}

int dev_ram_fd(int part_fd)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_RAM_FD, &part);

	if (ret) {
		return ret;
	}
	ret = fcntl(part->ram_fd, F_DUPFD_CLOEXEC, 3);
	return part_leave(ret < 0 ? -errno : ret);
}

int dev_map_ram(int fd, uint64_t gpa, uint64_t size, void **ret_ram)
{
	struct fake_part *part;
	uint64_t ram_size;
	void *addr;

	pthread_mutex_lock(&lock);
	part = part_find(fd);
	ram_size = part ? part->info.ram_size : (uint64_t)lseek(fd, 0, SEEK_END);
	if (part) {
		fd = part->ram_fd;
	}
	pthread_mutex_unlock(&lock);
	if (size == 0 || (gpa | size) % BH_PAGE_SIZE || gpa > ram_size || size > ram_size - gpa) {
		return -EINVAL;
	}
	addr = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)gpa);
	if (addr == MAP_FAILED) {
		return -errno;
	}
	*ret_ram = addr;
	return 0;
}

int dev_map_ioreq(int part_fd, struct bh_ioreq **ret_slots)
{
	struct fake_part *part;
	void *addr;

	pthread_mutex_lock(&lock);
	part = part_find(part_fd);
	if (!part) {
		return part_leave(-EBADF);
	}
	addr = mmap(NULL, BH_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, part->ioreq_fd, 0);
	if (addr == MAP_FAILED) {
		return part_leave(-errno);
	}
	*ret_slots = addr;
	return part_leave(0);
}

void dev_unmap(void *addr, uint64_t size)
{
	munmap(addr, size);
}

int dev_ioreq_next(int part_fd, uint32_t vcpu)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_IOREQ_NEXT, &part);
	struct bh_ioreq *slot;
	unsigned int epoch;

	if (ret) {
		return ret;
	}
	if (vcpu >= part->info.vcpu_count) {
		return part_leave(-EINVAL);
	}
	slot = &part->slots[vcpu];
	epoch = part->epoch;
	if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == BH_IOREQ_DONE) {
		slot->state = BH_IOREQ_FREE;
		event_set(part->answered[vcpu]);
	}
	for (;;) {
		if (part->fd < 0 || part->epoch != epoch || part->info.state == BH_PART_STOPPED) {
			return part_leave(-ENODEV);
		}
		if (slot->state == BH_IOREQ_PENDING) {
			return part_leave(0);
		}
		event_clear(part->wake[vcpu]);
		pthread_mutex_unlock(&lock);
		ret = event_wait(part->wake[vcpu], -1);
		pthread_mutex_lock(&lock);
		if (ret) {
			return part_leave(ret);
		}
	}
}

int dev_doorbell(int part_fd, uint32_t doorbell, uint32_t queue, int fd)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_DOORBELL, &part);
	int copy = -1;

	if (ret) {
		return ret;
	}
	if (doorbell >= BH_DOORBELL_MAX || queue >= BH_DOORBELL_QUEUE_MAX) {
		return part_leave(-EINVAL);
	}
	if (fd >= 0) {
		if (!eventfd_id(fd)) {
			return part_leave(-EINVAL);
		}
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	if (part->doorbell[doorbell][queue] >= 0) {
		close(part->doorbell[doorbell][queue]);
	}
	part->doorbell[doorbell][queue] = copy;
	return part_leave(0);
}

int dev_doorbell_window(int part_fd, uint64_t gpa, uint32_t count)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_DOORBELL_WINDOW, &part);

	if (ret) {
		return ret;
	}
	if (gpa % BH_PAGE_SIZE || (gpa && (count == 0 || count > BH_DOORBELL_MAX))) {
		return part_leave(-EINVAL);
	}
	if (gpa && gpa < part->info.ram_size) {
		return part_leave(-ERANGE);
	}
	part->window = gpa;
	part->window_pages = count;
	return part_leave(0);
}

static struct fake_irqfd *irqfd_find(struct fake_part *part, unsigned long id)
{
	struct fake_irqfd *found = NULL;

	for (uint32_t i = 0; i < FAKE_IRQFDS; i++) {
		if (part->irqfd[i].fd >= 0 && part->irqfd[i].id == id) {
			found = &part->irqfd[i];
		}
	}
	return found;
}

int dev_irqfd(int part_fd, int fd, uint64_t msi_addr, uint32_t msi_data)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_IRQFD, &part);
	unsigned long id = eventfd_id(fd);
	struct fake_irqfd *irqfd;

	if (ret) {
		return ret;
	}
	if (!id) {
		return part_leave(-EINVAL);
	}
	irqfd = irqfd_find(part, id);
	for (uint32_t i = 0; !irqfd && i < FAKE_IRQFDS; i++) {
		if (part->irqfd[i].fd < 0) {
			struct epoll_event event = {.events = EPOLLIN};

			irqfd = &part->irqfd[i];
			event.data.u64 = (uint64_t)(part - parts) * FAKE_IRQFDS + i;
			irqfd->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
			irqfd->id = id;
			epoll_ctl(irq_epoll, EPOLL_CTL_ADD, irqfd->fd, &event);
		}
	}
	if (!irqfd) {
		return part_leave(-ENOMEM);
	}
	irqfd->addr = msi_addr;
	irqfd->data = msi_data;
	return part_leave(0);
}

int dev_irqfd_remove(int part_fd, int fd)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_IRQFD, &part);
	struct fake_irqfd *irqfd;

	if (ret) {
		return ret;
	}
	irqfd = irqfd_find(part, eventfd_id(fd));
	if (!irqfd) {
		return part_leave(-ENOENT);
	}
	epoll_ctl(irq_epoll, EPOLL_CTL_DEL, irqfd->fd, NULL);
	close(irqfd->fd);
	irqfd->fd = -1;
	return part_leave(0);
}

int dev_msi(int part_fd, uint64_t msi_addr, uint32_t msi_data)
{
	struct fake_part *part;
	int ret = part_enter(part_fd, BULKHEAD_MSI, &part);

	if (ret) {
		return ret;
	}
	msi_push(part, msi_addr, msi_data);
	return part_leave(0);
}
