/* SPDX-License-Identifier: Apache-2.0 */
/** Init of a small machine whose kernel carries the module with tests/kmod/fake.c inside: checks
 * what partitions/kmod/bulkhead.h promises, prints TAP on the console, powers off.
 */
#define _GNU_SOURCE
#include "bulkhead_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define RAM_SIZE    0x1000000ull
#define PATIENCE_MS 60000

static int tests, failed;

static void check(bool ok, const char *rule)
{
	printf("%sok %d - %s\n", ok ? "" : "not ", ++tests, rule);
	failed += !ok;
}

static bool rung(int fd)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	uint64_t count;

	return poll(&pfd, 1, PATIENCE_MS) == 1 && read(fd, &count, sizeof(count)) == sizeof(count);
}

static void ring(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) != sizeof(one)) {
		perror("write");
	}
}

static uint64_t destroyed(int dev)
{
	struct bh_vcpu_stats stats = {0};

	return dev_stats(dev, 1, 0, &stats) ? UINT64_MAX : stats.switches;
}

static void check_device(int dev)
{
	struct bh_log_read log = {.cursor = 5};
	struct bh_part_info info;

	check(dev_info(dev, 1, &info) == 0 && strcmp(info.name, "fake") == 0,
	      "info names the partition");
	check(dev_info(dev, 7, &info) == -ENOENT, "info of no partition is ENOENT");
	check(dev_log(dev, &log) == 0 && memcmp(log.text, "hypervisor\n", log.size) == 0 &&
		      log.size == 11,
	      "log goes on at the cursor");
	check(dev_create(dev, 1000) == -ENOENT, "create of a number out of range is ENOENT");
	check(ioctl(dev, BULKHEAD_START, 0) < 0 && errno == ENOTTY,
	      "the device takes no partition ioctl");
}

/* Interrupts of the partition play the faults of its device. */
static void check_faults(int dev, int part)
{
	struct pollfd pfd = {.fd = dev, .events = POLLIN};
	struct bh_iommu_fault fault = {.number = 1};
	struct bh_iommu_info info = {0};

	check(dev_iommu(dev, &info) == 0 && info.flags == BH_IOMMU_ACTIVE && info.unit_count == 2,
	      "the IOMMU is described");
	check(dev_fault(dev, &fault) == -ENOENT, "no fault, no record");
	check(poll(&pfd, 1, 100) == 0, "and no news");
	check(dev_msi(part, 0xfee00000, 0x10000) == 0 && dev_msi(part, 0xfee00000, 0x10000) == 0,
	      "two faults come");
	check(poll(&pfd, 1, PATIENCE_MS) == 1, "faults are news");
	check(dev_iommu(dev, &info) == 0 && info.faults == 2 && poll(&pfd, 1, 0) == 0,
	      "until they are looked at");
	check(dev_fault(dev, &fault) == 0 && fault.address == 0x2000 && fault.part == 1,
	      "a record is read by its number");
}

static void check_policy(int dev)
{
	struct bh_policy table[2] = {
		{.magic = BH_POLICY_MAGIC, .size = sizeof(table[0]), .hash = {7}, .part_count = 2}};
	struct bulkhead_policy big = {.user = (uintptr_t)table, .size = BH_POLICY_SIZE_MAX + 1};
	struct bh_policy_info info = {0};

	check(dev_policy_load(dev, table, sizeof(table)) == 0,
	      "the head of a table file is loaded");
	check(dev_policy_info(dev, &info) == 0 && info.hash[0] == 7 && info.loads == 1,
	      "and is in force");
	check(dev_policy_load(dev, table, sizeof(table[0]) - 1) == -EBADMSG,
	      "a file that ends early is EBADMSG");
	check(ioctl(dev, BULKHEAD_POLICY_LOAD, &big) < 0 && errno == EINVAL,
	      "more than a page is EINVAL");
	table[0].part_count = 3;
	check(dev_policy_load(dev, table, sizeof(table)) == -EPERM,
	      "a table that allows more is EPERM");
	check(dev_policy_info(dev, &info) == 0 && info.loads == 1, "and changes nothing");
}

static void check_ram(int part)
{
	int ram = dev_ram_fd(part);
	void *all, *page;

	check(ram >= 0 && dev_map_ram(ram, 0, RAM_SIZE, &all) == 0, "a RAM fd maps all RAM");
	check(dev_map_ram(part, 0x5000, 4096, &page) == 0, "a partition fd maps one page");
	strcpy((char *)all + 0x5000, "shared");
	check(strcmp(page, "shared") == 0, "both see the same bytes");
	dev_unmap(page, 4096);
	check(dev_map_ram(ram, RAM_SIZE, 4096, &page) == -EINVAL, "a page behind RAM is refused");
	check(dev_map_ram(ram, RAM_SIZE - 4096, 8192, &page) == -EINVAL,
	      "a size over the end is refused");
	check(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ram, (off_t)BULKHEAD_MMAP_IOREQ) ==
		      MAP_FAILED,
	      "a RAM fd does not map the ioreq page");
	check(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, ram, 0) == MAP_FAILED,
	      "RAM is not executable");
	check(mprotect(all, 4096, PROT_READ | PROT_EXEC) < 0, "RAM does not become executable");
	check(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, ram, 0) == MAP_FAILED,
	      "RAM is not mapped private");
	check(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ram, (off_t)0x7ffffffffffff000) == MAP_FAILED,
	      "a wild offset is refused");
	check(mremap(all, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED, "a mapping does not grow");
	check(ioctl(ram, BULKHEAD_START, 0) < 0 && errno == ENOTTY, "a RAM fd takes no ioctl");
	dev_unmap(all, RAM_SIZE);
	close(ram);
}

static void check_events(int part)
{
	int call = eventfd(0, 0), kick = eventfd(0, EFD_NONBLOCK), other = eventfd(0, EFD_NONBLOCK);
	struct pollfd pfd = {.fd = other, .events = POLLIN};

	check(dev_doorbell(part, 1, 3, kick) == 0 && dev_doorbell(part, 1, 4, other) == 0,
	      "doorbells take eventfds");
	check(dev_doorbell(part, BH_DOORBELL_MAX, 0, kick) == -EINVAL,
	      "a doorbell out of range is EINVAL");
	check(dev_doorbell(part, 0, 0, 0) == -EINVAL, "what is no eventfd is EINVAL");
	check(dev_irqfd(part, call, 0xfee00000, 0x103) == 0, "irqfd takes an eventfd");
	ring(call);
	check(rung(kick), "irqfd to hypervisor to interrupt to doorbell's eventfd");
	check(poll(&pfd, 1, 0) == 0, "another queue's eventfd stays quiet");
	check(dev_irqfd(part, call, 0xfee00000, 0x104) == 0,
	      "the same eventfd again replaces the message");
	ring(call);
	check(rung(other), "the new message is the one that is raised");
	check(dev_msi(part, 0xfee00000, 0x103) == 0 && rung(kick), "msi raises at once");
	check(dev_irqfd_remove(part, call) == 0 && dev_irqfd_remove(part, call) == -ENOENT,
	      "an irqfd is removed once");
	ring(call);
	check(poll(&pfd, 1, 100) == 0, "a removed irqfd raises nothing");
	check(dev_irqfd(part, call, 0xfee00000, 0x104) == 0 && rung(other),
	      "an eventfd that was written before raises when it is assigned");
	for (int i = 0; i < 1000; i++) {
		ring(call);
		if (!rung(other)) {
			check(false, "a thousand rings arrive");
			break;
		}
	}
	close(call); /* the irqfd goes away by itself */
	usleep(20000);
	call = eventfd(1, 0);
	check(dev_irqfd(part, call, 0xfee00000, 0x103) == 0 && rung(kick),
	      "a closed eventfd leaves room");
	check(dev_doorbell(part, 1, 3, -1) == 0 && dev_msi(part, 0, 0x103) == 0,
	      "doorbell removed");
	pfd.fd = kick;
	check(poll(&pfd, 1, 100) == 0, "a removed doorbell is quiet");
	close(kick);
	close(call);
	close(other);
}

static void on_alarm(int number)
{
	(void)number;
}

static void check_ioreq(int part)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	/* Again and again: the first one may come before the wait. */
	const struct itimerval again = {{0, 200000}, {0, 200000}}, never = {{0, 0}, {0, 0}};
	struct pollfd pfd = {.fd = part, .events = POLLIN};
	struct bh_part_info info;
	struct bh_ioreq *slots;

	sigaction(SIGALRM, &action, NULL);
	check(dev_map_ioreq(part, &slots) == 0, "the ioreq page is mapped");
	check(dev_ioreq_next(part, 1) == -EINVAL, "no such vcpu is EINVAL");
	setitimer(ITIMER_REAL, &again, NULL);
	check(dev_ioreq_next(part, 0) == -EINTR, "a signal ends the wait");
	setitimer(ITIMER_REAL, &never, NULL);
	check(dev_part_info(part, &info) == 0 && poll(&pfd, 1, 0) == 0,
	      "state is no news after info");
	check(dev_part_start(part) == 0 && poll(&pfd, 1, 0) == 1, "start is news");
	check(dev_part_start(part) == -EBUSY, "start twice is EBUSY");
	for (int i = 1; i <= 100; i++) {
		if (dev_ioreq_next(part, 0) || slots[0].addr != 0x3fd ||
		    slots[0].seq != (unsigned)i) {
			check(false, "a hundred ioreqs come in order");
			break;
		}
		slots[0].data = i == 100 ? 0xde : 0x60;
		__atomic_store_n(&slots[0].state, BH_IOREQ_DONE, __ATOMIC_RELEASE);
	}
	check(dev_part_info(part, &info) == 0 && info.state == BH_PART_RUNNING,
	      "running until the answer");
	check(dev_ioreq_next(part, 0) == -ENODEV, "a stopped partition ends the wait with ENODEV");
	check(poll(&pfd, 1, 0) == 1 && dev_part_info(part, &info) == 0 &&
		      info.state == BH_PART_STOPPED && info.stop_reason == BH_STOP_TRIPLE_FAULT,
	      "the stop is news and says why");
	check(dev_part_reset(part) == 0 && dev_part_start(part) == 0 &&
		      dev_ioreq_next(part, 0) == 0,
	      "after reset it starts again");
	dev_unmap(slots, BH_PAGE_SIZE);
}

/* The first file below the network card's folder in sysfs: its bus address is the machine's business. */
static int open_nic(const char *file, int flags)
{
	char pattern[64];
	glob_t found;
	int fd = -1;

	snprintf(pattern, sizeof(pattern), "/sys/bus/pci/devices/*/%s", file);
	if (glob(pattern, 0, NULL, &found)) {
		return -1;
	}
	for (size_t i = 0; i < found.gl_pathc && fd < 0; i++) {
		char path[128];
		uint32_t id = 0;
		int config;

		snprintf(path, sizeof(path), "%.*s/config",
			 (int)(strlen(found.gl_pathv[i]) - strlen(file) - 1), found.gl_pathv[i]);
		config = open(path, O_RDONLY);
		if (pread(config, &id, sizeof(id), 0) == sizeof(id) && id == 0x10d38086) {
			fd = open(found.gl_pathv[i], flags);
		}
		close(config);
	}
	globfree(&found);
	return fd;
}

static unsigned int config_word(int config, unsigned int offset)
{
	uint16_t word = 0;

	return pread(config, &word, sizeof(word), offset) == sizeof(word) ? word : 0xffff;
}

static unsigned int find_capability(int config, unsigned int id)
{
	unsigned int at = config_word(config, 0x34) & 0xff;

	while (at && (config_word(config, at) & 0xff) != id) {
		at = config_word(config, at) >> 8;
	}
	return at;
}

static bool is_quiet(int config, unsigned int msix, const volatile uint32_t *table)
{
	return !(config_word(config, 4) & 4) && !(config_word(config, msix + 2) & 0x8000) && table[7] == 1;
}

static void check_devices(int dev)
{
	int part = dev_create(dev, 1), config = open_nic("config", O_RDONLY);
	int bar = open_nic("resource3", O_RDWR);
	unsigned int msix = find_capability(config, 0x11);
	const volatile uint32_t *table = mmap(NULL, 4096, PROT_READ, MAP_SHARED, bar, 0);
	struct bh_device_info info;

	check(msix && table != MAP_FAILED, "the machine has a network card with MSI-X");
	check(dev_device_info(part, 0, &info) == 0 && strcmp(info.role, "nic") == 0 &&
		      info.vendor == 0x8086 && info.msix_count == 5,
	      "a device of the partition is told of");
	check(dev_device_info(part, 1, &info) == -EPERM && dev_device_map(part, 1, 0, 0) == -EPERM &&
		      dev_device_irq(part, 1, 0, 0, 0, true) == -EPERM &&
		      dev_device_control(part, 1, 0) == -EPERM,
	      "another partition's device is EPERM");
	check(dev_device_info(part, 3, &info) == -ENOENT && dev_device_control(part, 99, 0) == -ENOENT,
	      "a device behind the last is ENOENT");
	check(dev_device_info(part, 2, &info) == 0 && dev_device_control(part, 2, 0) == -EOPNOTSUPP,
	      "a device that is not assigned is told of, and no more");
	check(dev_device_map(part, 0, 0, 0xd0000000) == 0 && dev_device_map(part, 0, 0, 5) == -ERANGE &&
		      dev_device_map(part, 0, 6, 0xd0000000) == -EINVAL,
	      "a BAR is mapped, root mode's errors come through");
	check(dev_device_control(part, 0, BULKHEAD_DEVICE_MASTER | BULKHEAD_DEVICE_MSIX) == 0 &&
		      (config_word(config, 4) & 0x407) == 0x406 && config_word(config, msix + 2) >> 14 == 2,
	      "control sets bus master and MSI-X, and keeps ports and INTx off");
	check(dev_device_control(part, 0, BULKHEAD_DEVICE_MSIX | BULKHEAD_DEVICE_MSIX_MASKED) == 0 &&
		      !(config_word(config, 4) & 4) && config_word(config, msix + 2) >> 14 == 3,
	      "control clears what is not named");
	check(dev_device_control(part, 0, 8) == -EINVAL, "an unknown bit is EINVAL");
	check(dev_device_irq(part, 0, 1, 0xfee01000, 0x41, false) == 0 && table[4] == 0xfee00010 &&
		      table[5] == 0 && table[6] == 0x4100 && table[7] == 0,
	      "the entry of the device gets root mode's message");
	check(dev_device_irq(part, 0, 1, 0xfee01000, 0x42, true) == 0 && table[6] == 0x4200 && table[7] == 1,
	      "a masked entry is written masked");
	check(dev_device_irq(part, 0, 1, 0x1000, 0x41, false) == -EINVAL && table[7] == 1,
	      "a message that root mode refuses leaves the entry masked");
	check(dev_device_irq(part, 0, 5, 0xfee01000, 0x41, false) == -EINVAL &&
		      dev_device_irq(part, 0, 0xffffffff, 0xfee01000, 0x41, false) == -EINVAL,
	      "an entry behind the table is EINVAL");
	check(dev_device_irq(part, 0, 1, 0xfee01000, 0x41, false) == 0 &&
		      dev_device_control(part, 0, BULKHEAD_DEVICE_MASTER | BULKHEAD_DEVICE_MSIX) == 0 &&
		      dev_part_reset(part) == 0 && is_quiet(config, msix, table),
	      "a reset stops the device");
	check(dev_device_irq(part, 0, 1, 0xfee01000, 0x41, false) == 0 &&
		      dev_device_control(part, 0, BULKHEAD_DEVICE_MASTER | BULKHEAD_DEVICE_MSIX) == 0 &&
		      config_word(config, 4) & 4,
	      "after a reset it can be used again");
	close(part);
	check(is_quiet(config, msix, table), "the end of the partition stops the device");
	close(config);
	close(bar);
}

/* Mappings are what keeps the partition, in this and in other processes. */
static void check_lifetime(int dev, int part)
{
	uint64_t before = destroyed(dev);
	int ram = dev_ram_fd(part);
	int line[2];
	void *addr;
	pid_t child;

	check(pipe(line) == 0, "a pipe");
	check(dev_create(dev, 1) == -EBUSY, "a held partition is not created again");
	check(dev_map_ram(ram, 0, 4096, &addr) == 0, "RAM mapped");
	close(part);
	close(ram);
	check(destroyed(dev) == before, "a mapping keeps the partition");
	*(volatile char *)addr = 1;
	child = fork();
	if (child == 0) {
		char byte;

		close(line[1]);
		_exit(read(line[0], &byte, 1) == 0 && *(volatile char *)addr == 1 ? 0 : 1);
	}
	dev_unmap(addr, 4096);
	check(destroyed(dev) == before, "a mapping of a child keeps the partition");
	close(line[0]);
	close(line[1]);
	waitpid(child, NULL, 0);
	for (int i = 0; i < PATIENCE_MS && destroyed(dev) == before; i++) {
		usleep(1000);
	}
	check(destroyed(dev) == before + 1, "the last mapping's end destroys it");
	part = dev_create(dev, 1);
	check(part >= 0, "it can be created again");
	check(dev_map_ram(part, 0, 4096, &addr) == 0 && *(volatile char *)addr == 0,
	      "RAM is zero again");
	dev_unmap(addr, 4096);
	close(part);
	check(destroyed(dev) == before + 2, "the last close destroys it");
}

int main(void)
{
	int dev, part, module;

	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mkdir("/sys", 0755);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	module = open("/bulkhead.ko", O_RDONLY | O_CLOEXEC);
	check(syscall(SYS_finit_module, module, "", 0) == 0, "the module loads");
	dev = dev_open();
	check(dev >= 0, "/dev/bulkhead opens");
	check_device(dev);
	part = dev_create(dev, 1);
	check(part >= 0, "create");
	check_ram(part);
	check_events(part);
	check_ioreq(part);
	check_lifetime(dev, part);
	part = dev_create(dev, 1);
	check_faults(dev, part);
	check_policy(dev);
	close(part);
	check_devices(dev);
	check(syscall(SYS_delete_module, "bulkhead", O_NONBLOCK) < 0,
	      "an open device holds the module");
	close(dev);
	check(syscall(SYS_delete_module, "bulkhead", O_NONBLOCK) == 0, "the module unloads");
	check(syscall(SYS_finit_module, module, "", 0) == 0, "and loads again");
	printf("1..%d\n# %d failed\n", tests, failed);
	fflush(stdout);
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
