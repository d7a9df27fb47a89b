/* SPDX-License-Identifier: Apache-2.0 */
/** A /dev/bulkhead of memory and threads: same states and errors as the hypervisor and its module.
 *
 *  A partition fd is an eventfd whose counter is above 0 while the state is news; it is recognised
 * by its kernel-wide id, so duplicates work. Waits use poll(), so that signals end them.
 */
#define _GNU_SOURCE
#include "bulkhead_dev_fake_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static struct fake_part *part_find(int fd)
{
	unsigned long id = fake_event_id(fd);

	for (uint32_t i = 0; id && i < FAKE_PARTS; i++) {
		if (fake.parts[i].fd >= 0 && fake.parts[i].id == id) {
			return &fake.parts[i];
		}
	}
	return NULL;
}

/* Locks and finds; on failure unlocks and returns the error. */
int fake_part_enter(int fd, unsigned long request, struct fake_part **ret_part)
{
	int ret;

	pthread_mutex_lock(&fake.lock);
	*ret_part = part_find(fd);
	ret = *ret_part ? fake_planned_error(request) : -EBADF;
	if (ret) {
		pthread_mutex_unlock(&fake.lock);
	}
	return ret;
}

int fake_part_leave(int ret)
{
	pthread_mutex_unlock(&fake.lock);
	return ret;
}

int dev_open(void)
{
	int fd;

	pthread_mutex_lock(&fake.lock);
	fake_setup();
	fd = fake_planned_error(BULKHEAD_VERSION);
	if (fd == 0) {
		fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	}
	return fake_part_leave(fd);
}

int dev_info(int dev, uint32_t part, struct bh_part_info *ret_info)
{
	int ret;

	(void)dev;
	pthread_mutex_lock(&fake.lock);
	ret = fake_planned_error(BULKHEAD_INFO);
	if (ret == 0 && (part >= FAKE_PARTS || !fake.parts[part].known)) {
		ret = -ENOENT;
	}
	if (ret == 0) {
		*ret_info = fake.parts[part].info;
	}
	return fake_part_leave(ret);
}

int dev_stats(int dev, uint32_t part, uint32_t vcpu, struct bh_vcpu_stats *ret_stats)
{
	int ret;

	(void)dev;
	pthread_mutex_lock(&fake.lock);
	ret = fake_planned_error(BULKHEAD_STATS);
	if (ret == 0 && (part >= FAKE_PARTS || !fake.parts[part].known ||
			 vcpu >= fake.parts[part].info.vcpu_count)) {
		ret = -ENOENT;
	}
	if (ret == 0) {
		*ret_stats = fake.parts[part].stats[vcpu];
	}
	return fake_part_leave(ret);
}

void fake_dev_set_iommu(const struct bh_iommu_info *info)
{
	pthread_mutex_lock(&fake.lock);
	fake.iommu = *info;
	pthread_mutex_unlock(&fake.lock);
}

int dev_iommu(int dev, struct bh_iommu_info *ret_info)
{
	(void)dev;
	pthread_mutex_lock(&fake.lock);
	*ret_info = fake.iommu;
	return fake_part_leave(0);
}

int dev_fault(int dev, struct bh_iommu_fault *fault)
{
	(void)dev;
	pthread_mutex_lock(&fake.lock);
	if (fault->number >= fake.iommu.faults) {
		return fake_part_leave(-ENOENT);
	}
	*fault = (struct bh_iommu_fault){
		.number = fault->number, .address = 0x1000 * fault->number, .part = 1, .write = 1};
	return fake_part_leave(0);
}

void fake_dev_set_policy(const struct bh_policy_info *info)
{
	pthread_mutex_lock(&fake.lock);
	fake.policy = *info;
	pthread_mutex_unlock(&fake.lock);
}

int dev_policy_info(int dev, struct bh_policy_info *ret_info)
{
	int ret;

	(void)dev;
	pthread_mutex_lock(&fake.lock);
	ret = fake_planned_error(BULKHEAD_POLICY_INFO);
	if (ret == 0) {
		*ret_info = fake.policy;
	}
	return fake_part_leave(ret);
}

int dev_policy_load(int dev, const void *table, uint32_t size)
{
	const struct bh_policy *head = table;
	int ret;

	(void)dev;
	pthread_mutex_lock(&fake.lock);
	ret = fake_planned_error(BULKHEAD_POLICY_LOAD);
	if (ret == 0 && (size < sizeof(*head) || head->magic != BH_POLICY_MAGIC)) {
		ret = -EBADMSG;
	}
	if (ret == 0) {
		memcpy(fake.policy.hash, head->hash, sizeof(head->hash));
		fake.policy.serial = head->serial;
		fake.policy.loads++;
	}
	return fake_part_leave(ret);
}

int dev_log(int dev, struct bh_log_read *log)
{
	(void)dev;
	pthread_mutex_lock(&fake.lock);
	if (log->cursor > fake.log_size) {
		log->cursor = fake.log_size;
	}
	log->size = fake.log_size - log->cursor < BH_LOG_TEXT
			    ? (uint32_t)(fake.log_size - log->cursor)
			    : BH_LOG_TEXT;
	memcpy(log->text, fake.log_text + log->cursor, log->size);
	log->written = fake.log_size;
	return fake_part_leave(0);
}

/* True if only the fake itself still holds the partition fd: the user closed it. */
static bool part_forgotten(const struct fake_part *part)
{
	DIR *dir = opendir("/proc/self/fd");
	bool held = dir == NULL;

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		int fd = atoi(entry->d_name);

		held |= fd > 0 && fd != part->fd && fake_event_id(fd) == part->id;
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
	if (addr == MAP_FAILED ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
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
	pthread_mutex_lock(&fake.lock);
	ret = fake_planned_error(BULKHEAD_CREATE);
	if (ret) {
		return fake_part_leave(ret);
	}
	if (part >= FAKE_PARTS || !fake.parts[part].known) {
		return fake_part_leave(-ENOENT);
	}
	p = &fake.parts[part];
	if (part == BH_PART_CONTROL || (p->fd >= 0 && !part_forgotten(p))) {
		return fake_part_leave(-EBUSY);
	}
	if (p->fd >= 0) {
		fake_part_destroy(p);
	}
	fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (fd < 0) {
		return fake_part_leave(-errno);
	}
	p->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	p->id = fake_event_id(fd);
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
	fake_part_clear(p);
	p->info.state = BH_PART_CREATED;
	p->info.ram_hpa = 0x20000000;
	return fake_part_leave(fd);
}

int dev_part_info(int part_fd, struct bh_part_info *ret_info)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_PART_INFO, &part);

	if (ret) {
		return ret;
	}
	fake_event_clear(part->fd);
	*ret_info = part->info;
	return fake_part_leave(0);
}

static int part_move(int part_fd, unsigned long request, enum bh_part_state from,
		     enum bh_part_state to)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, request, &part);

	if (ret) {
		return ret;
	}
	if (part->info.state != from) {
		return fake_part_leave(-EBUSY);
	}
	fake_part_set_state(part, to);
	return fake_part_leave(0);
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
	int ret = fake_part_enter(part_fd, BULKHEAD_RESET, &part);

	if (ret) {
		return ret;
	}
	fake_part_clear(part);
	memset(part->ram, 0, part->info.ram_size);
	fake_part_set_state(part, BH_PART_CREATED);
	return fake_part_leave(0);
}

int dev_vcpu_set(int part_fd, uint32_t vcpu, const struct bh_vcpu_start *start)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_VCPU_SET, &part);

	if (ret) {
		return ret;
	}
	if (part->info.state != BH_PART_CREATED) {
		return fake_part_leave(-EBUSY);
	}
	if (vcpu >= part->info.vcpu_count) {
		return fake_part_leave(-ENOENT);
	}
	part->start[vcpu] = *start;
	return fake_part_leave(0);
}

int dev_ram_fd(int part_fd)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_RAM_FD, &part);

	if (ret) {
		return ret;
	}
	ret = fcntl(part->ram_fd, F_DUPFD_CLOEXEC, 3);
	return fake_part_leave(ret < 0 ? -errno : ret);
}

int dev_map_ram(int fd, uint64_t gpa, uint64_t size, void **ret_ram)
{
	struct fake_part *part;
	uint64_t ram_size;
	void *addr;

	pthread_mutex_lock(&fake.lock);
	part = part_find(fd);
	ram_size = part ? part->info.ram_size : (uint64_t)lseek(fd, 0, SEEK_END);
	if (part) {
		fd = part->ram_fd;
	}
	pthread_mutex_unlock(&fake.lock);
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

	pthread_mutex_lock(&fake.lock);
	part = part_find(part_fd);
	if (!part) {
		return fake_part_leave(-EBADF);
	}
	addr = mmap(NULL, BH_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, part->ioreq_fd, 0);
	if (addr == MAP_FAILED) {
		return fake_part_leave(-errno);
	}
	*ret_slots = addr;
	return fake_part_leave(0);
}

void dev_unmap(void *addr, uint64_t size)
{
	munmap(addr, size);
}

int dev_ioreq_next(int part_fd, uint32_t vcpu)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_IOREQ_NEXT, &part);
	struct bh_ioreq *slot;
	unsigned int epoch;

	if (ret) {
		return ret;
	}
	if (vcpu >= part->info.vcpu_count) {
		return fake_part_leave(-EINVAL);
	}
	slot = &part->slots[vcpu];
	epoch = part->epoch;
	if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == BH_IOREQ_DONE) {
		slot->state = BH_IOREQ_FREE;
		fake_event_set(part->answered[vcpu]);
	}
	for (;;) {
		if (part->fd < 0 || part->epoch != epoch || part->info.state == BH_PART_STOPPED) {
			return fake_part_leave(-ENODEV);
		}
		if (slot->state == BH_IOREQ_PENDING) {
			return fake_part_leave(0);
		}
		fake_event_clear(part->wake[vcpu]);
		pthread_mutex_unlock(&fake.lock);
		ret = fake_event_wait(part->wake[vcpu], -1);
		pthread_mutex_lock(&fake.lock);
		if (ret) {
			return fake_part_leave(ret);
		}
	}
}

int dev_doorbell(int part_fd, uint32_t doorbell, uint32_t queue, int fd)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_DOORBELL, &part);
	int copy = -1;

	if (ret) {
		return ret;
	}
	if (doorbell >= BH_DOORBELL_MAX || queue >= BH_DOORBELL_QUEUE_MAX) {
		return fake_part_leave(-EINVAL);
	}
	if (fd >= 0) {
		if (!fake_event_id(fd)) {
			return fake_part_leave(-EINVAL);
		}
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	if (part->doorbell[doorbell][queue] >= 0) {
		close(part->doorbell[doorbell][queue]);
	}
	part->doorbell[doorbell][queue] = copy;
	return fake_part_leave(0);
}

int dev_doorbell_window(int part_fd, uint64_t gpa, uint32_t count)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_DOORBELL_WINDOW, &part);

	if (ret) {
		return ret;
	}
	if (gpa % BH_PAGE_SIZE || (gpa && (count == 0 || count > BH_DOORBELL_MAX))) {
		return fake_part_leave(-EINVAL);
	}
	if (gpa && gpa < part->info.ram_size) {
		return fake_part_leave(-ERANGE);
	}
	part->window = gpa;
	part->window_pages = count;
	return fake_part_leave(0);
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
	int ret = fake_part_enter(part_fd, BULKHEAD_IRQFD, &part);
	unsigned long id = fake_event_id(fd);
	struct fake_irqfd *irqfd;

	if (ret) {
		return ret;
	}
	if (!id) {
		return fake_part_leave(-EINVAL);
	}
	irqfd = irqfd_find(part, id);
	for (uint32_t i = 0; !irqfd && i < FAKE_IRQFDS; i++) {
		if (part->irqfd[i].fd < 0) {
			struct epoll_event event = {.events = EPOLLIN};

			irqfd = &part->irqfd[i];
			event.data.u64 = (uint64_t)(part - fake.parts) * FAKE_IRQFDS + i;
			irqfd->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
			irqfd->id = id;
			epoll_ctl(fake.irq_epoll, EPOLL_CTL_ADD, irqfd->fd, &event);
		}
	}
	if (!irqfd) {
		return fake_part_leave(-ENOMEM);
	}
	irqfd->addr = msi_addr;
	irqfd->data = msi_data;
	return fake_part_leave(0);
}

int dev_irqfd_remove(int part_fd, int fd)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_IRQFD, &part);
	struct fake_irqfd *irqfd;

	if (ret) {
		return ret;
	}
	irqfd = irqfd_find(part, fake_event_id(fd));
	if (!irqfd) {
		return fake_part_leave(-ENOENT);
	}
	epoll_ctl(fake.irq_epoll, EPOLL_CTL_DEL, irqfd->fd, NULL);
	close(irqfd->fd);
	irqfd->fd = -1;
	return fake_part_leave(0);
}

int dev_msi(int part_fd, uint64_t msi_addr, uint32_t msi_data)
{
	struct fake_part *part;
	int ret = fake_part_enter(part_fd, BULKHEAD_MSI, &part);

	if (ret) {
		return ret;
	}
	fake_msi_push(part, msi_addr, msi_data);
	return fake_part_leave(0);
}
