/* SPDX-License-Identifier: Apache-2.0 */
/** Counts the instructions of a decision of the gate: the hypervisor's own image, as built, is put
 * where it is linked, and one process steps another through the question.
 *
 *  gate-steps bulkhead.elf      one line `gate NAME INSTRUCTIONS ANSWER` per question
 */
#define _DEFAULT_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/policy.h"
#include "part/part.h"

#define REFUSED_LINES 1000u /* more than the gate logs: the console has no place here */
#define STEPS_MAX     100000u

static const uint8_t *file;
static uint64_t image_start = UINT64_MAX, image_end;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "gate-steps: %s\n", what);
	exit(2);
}

static void read_file(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0) {
		fail("the image cannot be read");
	}
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED || memcmp(file, ELFMAG, SELFMAG) != 0) {
		fail("the image is no ELF file");
	}
	close(fd);
}

/* All segments in one piece of memory, which may be executed and written. */
static void place_image(void)
{
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Phdr *segment = (const void *)(file + head->e_phoff);
	void *at;

	for (unsigned int i = 0; i < head->e_phnum; i++) {
		if (segment[i].p_type == PT_LOAD) {
			uint64_t end = segment[i].p_vaddr + segment[i].p_memsz;

			image_start =
				segment[i].p_vaddr < image_start ? segment[i].p_vaddr : image_start;
			image_end = end > image_end ? end : image_end;
		}
	}
	at = mmap((void *)image_start, image_end - image_start, PROT_READ | PROT_WRITE | PROT_EXEC,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (at != (void *)image_start) {
		fail("there is no place for the image");
	}
	for (unsigned int i = 0; i < head->e_phnum; i++) {
		if (segment[i].p_type == PT_LOAD) {
			memcpy((void *)segment[i].p_vaddr, file + segment[i].p_offset,
			       segment[i].p_filesz);
		}
	}
}

/* Address of an object or function; size 0: any. */
static void *find(const char *name, uint64_t size)
{
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Shdr *section = (const void *)(file + head->e_shoff);

	for (unsigned int i = 0; i < head->e_shnum; i++) {
		const Elf64_Sym *symbol = (const void *)(file + section[i].sh_offset);
		const char *text = (const char *)file + section[section[i].sh_link].sh_offset;

		for (uint64_t s = 0;
		     section[i].sh_type == SHT_SYMTAB && s < section[i].sh_size / sizeof(*symbol);
		     s++) {
			if (strcmp(text + symbol[s].st_name, name) == 0 && symbol[s].st_value &&
			    (size == 0 || symbol[s].st_size == size)) {
				return (void *)symbol[s].st_value;
			}
		}
	}
	fprintf(stderr, "gate-steps: no '%s' of %lu bytes\n", name, (unsigned long)size);
	exit(2);
}

/* Control (0) serves partition 1 and not partition 2; device 0 is partition 1's. */
static void make_policy(void)
{
	struct {
		struct bh_policy head;
		struct bh_policy_part part[3];
		struct bh_policy_device device[1];
	} *boot = find("boot", BH_POLICY_SIZE_MAX);
	uint8_t *in_force = find("in_force", 2 * BH_PART_MAX * sizeof(struct bh_policy_part));
	uint32_t *refused = find("refused", BH_PART_MAX * sizeof(uint32_t));

	boot->head.part_count = 3;
	boot->head.device_count = 1;
	boot->part[0].flags = BH_POLICY_CONTROL;
	boot->part[1].map_by = boot->part[1].ring_to = boot->part[1].irq_from = 1;
	boot->part[1].doorbell_count = 8;
	boot->device[0].part = 1;
	memcpy(in_force, boot->part, sizeof(boot->part));
	for (unsigned int i = 0; i < BH_PART_MAX; i++) {
		refused[i] = REFUSED_LINES;
	}
	for (uint32_t i = 0; i < 3; i++) {
		((struct part *)find("parts", 0))[i].id = i;
		((struct part *)find("parts", 0))[i].policy = &boot->part[i];
	}
}

typedef uint64_t (*question)(uint64_t, uint64_t);

/* Runs it in a child and counts its instructions in the image. */
static unsigned int count_steps(question ask, uint64_t a, uint64_t b, int *ret_answer)
{
	unsigned int count = 0;
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
			_exit(99);
		}
		raise(SIGSTOP);
		_exit((int)-ask(a, b) & 0x3f);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		fail("no second process");
	}
	for (unsigned int i = 0; WIFSTOPPED(status) && i < STEPS_MAX; i++) {
		uint64_t rip = (uint64_t)ptrace(PTRACE_PEEKUSER, child,
						8 * RIP, NULL);

		count += rip >= image_start && rip < image_end;
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0 ||
		    waitpid(child, &status, 0) != child) {
			fail("the question cannot be stepped through");
		}
	}
	if (!WIFEXITED(status)) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		fail("the question does not end");
	}
	*ret_answer = WEXITSTATUS(status);
	return count;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name, *function;
		int a, b; /* partitions; number: b is none */
		bool number;
	} questions[] = {
		{"manage", "gate_check_manage", 0, 0, true},
		{"map", "gate_check_map", 0, 1, false},
		{"map-refused", "gate_check_map", 0, 2, false},
		{"doorbells", "gate_check_doorbells", 1, 8, true},
		{"doorbells-refused", "gate_check_doorbells", 1, 9, true},
		{"ring", "gate_check_ring", 1, 0, true},
		{"ring-refused", "gate_check_ring", 2, 0, true},
		{"interrupt", "gate_check_irq", 0, 1, false},
		{"interrupt-refused", "gate_check_irq", 0, 2, false},
		{"device", "gate_owns_device", 1, 0, true},
	};
	struct part *parts_at;

	if (argc != 2) {
		fail("usage: gate-steps bulkhead.elf");
	}
	read_file(argv[1]);
	place_image();
	make_policy();
	parts_at = find("parts", 0);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		uint64_t b = questions[i].number ? (uint64_t)questions[i].b
						 : (uint64_t)&parts_at[questions[i].b];
		int answer;
		unsigned int steps = count_steps((question)find(questions[i].function, 0),
						 (uint64_t)&parts_at[questions[i].a], b, &answer);

		printf("gate %s %u %d\n", questions[i].name, steps, answer);
	}
	return 0;
}
