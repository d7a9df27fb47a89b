/* SPDX-License-Identifier: Apache-2.0 */
/** Setting up a machine: partition, RAM, ports, image, ACPI. */
#define _GNU_SOURCE
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "acpi.h"
#include "bulkhead_dev.h"
#include "image.h"
#include "pit.h"
#include "report.h"

static const char *stop_text(uint32_t reason)
{
	switch (reason) {
	case BH_STOP_TRIPLE_FAULT:
		return "triple fault";
	case BH_STOP_EXIT_UNKNOWN:
		return "unknown exit";
	case BH_STOP_ENTRY_FAILED:
		return "VM entry failed";
	case BH_STOP_DECODE:
		return "undecodable access";
	case BH_STOP_IOREQ:
		return "wrong answer to an access";
	case BH_STOP_NMI:
		return "hardware event";
	case BH_STOP_FETCH:
		return "executes where it has no memory";
	default:
		return "no reason given";
	}
}

void machine_end_stopped(const struct machine *machine)
{
	struct bh_part_info info;
	int err = dev_part_info(machine->part_fd, &info);

	if (err < 0) {
		report_end(EXIT_CODE_GONE, "partition is gone: %s", strerror(-err));
	}
	if (info.state != BH_PART_STOPPED) {
		report_end(EXIT_CODE_GONE, "partition was reset or destroyed from outside");
	}
	report_end(EXIT_CODE_STOPPED,
		   "stopped by the hypervisor: %s (%u), detail 0x%" PRIx64
		   ", vcpu %u, rip 0x%" PRIx64,
		   stop_text(info.stop_reason), info.stop_reason, info.stop_detail, info.stop_vcpu,
		   info.stop_rip);
}

static void end_by_guest(void *context, int code)
{
	switch (code) {
	case EXIT_CODE_POWER_OFF:
		report_end(code, "guest switched itself off");
	case EXIT_CODE_RESET:
		report_end(code, "guest asked for a reset");
	default:
		report_end(code, "guest left by debug exit with %d", code & 0x7f);
	}
}

static void open_partition(struct machine *machine, const struct options *options)
{
	struct bh_part_info info;
	int dev, err;

	machine->part_fd = options->part_fd;
	if (machine->part_fd < 0) {
		dev = dev_open();
		if (dev < 0) {
			report_end(EXIT_CODE_START, "/dev/bulkhead: %s", strerror(-dev));
		}
		machine->part_fd = dev_create(dev, options->part);
		if (machine->part_fd < 0) {
			report_end(EXIT_CODE_START, "partition %u: %s", options->part,
				   strerror(-machine->part_fd));
		}
	}
	err = dev_part_info(machine->part_fd, &info);
	if (err < 0) {
		report_end(EXIT_CODE_START, "partition fd %d: %s", machine->part_fd,
			   strerror(-err));
	}
	if (info.state != BH_PART_CREATED || info.vcpu_count == 0 ||
	    info.vcpu_count > BH_VCPU_MAX) {
		report_end(EXIT_CODE_START, "partition is not in state CREATED");
	}
	machine->vcpu_count = info.vcpu_count;
	machine->ram_size = info.ram_size;
	machine->tsc_khz = (uint32_t)info.tsc_khz;
	if (options->memory != 0) {
		if (options->memory > info.ram_size) {
			report_end(EXIT_CODE_START,
				   "--memory %" PRIu64 ": partition has only %" PRIu64,
				   options->memory, info.ram_size);
		}
		machine->ram_size = options->memory;
	}
}

static void map_partition(struct machine *machine, const struct options *options)
{
	void *ram;
	int err;

	machine->ram_fd = options->ram_fd >= 0 ? options->ram_fd : dev_ram_fd(machine->part_fd);
	if (machine->ram_fd < 0) {
		report_end(EXIT_CODE_START, "RAM of the partition: %s", strerror(-machine->ram_fd));
	}
	err = dev_map_ram(machine->ram_fd, 0, machine->ram_size, &ram);
	if (err == 0) {
		err = dev_map_ioreq(machine->part_fd, &machine->ioreq);
	}
	if (err < 0) {
		report_end(EXIT_CODE_START, "cannot map the partition: %s", strerror(-err));
	}
	machine->ram = ram;
}

void machine_init(struct machine *machine, const struct options *options)
{
	struct bus *bus = &machine->bus;
	bool ok;

	memset(machine, 0, sizeof(*machine));
	pthread_mutex_init(&machine->lock, NULL);
	machine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (machine->wake_fd < 0) {
		report_end(EXIT_CODE_START, "eventfd: %s", strerror(errno));
	}
	open_partition(machine, options);
	map_partition(machine, options);
	uart_init(&machine->uart, options->serial_fd);
	cmos_init(&machine->cmos);
	machine->power = (struct power){.end = end_by_guest, .context = machine};
	/* The reset port lies inside the PCI address register: it has to come first. */
	ok = bus_add(bus, BH_IOREQ_PIO, POWER_RESET_PORT, 1, &power_reset_ops, &machine->power) &&
	     bus_add(bus, BH_IOREQ_PIO, UART_PORT, UART_PORT_SIZE, &uart_ops, &machine->uart) &&
	     pci_host_init(&machine->pci, bus) &&
	     bus_add(bus, BH_IOREQ_PIO, PIT_PORT, PIT_PORT_SIZE, &pit_ops, NULL) &&
	     bus_add(bus, BH_IOREQ_PIO, CMOS_PORT, CMOS_PORT_SIZE, &cmos_ops, &machine->cmos) &&
	     bus_add(bus, BH_IOREQ_PIO, POWER_SLEEP_PORT, 2, &power_sleep_ops, &machine->power) &&
	     bus_add(bus, BH_IOREQ_PIO, POWER_DEBUG_EXIT_PORT, 4, &power_debug_exit_ops,
		     &machine->power);
	if (!ok) {
		report_end(EXIT_CODE_START, "bus table is full");
	}
}

struct mapped_file {
	void *data; /* NULL: no file */
	size_t size;
};

static struct mapped_file map_file(const char *path, int fd, const char *what)
{
	struct mapped_file file = {NULL, 0};
	struct stat st;

	if (path == NULL && fd < 0) {
		return file;
	}
	if (path != NULL) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (fd < 0 || fstat(fd, &st) < 0) {
		report_end(EXIT_CODE_START, "%s %s: %s", what, path ? path : "fd", strerror(errno));
	}
	if (!S_ISREG(st.st_mode) || st.st_size <= 0) {
		report_end(EXIT_CODE_START, "%s %s: not a file with content", what,
			   path ? path : "fd");
	}
	file.size = (size_t)st.st_size;
	file.data = mmap(NULL, file.size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file.data == MAP_FAILED) {
		report_end(EXIT_CODE_START, "%s: %s", what, strerror(errno));
	}
	close(fd);
	return file;
}

static void unmap_file(struct mapped_file file)
{
	if (file.data != NULL) {
		munmap(file.data, file.size);
	}
}

static const char *image_error_text(int err)
{
	switch (err) {
	case -BH_INVAL:
		return "not a vmlinux, bzImage or multiboot image, or malformed";
	case -BH_RANGE:
		return "does not fit into the partition's RAM";
	default:
		return "needs something that is not offered";
	}
}

/* Linux on a hardware-reduced machine restarts by EFI, else by a jump to the firmware in real mode,
 * and never looks at the reset register of the FADT. This is all the firmware we have. */
static void load_reset_vector(struct machine *machine)
{
	static const uint8_t code[] = {
		0xba,
		POWER_RESET_PORT & 0xff,
		POWER_RESET_PORT >> 8, /* mov $port, %dx */
		0xb0,
		POWER_RESET_VALUE, /* mov $value, %al */
		0xee,		   /* out %al, %dx */
		0xf4,		   /* hlt */
		0xeb,
		0xfd, /* jmp to the hlt */
	};

	memcpy(machine->ram + LAYOUT_RESET_VECTOR_GPA, code, sizeof(code));
}

void machine_load(struct machine *machine, const struct options *options)
{
	struct mapped_file kernel = map_file(options->kernel_path, options->kernel_fd, "kernel");
	struct mapped_file initrd = map_file(options->initrd_path, options->initrd_fd, "initrd");
	struct bh_vcpu_start start;
	int err = image_load(kernel.data, kernel.size, initrd.data, initrd.size, options->cmdline,
			     machine->ram, machine->ram_size, LAYOUT_ACPI_GPA, machine->tsc_khz, &start);

	if (err < 0) {
		report_end(EXIT_CODE_START, "kernel: %s", image_error_text(err));
	}
	unmap_file(kernel);
	unmap_file(initrd);
	if (acpi_build(machine->ram + LAYOUT_ACPI_GPA, LAYOUT_ACPI_SIZE, LAYOUT_ACPI_GPA,
		       machine->vcpu_count) == 0) {
		report_end(EXIT_CODE_START, "ACPI tables do not fit");
	}
	load_reset_vector(machine);
	err = dev_vcpu_set(machine->part_fd, 0, &start);
	if (err < 0) {
		report_end(EXIT_CODE_START, "first vcpu: %s", strerror(-err));
	}
}
