/* SPDX-License-Identifier: Apache-2.0 */
/** The fake device as the test sees it: hypervisor and guest. The other half is
 * bulkhead_dev_fake.c. */
#define _GNU_SOURCE
#include "bulkhead_dev_fake_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

struct fake_state fake = {.lock = PTHREAD_MUTEX_INITIALIZER, .irq_epoll = -1};

static int fake_leave(int ret)
{
	pthread_mutex_unlock(&fake.lock);
	return ret;
}

unsigned long fake_event_id(int fd)
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

void fake_event_set(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one)) {
		return; /* counter full: set already */
	}
}

void fake_event_clear(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) != sizeof(count)) {
		return; /* was clear */
	}
}

int fake_event_wait(int fd, int timeout_ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int ret = poll(&pfd, 1, timeout_ms);

	return ret < 0 ? -errno : ret == 0 ? -ETIMEDOUT : 0;
}

int fake_planned_error(unsigned long request)
{
	for (size_t i = 0; i < FAKE_FAILURES; i++) {
		if (fake.planned[i].error && fake.planned[i].request == request) {
			int error = fake.planned[i].error;

			fake.planned[i].error = 0;
			return -error;
		}
	}
	return 0;
}

static void part_wake(struct fake_part *part)
{
	for (uint32_t v = 0; v < BH_VCPU_MAX; v++) {
		fake_event_set(part->wake[v]);
		fake_event_set(part->answered[v]);
	}
}

void fake_part_set_state(struct fake_part *part, enum bh_part_state state)
{
	part->info.state = state;
	fake_event_set(part->fd);
	part_wake(part);
}

void fake_part_clear(struct fake_part *part)
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
			epoll_ctl(fake.irq_epoll, EPOLL_CTL_DEL, part->irqfd[i].fd, NULL);
			close(part->irqfd[i].fd);
			part->irqfd[i].fd = -1;
		}
	}
	fake_device_clear((uint32_t)(part - fake.parts));
	part->window = 0;
	part->window_pages = 0;
	part->msi_head = part->msi_tail = 0;
	part->info.stop_reason = BH_STOP_NONE;
	part->info.stop_detail = part->info.stop_rip = 0;
	memset(part->start, 0, sizeof(part->start));
	memset(part->slots, 0, BH_PAGE_SIZE);
	part->epoch++;
}

void fake_part_destroy(struct fake_part *part)
{
	fake_part_clear(part);
	fake_part_set_state(part, BH_PART_EMPTY);
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

void fake_msi_push(struct fake_part *part, uint64_t addr, uint32_t data)
{
	if (part->msi_tail - part->msi_head < FAKE_MSIS) {
		part->msi[part->msi_tail++ % FAKE_MSIS] = (struct fake_msi){addr, data};
		fake_event_set(part->msi_event);
	}
}

static void *irq_thread(void *arg)
{
	struct epoll_event event;

	(void)arg;
	for (;;) {
		int n = epoll_wait(fake.irq_epoll, &event, 1, -1);

		if (n != 1) {
			continue;
		}
		pthread_mutex_lock(&fake.lock);
		struct fake_part *part = &fake.parts[event.data.u64 / FAKE_IRQFDS];
		struct fake_irqfd *irqfd = &part->irqfd[event.data.u64 % FAKE_IRQFDS];

		/* It may have gone between the wait and the fake.lock. */
		if (part->fd >= 0 && irqfd->fd >= 0 && fake_event_wait(irqfd->fd, 0) == 0) {
			fake_event_clear(irqfd->fd);
			fake_msi_push(part, irqfd->addr, irqfd->data);
		}
		pthread_mutex_unlock(&fake.lock);
	}
	return NULL;
}

void fake_setup(void)
{
	static bool done;
	sigset_t all, before;
	pthread_t thread;

	if (done) {
		return;
	}
	done = true;
	fake.irq_epoll = epoll_create1(EPOLL_CLOEXEC);
	/* Signals are the business of the threads of the test. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (fake.irq_epoll < 0 || pthread_create(&thread, NULL, irq_thread, NULL)) {
		abort();
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_detach(thread);
	for (uint32_t i = 0; i < FAKE_PARTS; i++) {
		fake.parts[i].fd = -1;
	}
	fake.parts[0].known = true;
	snprintf(fake.parts[0].info.name, sizeof(fake.parts[0].info.name), "control");
	fake.parts[0].info.state = BH_PART_RUNNING;
	fake.parts[0].info.vcpu_count = 1;
}

void fake_dev_reset(void)
{
	pthread_mutex_lock(&fake.lock);
	fake_setup();
	for (uint32_t i = 0; i < FAKE_PARTS; i++) {
		if (fake.parts[i].fd >= 0) {
			fake_part_destroy(&fake.parts[i]);
		}
		fake.parts[i].known = i == 0;
		memset(fake.parts[i].stats, 0, sizeof(fake.parts[i].stats));
	}
	memset(fake.planned, 0, sizeof(fake.planned));
	fake.log_size = 0;
	fake.device_count = 0;
	memset(&fake.policy, 0, sizeof(fake.policy));
	pthread_mutex_unlock(&fake.lock);
}

void fake_dev_add_part(uint32_t part, const char *name, uint64_t ram_size, uint32_t vcpu_count)
{
	pthread_mutex_lock(&fake.lock);
	fake_setup();
	if (part >= FAKE_PARTS || vcpu_count > BH_VCPU_MAX) {
		abort();
	}
	fake.parts[part].known = true;
	memset(&fake.parts[part].info, 0, sizeof(fake.parts[part].info));
	snprintf(fake.parts[part].info.name, sizeof(fake.parts[part].info.name), "%s", name);
	fake.parts[part].info.ram_size = ram_size;
	fake.parts[part].info.vcpu_count = vcpu_count;
	fake.parts[part].info.weight = 100;
	fake.parts[part].info.tsc_khz = 50000;
	pthread_mutex_unlock(&fake.lock);
}

void fake_dev_fail_next(unsigned long request, int error)
{
	pthread_mutex_lock(&fake.lock);
	for (size_t i = 0; i < FAKE_FAILURES; i++) {
		if (error == 0 && fake.planned[i].request == request) {
			fake.planned[i].error = 0;
		} else if (error && fake.planned[i].error == 0) {
			fake.planned[i].request = request;
			fake.planned[i].error = error;
			break;
		}
	}
	pthread_mutex_unlock(&fake.lock);
}

int fake_dev_access(uint32_t part, uint32_t vcpu, enum bh_ioreq_type type, enum bh_ioreq_dir dir,
		    uint64_t addr, uint32_t size, uint64_t *data, int timeout_ms)
{
	struct fake_part *p = &fake.parts[part];
	struct bh_ioreq *slot;
	unsigned int epoch;
	int ret = 0;

	pthread_mutex_lock(&fake.lock);
	if (p->fd < 0 || p->info.state != BH_PART_RUNNING) {
		return fake_leave(-ENODEV);
	}
	slot = &p->slots[vcpu];
	epoch = p->epoch;
	fake_event_clear(p->answered[vcpu]);
	slot->addr = addr;
	slot->size = size;
	slot->data = dir == BH_IOREQ_WRITE ? *data : 0;
	slot->type = (uint8_t)type;
	slot->dir = (uint8_t)dir;
	slot->vcpu = (uint8_t)vcpu;
	slot->seq++;
	__atomic_store_n(&slot->state, BH_IOREQ_PENDING, __ATOMIC_RELEASE);
	fake_event_set(p->wake[vcpu]);
	while (ret == 0 && p->fd >= 0 && p->info.state == BH_PART_RUNNING && p->epoch == epoch &&
	       slot->state != BH_IOREQ_FREE) {
		pthread_mutex_unlock(&fake.lock);
		ret = fake_event_wait(p->answered[vcpu], timeout_ms);
		pthread_mutex_lock(&fake.lock);
		fake_event_clear(p->answered[vcpu]);
	}
	if (p->fd < 0 || p->info.state != BH_PART_RUNNING || p->epoch != epoch) {
		ret = -ENODEV;
	} else if (ret == 0 && dir == BH_IOREQ_READ) {
		*data = size == 8 ? slot->data : slot->data & ((1ull << (8 * size)) - 1);
	}
	return fake_leave(ret);
}

bool fake_dev_ring(uint32_t part, uint64_t gpa)
{
	struct fake_part *p = &fake.parts[part];
	bool rung = false;

	pthread_mutex_lock(&fake.lock);
	if (p->fd >= 0 && p->window && gpa >= p->window &&
	    (gpa - p->window) / BH_PAGE_SIZE < p->window_pages) {
		uint64_t page = (gpa - p->window) / BH_PAGE_SIZE;
		uint64_t queue = gpa % BH_PAGE_SIZE / 4;

		if (queue < BH_DOORBELL_QUEUE_MAX && p->doorbell[page][queue] >= 0) {
			fake_event_set(p->doorbell[page][queue]);
			rung = true;
		}
	}
	pthread_mutex_unlock(&fake.lock);
	return rung;
}

void fake_dev_stop(uint32_t part, enum bh_stop_reason reason, uint64_t detail)
{
	pthread_mutex_lock(&fake.lock);
	if (fake.parts[part].fd >= 0) {
		fake.parts[part].info.stop_reason = reason;
		fake.parts[part].info.stop_detail = detail;
		fake_part_set_state(&fake.parts[part], BH_PART_STOPPED);
	}
	pthread_mutex_unlock(&fake.lock);
}

bool fake_dev_take_msi(uint32_t part, uint64_t *ret_addr, uint32_t *ret_data, int timeout_ms)
{
	struct fake_part *p = &fake.parts[part];
	bool taken = false;

	pthread_mutex_lock(&fake.lock);
	while (p->fd >= 0 && p->msi_head == p->msi_tail) {
		int ret;

		fake_event_clear(p->msi_event);
		pthread_mutex_unlock(&fake.lock);
		ret = fake_event_wait(p->msi_event, timeout_ms);
		pthread_mutex_lock(&fake.lock);
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
	pthread_mutex_unlock(&fake.lock);
	return taken;
}

enum bh_part_state fake_dev_state(uint32_t part)
{
	pthread_mutex_lock(&fake.lock);
	return (enum bh_part_state)fake_leave((int)fake.parts[part].info.state);
}

const struct bh_vcpu_start *fake_dev_vcpu(uint32_t part, uint32_t vcpu)
{
	return &fake.parts[part].start[vcpu];
}

void *fake_dev_ram(uint32_t part)
{
	return fake.parts[part].fd >= 0 ? fake.parts[part].ram : NULL;
}

void fake_dev_log(const char *text)
{
	size_t size = strlen(text);

	pthread_mutex_lock(&fake.lock);
	if (size <= FAKE_LOG - fake.log_size) {
		memcpy(fake.log_text + fake.log_size, text, size);
		fake.log_size += size;
	}
	pthread_mutex_unlock(&fake.lock);
}

void fake_dev_set_stats(uint32_t part, uint32_t vcpu, const struct bh_vcpu_stats *stats)
{
	pthread_mutex_lock(&fake.lock);
	fake.parts[part].stats[vcpu] = *stats;
	pthread_mutex_unlock(&fake.lock);
}
