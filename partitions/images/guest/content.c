/* SPDX-License-Identifier: Apache-2.0 */
/* content: /sbin/init of the small guest images. Reads /etc/content, one statement per line:
 *
 *   start TTY PROGRAM [ARGUMENT ...]   starts a program on a terminal ("-": none), again when it ends
 *   ready N RRGGBB                     says BULKHEAD-READY when N per mille of the screen have this colour
 *
 * BULKHEAD-READY on the virtio console is what bulkheadd waits for; it is said once, by what is really in
 * the frame buffer and not by what was started. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "early.h"

#define PROGRAMS_MAX  8
#define ARGUMENTS_MAX 12
#define POLL_MS       40
#define RESTART_S     1

struct program {
	char *tty;
	char *argv[ARGUMENTS_MAX + 1];
	pid_t pid;
};

static char text[4096];
static struct program programs[PROGRAMS_MAX];
static int program_count;
static unsigned ready_permille;
static uint32_t ready_colour;

static void parse_line(char *line)
{
	char *save = NULL;
	char *word = strtok_r(line, " ", &save);

	if (word == NULL || word[0] == '#') {
		return;
	}
	if (strcmp(word, "ready") == 0) {
		word = strtok_r(NULL, " ", &save);
		ready_permille = word == NULL ? 0 : (unsigned)strtoul(word, NULL, 10);
		word = strtok_r(NULL, " ", &save);
		ready_colour = word == NULL ? 0 : (uint32_t)strtoul(word, NULL, 16);
	} else if (strcmp(word, "start") == 0 && program_count < PROGRAMS_MAX) {
		struct program *program = &programs[program_count];

		program->tty = strtok_r(NULL, " ", &save);
		for (int i = 0; i < ARGUMENTS_MAX; i++) {
			program->argv[i] = strtok_r(NULL, " ", &save);
			if (program->argv[i] == NULL) {
				break;
			}
		}
		program_count += program->argv[0] != NULL;
	} else {
		early_mark("content", "not understood: %s", word);
	}
}

static void parse(void)
{
	char *save = NULL;
	int fd = open("/etc/content", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[size > 0 ? size : 0] = '\0';
	if (fd >= 0) {
		close(fd);
	}
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		parse_line(line);
	}
}

static void start(struct program *program)
{
	program->pid = early_spawn(strcmp(program->tty, "-") == 0 ? NULL : program->tty, program->argv);
}

/* Looks at every eighth pixel of every eighth row. */
static bool screen_is_drawn(const uint32_t *pixels, const struct fb_var_screeninfo *shape, uint32_t pitch)
{
	unsigned drawn = 0, seen = 0;

	for (uint32_t y = 0; y < shape->yres; y += 8) {
		for (uint32_t x = 0; x < shape->xres; x += 8) {
			drawn += (pixels[y * pitch + x] & 0xffffffu) == ready_colour;
			seen++;
		}
	}
	return drawn * 1000u >= seen * ready_permille;
}

static void wait_ready(void)
{
	struct timespec pause_time = {0, POLL_MS * 1000000l};
	struct fb_var_screeninfo shape;
	struct fb_fix_screeninfo fixed;
	const uint32_t *pixels;
	int fd = open("/dev/fb0", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, FBIOGET_VSCREENINFO, &shape) != 0 ||
	    ioctl(fd, FBIOGET_FSCREENINFO, &fixed) != 0) {
		early_mark("content", "no frame buffer");
		return;
	}
	pixels = mmap(NULL, fixed.smem_len, PROT_READ, MAP_SHARED, fd, 0);
	if (pixels == MAP_FAILED) {
		early_mark("content", "cannot map the frame buffer");
		return;
	}
	while (!screen_is_drawn(pixels, &shape, fixed.line_length / 4)) {
		nanosleep(&pause_time, NULL);
	}
	munmap((void *)(uintptr_t)pixels, fixed.smem_len);
	close(fd);
	early_mark("BULKHEAD-READY", "screen %ux%u", shape.xres, shape.yres);
}

int main(void)
{
	early_mark_to("/dev/hvc0");
	parse();
	for (int i = 0; i < program_count; i++) {
		start(&programs[i]);
	}
	if (ready_permille != 0) {
		wait_ready();
	}
	for (;;) {
		int status;
		pid_t pid = wait(&status);

		if (pid < 0) {
			pause();
		}
		for (int i = 0; i < program_count; i++) {
			if (programs[i].pid == pid) {
				sleep(RESTART_S);
				start(&programs[i]);
			}
		}
	}
}
