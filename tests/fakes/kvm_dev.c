/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead_dev.h over KVM: one partition per process, so that the runner and the back ends can be
 * tried on a machine with KVM and without the hypervisor.
 *
 *  Environment: BULKHEAD_KVM_RAM (MiB, default 256), BULKHEAD_KVM_VCPUS (default 1). The partition
 * fd is an eventfd that becomes readable when the state changes. Ioreqs are made from KVM's exits,
 * doorbells are ioeventfds, irqfds are KVM's. Source: Linux Documentation/virt/kvm/api.rst. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bulkhead_dev.h"
#include "kvm_cpuid.h"

#define IRQFD_MAX   512u
#define APIC_BASE   0xfee00000ull
#define APIC_ENABLE (1ull << 11)
#define APIC_X2APIC (1ull << 10)
#define APIC_BSP    (1ull << 8)

struct vcpu {
	int fd;
	struct kvm_run *run;
	uint32_t io_done; /* elements of a string instruction that were served */
	bool waiting;	  /* the slot holds an access that KVM waits for */
};

static struct {
	int kvm, vm, part_fd, ram_fd;
	uint64_t ram_size;
	uint32_t vcpu_count, tsc_khz;
	struct vcpu vcpu[BH_VCPU_MAX];
	struct bh_ioreq *slots;
	pthread_mutex_t lock; /* state and irqfds */
	struct bh_part_info info;
	uint64_t window;
	struct {
		int eventfd; /* -1: free */
		uint64_t addr;
		uint32_t data;
	} irqfd[IRQFD_MAX];
} m = {.kvm = -1, .vm = -1, .part_fd = -1, .ram_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER};

static int check(int ret)
{
	return ret < 0 ? -errno : ret;
}

static uint64_t from_environment(const char *name, uint64_t fallback)
{
	const char *text = getenv(name);

	return text != NULL ? strtoull(text, NULL, 0) : fallback;
}

int dev_open(void)
{
	return m.kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC));
}

static int create_vm(void)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {0}};
	struct kvm_enable_cap x2apic = {.cap = KVM_CAP_X2APIC_API, .args = {3}};
	struct kvm_userspace_memory_region region = {.memory_size = m.ram_size};
	void *ram;

	m.vm = check(ioctl(m.kvm, KVM_CREATE_VM, 0));
	if (m.vm < 0) {
		return m.vm;
	}
	if (ioctl(m.vm, KVM_ENABLE_CAP, &split) < 0 || ioctl(m.vm, KVM_ENABLE_CAP, &x2apic) < 0) {
		return -errno;
	}
	m.ram_fd = check(memfd_create("ram", MFD_CLOEXEC));
	if (m.ram_fd < 0 || ftruncate(m.ram_fd, (off_t)m.ram_size) < 0) {
		return -errno;
	}
	ram = mmap(NULL, m.ram_size, PROT_READ | PROT_WRITE, MAP_SHARED, m.ram_fd, 0);
	if (ram == MAP_FAILED) {
		return -errno;
	}
	region.userspace_addr = (uint64_t)(uintptr_t)ram;
	return check(ioctl(m.vm, KVM_SET_USER_MEMORY_REGION, &region));
}

static int create_vcpu(uint32_t index)
{
	struct vcpu *vcpu = &m.vcpu[index];
	struct kvm_sregs sregs;
	int size = ioctl(m.kvm, KVM_GET_VCPU_MMAP_SIZE, 0), err;

	vcpu->fd = check(ioctl(m.vm, KVM_CREATE_VCPU, index));
	if (vcpu->fd < 0 || size < 0) {
		return -errno;
	}
	vcpu->run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED) {
		return -errno;
	}
	m.tsc_khz = (uint32_t)ioctl(vcpu->fd, KVM_GET_TSC_KHZ, 0);
	err = kvm_cpuid_set(m.kvm, vcpu->fd, index, m.tsc_khz);
	if (err < 0) {
		return err;
	}
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0) {
		return -errno;
	}
	sregs.apic_base = APIC_BASE | APIC_ENABLE | APIC_X2APIC | (index == 0 ? APIC_BSP : 0);
	return check(ioctl(vcpu->fd, KVM_SET_SREGS, &sregs));
}

int dev_create(int dev, uint32_t part)
{
	int err;

	m.ram_size = from_environment("BULKHEAD_KVM_RAM", 256) << 20;
	m.vcpu_count = (uint32_t)from_environment("BULKHEAD_KVM_VCPUS", 1);
	if (m.vcpu_count < 1 || m.vcpu_count > BH_VCPU_MAX) {
		return -EINVAL;
	}
	for (uint32_t i = 0; i < IRQFD_MAX; i++) {
		m.irqfd[i].eventfd = -1;
	}
	err = create_vm();
	for (uint32_t i = 0; err == 0 && i < m.vcpu_count; i++) {
		err = create_vcpu(i);
	}
	if (err < 0) {
		return err;
	}
	m.slots =
		mmap(NULL, BH_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m.slots == MAP_FAILED) {
		return -errno;
	}
	m.info = (struct bh_part_info){
		.name = "kvm",
		.state = BH_PART_CREATED,
		.ram_size = m.ram_size,
		.vcpu_count = m.vcpu_count,
		.tsc_khz = m.tsc_khz,
	};
	return m.part_fd = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

int dev_part_info(int part_fd, struct bh_part_info *ret_info)
{
	uint64_t count;

	if (read(part_fd, &count, sizeof(count)) < 0 && errno != EAGAIN) {
		return -errno;
	}
	pthread_mutex_lock(&m.lock);
	*ret_info = m.info;
	pthread_mutex_unlock(&m.lock);
	return 0;
}

static int stop(uint32_t vcpu, enum bh_stop_reason reason, uint64_t detail)
{
	struct kvm_regs regs = {0};
	uint64_t one = 1;

	ioctl(m.vcpu[vcpu].fd, KVM_GET_REGS, &regs);
	pthread_mutex_lock(&m.lock);
	m.info.state = BH_PART_STOPPED;
	m.info.stop_reason = reason;
	m.info.stop_detail = detail;
	m.info.stop_vcpu = vcpu;
	m.info.stop_rip = regs.rip;
	pthread_mutex_unlock(&m.lock);
	return write(m.part_fd, &one, sizeof(one)) < 0 ? -errno : -ENODEV;
}

int dev_part_start(int part_fd)
{
	m.info.state = BH_PART_RUNNING;
	return 0;
}

int dev_vcpu_set(int part_fd, uint32_t vcpu, const struct bh_vcpu_start *start)
{
	struct kvm_segment code = {
		.limit = ~0u, .selector = 0x10, .type = 11, .present = 1, .db = 1, .s = 1, .g = 1};
	struct kvm_segment data = code;
	struct kvm_regs regs = {
		.rip = start->rip,
		.rsp = start->rsp,
		.rax = start->rax,
		.rbx = start->rbx,
		.rcx = start->rcx,
		.rdx = start->rdx,
		.rsi = start->rsi,
		.rdi = start->rdi,
		.rbp = start->rbp,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (start->mode != BH_VCPU_FLAT32) {
		return -EINVAL;
	}
	data.type = 3;
	data.selector = 0x18;
	if (ioctl(m.vcpu[vcpu].fd, KVM_GET_SREGS, &sregs) < 0) {
		return -errno;
	}
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cr0 = 0x11;
	if (ioctl(m.vcpu[vcpu].fd, KVM_SET_SREGS, &sregs) < 0) {
		return -errno;
	}
	return check(ioctl(m.vcpu[vcpu].fd, KVM_SET_REGS, &regs));
}

int dev_ram_fd(int part_fd)
{
	return check(fcntl(m.ram_fd, F_DUPFD_CLOEXEC, 0));
}

int dev_map_ram(int fd, uint64_t gpa, uint64_t size, void **ret_ram)
{
	void *ram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)gpa);

	if (ram == MAP_FAILED) {
		return -errno;
	}
	*ret_ram = ram;
	return 0;
}

int dev_map_ioreq(int part_fd, struct bh_ioreq **ret_slots)
{
	*ret_slots = m.slots;
	return 0;
}

static uint8_t *io_data(struct vcpu *vcpu)
{
	return (uint8_t *)vcpu->run + vcpu->run->io.data_offset +
	       vcpu->io_done * vcpu->run->io.size;
}

/* Turns the current exit into the slot; false when all of it is served. */
static bool fill_slot(struct vcpu *vcpu, struct bh_ioreq *slot)
{
	struct kvm_run *run = vcpu->run;

	memset(slot, 0, sizeof(*slot));
	if (run->exit_reason == KVM_EXIT_IO) {
		if (vcpu->io_done == run->io.count) {
			return false;
		}
		slot->type = BH_IOREQ_PIO;
		slot->addr = run->io.port;
		slot->size = run->io.size;
		slot->dir = run->io.direction == KVM_EXIT_IO_OUT ? BH_IOREQ_WRITE : BH_IOREQ_READ;
		memcpy(&slot->data, io_data(vcpu), slot->size);
	} else {
		if (vcpu->io_done == 1) {
			return false;
		}
		slot->type = BH_IOREQ_MMIO;
		slot->addr = run->mmio.phys_addr;
		slot->size = run->mmio.len;
		slot->dir = run->mmio.is_write ? BH_IOREQ_WRITE : BH_IOREQ_READ;
		memcpy(&slot->data, run->mmio.data, 8);
	}
	slot->state = BH_IOREQ_PENDING;
	return true;
}

static void take_answer(struct vcpu *vcpu, const struct bh_ioreq *slot)
{
	if (slot->dir == BH_IOREQ_READ) {
		if (slot->type == BH_IOREQ_PIO) {
			memcpy(io_data(vcpu), &slot->data, slot->size);
		} else {
			memcpy(vcpu->run->mmio.data, &slot->data, 8);
		}
	}
	vcpu->io_done++;
}

int dev_ioreq_next(int part_fd, uint32_t index)
{
	struct vcpu *vcpu = &m.vcpu[index];
	struct bh_ioreq *slot = &m.slots[index];

	if (vcpu->waiting && slot->state == BH_IOREQ_DONE) {
		take_answer(vcpu, slot);
		if (fill_slot(vcpu, slot)) {
			return 0;
		}
		vcpu->waiting = false;
	}
	for (;;) {
		if (ioctl(vcpu->fd, KVM_RUN, 0) < 0) {
			if (errno == EINTR || errno == EAGAIN) {
				return -EINTR;
			}
			return stop(index, BH_STOP_DECODE, (uint64_t)errno);
		}
		switch (vcpu->run->exit_reason) {
		case KVM_EXIT_IO:
		case KVM_EXIT_MMIO:
			vcpu->io_done = 0;
			vcpu->waiting = true;
			if (fill_slot(vcpu, slot)) {
				return 0;
			}
			break;
		case KVM_EXIT_SHUTDOWN:
			return stop(index, BH_STOP_TRIPLE_FAULT, 0);
		case KVM_EXIT_FAIL_ENTRY:
			return stop(index, BH_STOP_ENTRY_FAILED,
				    vcpu->run->fail_entry.hardware_entry_failure_reason);
		case KVM_EXIT_IRQ_WINDOW_OPEN:
		case KVM_EXIT_INTR:
			break;
		default:
			return stop(index, BH_STOP_EXIT_UNKNOWN, vcpu->run->exit_reason);
		}
	}
}

int dev_doorbell_window(int part_fd, uint64_t gpa, uint32_t count)
{
	m.window = gpa;
	return 0;
}

/* The window has to be placed first; the runner does. */
int dev_doorbell(int part_fd, uint32_t doorbell, uint32_t queue, int fd)
{
	struct kvm_ioeventfd ring = {
		.addr = m.window + (uint64_t)doorbell * BH_PAGE_SIZE + queue * 4,
		.fd = fd,
	};

	if (fd < 0 || m.window == 0) {
		return -EINVAL;
	}
	return check(ioctl(m.vm, KVM_IOEVENTFD, &ring));
}

static int set_routes(void)
{
	static struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry[IRQFD_MAX];
	} table;

	table.head.nr = 0;
	for (uint32_t i = 0; i < IRQFD_MAX; i++) {
		if (m.irqfd[i].eventfd < 0) {
			continue;
		}
		table.entry[table.head.nr++] = (struct kvm_irq_routing_entry){
			.gsi = i,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = {.address_lo = (uint32_t)m.irqfd[i].addr,
				  .address_hi = (uint32_t)(m.irqfd[i].addr >> 32),
				  .data = m.irqfd[i].data},
		};
	}
	return check(ioctl(m.vm, KVM_SET_GSI_ROUTING, &table));
}

static uint32_t find_irqfd(int fd)
{
	uint32_t i;

	for (i = 0; i < IRQFD_MAX && m.irqfd[i].eventfd != fd; i++) {
	}
	return i;
}

int dev_irqfd(int part_fd, int fd, uint64_t msi_addr, uint32_t msi_data)
{
	uint32_t i;
	bool is_new;
	int err;

	pthread_mutex_lock(&m.lock);
	i = find_irqfd(fd);
	is_new = i == IRQFD_MAX;
	if (is_new) {
		i = find_irqfd(-1);
	}
	if (i == IRQFD_MAX) {
		pthread_mutex_unlock(&m.lock);
		return -ENOMEM;
	}
	m.irqfd[i].eventfd = fd;
	m.irqfd[i].addr = msi_addr;
	m.irqfd[i].data = msi_data;
	err = set_routes();
	if (err == 0 && is_new) {
		struct kvm_irqfd irqfd = {.fd = (uint32_t)fd, .gsi = i};

		err = check(ioctl(m.vm, KVM_IRQFD, &irqfd));
	}
	pthread_mutex_unlock(&m.lock);
	return err;
}

int dev_irqfd_remove(int part_fd, int fd)
{
	uint32_t i;
	int err = -ENOENT;

	pthread_mutex_lock(&m.lock);
	i = find_irqfd(fd);
	if (i < IRQFD_MAX) {
		struct kvm_irqfd irqfd = {
			.fd = (uint32_t)fd, .gsi = i, .flags = KVM_IRQFD_FLAG_DEASSIGN};

		err = check(ioctl(m.vm, KVM_IRQFD, &irqfd));
		m.irqfd[i].eventfd = -1;
	}
	pthread_mutex_unlock(&m.lock);
	return err;
}

int dev_msi(int part_fd, uint64_t msi_addr, uint32_t msi_data)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)msi_addr,
		.address_hi = (uint32_t)(msi_addr >> 32),
		.data = msi_data,
	};
	int ret = ioctl(m.vm, KVM_SIGNAL_MSI, &msi);

	return ret < 0 ? -errno : 0;
}

int dev_device_info(int part_fd, uint32_t device, struct bh_device_info *ret_info)
{
	return -ENOENT; /* no policy, no devices of its own */
}

int dev_device_map(int part_fd, uint32_t device, uint32_t bar, uint64_t gpa)
{
	return -ENOENT;
}

int dev_device_irq(int part_fd, uint32_t device, uint32_t index, uint64_t msi_addr,
		   uint32_t msi_data, bool masked)
{
	return -ENOENT;
}

int dev_device_control(int part_fd, uint32_t device, uint32_t flags)
{
	return -ENOENT;
}
