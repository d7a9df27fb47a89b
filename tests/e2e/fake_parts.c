/* SPDX-License-Identifier: Apache-2.0 */
/** Three made-up partitions and a bulkheadd for the switcher: starts it, adds desktop, browser and
 * management, draws into their memory and says what arrives. Obeys lines on stdin (see commands[]);
 * good and bad manners alike.
 *
 *  fake-parts SWITCHER [ARGUMENT...]     the switcher gets --control-fd besides
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/input-event-codes.h>

#include "ui/proto/surface.h"
#include "ui/proto/switcher.h"

#define PARTS 3

struct fake {
	const char *name, *title;
	uint32_t colour, pattern;
	uint32_t ground;
	int surface, keyboard, tablet; /* our ends */
	uint32_t width, height;
	int memory;
	uint32_t *pixels;
	bool flood, stuck;
	unsigned typed;
	unsigned noise;
};

static struct fake fakes[PARTS] = {
	{.name = "desktop",
	 .title = "Desktop",
	 .colour = 0x6b4fa0,
	 .pattern = SWITCHER_STRIPES,
	 .ground = 0x3a2f5c},
	{.name = "browser",
	 .title = "Browser",
	 .colour = 0x1b5faa,
	 .pattern = SWITCHER_DOTS,
	 .ground = 0x16406e},
	{.name = "management",
	 .title = "Management",
	 .colour = 0xa0522d,
	 .pattern = SWITCHER_CHECKS,
	 .ground = 0x5a3220},
};
static int control;
static pid_t switcher;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/** Returns 0, or -1 with errno. */
static int send_msg(int to, const void *bytes, size_t size, const int *fds, unsigned count)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * 8)];
	} ancillary;
	struct iovec iov = {(void *)(uintptr_t)bytes, size};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};

	memset(&ancillary, 0, sizeof(ancillary));
	if (count) {
		head.msg_control = &ancillary;
		head.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * count);
	}
	return sendmsg(to, &head, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size ? 0 : -1;
}

static int make_memory(size_t size, int seals)
{
	int fd = memfd_create("scanout", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
		die("memfd");
	}
	if (seals) {
		fcntl(fd, F_ADD_SEALS, seals);
	}
	return fd;
}

static void damage(struct fake *f, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
	struct surface_msg msg = {.type = SURFACE_DAMAGE, .x = x, .y = y, .width = w, .height = h};

	send_msg(f->surface, &msg, sizeof(msg), NULL, 0);
}

static void fill(struct fake *f, uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t colour)
{
	for (uint32_t row = y; row < y + h && row < f->height; row++) {
		for (uint32_t column = x; column < x + w && column < f->width; column++) {
			f->pixels[(size_t)row * f->width + column] = colour;
		}
	}
}

static uint32_t shade(uint32_t colour, uint32_t percent)
{
	return ((colour >> 16 & 0xff) * percent / 100) << 16 |
	       ((colour >> 8 & 0xff) * percent / 100) << 8 | (colour & 0xff) * percent / 100;
}

static void draw(struct fake *f)
{
	for (uint32_t y = 0; y < f->height; y++) {
		fill(f, 0, y, f->width, 1, shade(f->ground, 60 + y * 40 / f->height));
	}
	fill(f, 40, 40, 300, 180, shade(f->ground, 160));
	fill(f, 40, 40, 300, 24, 0xd8dee6);
}

static void show(struct fake *f, uint32_t width, uint32_t height)
{
	size_t size = (size_t)width * height * 4;

	if (f->pixels) {
		munmap(f->pixels, (size_t)f->width * f->height * 4);
		close(f->memory);
	}
	f->width = width;
	f->height = height;
	f->memory = make_memory(size, F_SEAL_SHRINK | F_SEAL_GROW);
	f->pixels = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->memory, 0);
	if (f->pixels == MAP_FAILED) {
		die("mmap");
	}
	draw(f);
	struct surface_msg msg = {
		.type = SURFACE_SCANOUT, .width = width, .height = height, .stride = width * 4};

	send_msg(f->surface, &msg, sizeof(msg), &f->memory, 1);
	damage(f, 0, 0, width, height);
}

static void add(struct fake *f)
{
	struct switcher_msg msg = {
		.type = SWITCHER_ADD,
		.id = (uint32_t)(f - fakes) + 1,
		.order = (uint32_t)(f - fakes) + 1,
		.colour = f->colour,
		.pattern = f->pattern,
		.fds = SWITCHER_FD_SURFACE | SWITCHER_FD_KEYBOARD | SWITCHER_FD_TABLET,
	};
	int pairs[3][2];

	for (int i = 0; i < 3; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pairs[i]) < 0) {
			die("socketpair");
		}
	}
	snprintf(msg.name, sizeof(msg.name), "%s", f->name);
	snprintf(msg.title, sizeof(msg.title), "%s", f->title);
	int theirs[] = {pairs[0][1], pairs[1][1], pairs[2][1]};

	if (send_msg(control, &msg, sizeof(msg), theirs, 3) < 0) {
		die("add");
	}
	for (int i = 0; i < 3; i++) {
		close(theirs[i]);
	}
	f->surface = pairs[0][0];
	f->keyboard = pairs[1][0];
	f->tablet = pairs[2][0];
}

static void state(uint32_t id, uint32_t value, uint32_t progress, const char *text)
{
	struct switcher_msg msg = {
		.type = SWITCHER_STATE, .id = id, .state = value, .progress = progress};

	snprintf(msg.text, sizeof(msg.text), "%s", text);
	send_msg(control, &msg, sizeof(msg), NULL, 0);
}

/** One broken message of each kind; the switcher must cut this partition's picture off and nothing
 * else. */
static void misbehave(struct fake *f, const char *kind)
{
	struct surface_msg msg = {
		.type = SURFACE_SCANOUT, .width = 1024, .height = 736, .stride = 4096};
	size_t size = sizeof(msg);
	unsigned count = 1;
	int seals = F_SEAL_SHRINK;
	size_t bytes = 1024 * 736 * 4;

	if (strcmp(kind, "unsealed") == 0) {
		seals = 0;
	} else if (strcmp(kind, "small") == 0) {
		bytes -= 1;
	} else if (strcmp(kind, "huge") == 0) {
		msg.width = msg.height = 0x40000000;
		msg.stride = 0;
	} else if (strcmp(kind, "offset") == 0) {
		msg.offset = 0xfffffffc;
	} else if (strcmp(kind, "stride") == 0) {
		msg.stride = 4;
	} else if (strcmp(kind, "short") == 0) {
		size -= 1;
	} else if (strcmp(kind, "type") == 0) {
		msg.type = 0xffffffff;
	} else if (strcmp(kind, "fds") == 0) {
		count = 8;
	} else if (strcmp(kind, "nofd") == 0) {
		count = 0;
	}
	int fd = make_memory(bytes, seals);
	int fds[8] = {fd, fd, fd, fd, fd, fd, fd, fd};
	const char *what = strcmp(kind, "pipe") == 0 ? "/dev/zero" : NULL;

	if (what) {
		close(fd);
		fd = fds[0] = open(what, O_RDONLY | O_CLOEXEC);
	}
	send_msg(f->surface, &msg, size, fds, count);
	close(fd);
}

/** Paints a strip of another partition at the top of this one's picture, and asks for damage past
 * every edge. */
static void forge(struct fake *f)
{
	fill(f, 0, 0, f->width, 32, 0xa0522d);
	for (uint32_t x = 0; x < f->width; x += 16) {
		fill(f, x, x / 16 % 2 * 8, 8, 8, 0xd8b8a8);
	}
	damage(f, 0, 0, 8192, 8192);
}

static void add_cursor(struct fake *f, uint32_t x, uint32_t y)
{
	int fd = make_memory(64 * 64 * 4, F_SEAL_SHRINK);
	struct surface_msg image = {
		.type = SURFACE_CURSOR, .width = 64, .height = 64, .stride = 256};
	struct surface_msg move = {.type = SURFACE_CURSOR_MOVE, .x = x, .y = y};
	uint32_t pixels[64 * 64] = {0};

	for (uint32_t row = 0; row < 20; row++) {
		for (uint32_t column = 0; column <= row && column < 13; column++) {
			bool edge = column == 0 || column == row || row == 19 || column == 12;

			pixels[row * 64 + column] = edge ? 0xff000000 : 0xffffffff;
		}
	}
	if (pwrite(fd, pixels, sizeof(pixels), 0) < 0) {
		die("cursor");
	}
	send_msg(f->surface, &image, sizeof(image), &fd, 1);
	send_msg(f->surface, &move, sizeof(move), NULL, 0);
	close(fd);
}

static void control_short(uint32_t type, uint32_t id)
{
	struct switcher_msg msg = {.type = type, .id = id};

	send_msg(control, &msg, sizeof(msg), NULL, 0);
}

/** A question about a partition; its number is that of the partition. */
static void ask(uint32_t id, uint32_t seconds, const char *title)
{
	struct switcher_question question = {
		.type = SWITCHER_ASK,
		.id = id,
		.part = id,
		.choice_count = 3,
		.fallback = 0,
		.seconds = seconds,
		.line_count = 2,
		.line = {"Text, 214 bytes.", "Rule: clipboard-question"},
		.choice = {"Deny", "Allow once", "Allow always"}};

	snprintf(question.title, sizeof(question.title), "%s", title);
	send_msg(control, &question, SWITCHER_QUESTION_SIZE(question.line_count), NULL, 0);
}

/** A question about the machine that no screen shows at once. */
static void ask_long(uint32_t id, uint32_t lines)
{
	struct switcher_question question = {.type = SWITCHER_ASK,
					     .id = id,
					     .part = SWITCHER_NOBODY,
					     .choice_count = 2,
					     .line_count = lines,
					     .title = "Keep all of this?",
					     .choice = {"Take it back", "Keep it"}};

	for (uint32_t i = 0; i < lines; i++) {
		snprintf(question.line[i], SWITCHER_LINE_SIZE, "change number %u", i + 1);
	}
	send_msg(control, &question, SWITCHER_QUESTION_SIZE(lines), NULL, 0);
}

static void obey(char *line)
{
	char verb[16] = "", word[64] = "";
	unsigned id = 0, a = 0, b = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%15s %u %63s", verb, &id, word) < 2 || id < 1 || id > PARTS) {
		printf("? %s\n", line);
		return;
	}
	struct fake *f = &fakes[id - 1];
	bool numbers = sscanf(line, "%*s %*u %u %u", &a, &b) == 2;

	if (strcmp(verb, "state") == 0 && numbers) {
		int at = 0;

		sscanf(line, "%*s %*u %*u %*u %n", &at);
		state(id, a, b, at ? line + at : "");
	} else if (strcmp(verb, "ask") == 0) {
		int at = 0;

		sscanf(line, "%*s %*u %u %n", &a, &at);
		ask(id, a, at ? line + at : "?");
	} else if (strcmp(verb, "asklong") == 0 && sscanf(line, "%*s %*u %u", &a) == 1 &&
		   a <= SWITCHER_LINES_MAX) {
		ask_long(id, a);
	} else if (strcmp(verb, "withdraw") == 0) {
		control_short(SWITCHER_WITHDRAW, id);
	} else if (strcmp(verb, "size") == 0 && numbers) {
		show(f, a, b);
	} else if (strcmp(verb, "cursor") == 0 && numbers) {
		add_cursor(f, a, b);
	} else if (strcmp(verb, "flood") == 0) {
		f->flood = strcmp(word, "on") == 0;
	} else if (strcmp(verb, "stuck") == 0) {
		f->stuck = strcmp(word, "on") == 0;
	} else if (strcmp(verb, "forge") == 0) {
		forge(f);
	} else if (strcmp(verb, "bad") == 0) {
		misbehave(f, word);
	} else if (strcmp(verb, "focus") == 0) {
		control_short(SWITCHER_FOCUS, id);
	} else if (strcmp(verb, "remove") == 0) {
		control_short(SWITCHER_REMOVE, id);
	} else if (strcmp(verb, "readd") == 0) {
		close(f->surface);
		close(f->keyboard);
		close(f->tablet);
		add(f);
		state(id, SWITCHER_RUNNING, 0, "");
	}
	printf("done %s\n", line);
}

static void echo_key(struct fake *f)
{
	uint32_t x = 48 + f->typed % 16 * 18, y = 72 + f->typed / 16 % 8 * 18;

	f->typed++;
	if (f->pixels) {
		fill(f, x, y, 14, 14, 0xf2f5f9);
		damage(f, x, y, 14, 14);
	}
}

static void hear(struct fake *f, int fd)
{
	struct surface_input in;

	if (recv(fd, &in, sizeof(in), MSG_DONTWAIT) != sizeof(in)) {
		return;
	}
	if (in.type == EV_KEY) {
		printf("key %s %u %d\n", f->name, in.code, in.value);
		if (in.value == 1) {
			echo_key(f);
		}
	} else if (in.type != EV_SYN) {
		printf("axis %s %u %u %d\n", f->name, in.type, in.code, in.value);
	}
}

static void hear_surface(struct fake *f)
{
	struct surface_msg msg;
	ssize_t size = recv(f->surface, &msg, sizeof(msg), MSG_DONTWAIT);

	if (size == sizeof(msg) && msg.type == SURFACE_RESIZE) {
		printf("resize %s %u %u\n", f->name, msg.width, msg.height);
		show(f, msg.width, msg.height);
	} else if (size == 0 || (size < 0 && errno != EAGAIN)) {
		printf("cut %s\n", f->name);
		close(f->surface);
		f->surface = -1;
	}
}

static void hear_control(void)
{
	struct switcher_msg msg;
	struct switcher_answer answer;
	ssize_t size = recv(control, &msg, sizeof(msg), MSG_DONTWAIT);

	if (size <= 0) {
		int status = 0;

		waitpid(switcher, &status, 0);
		printf("switcher ended %d\n",
		       WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
		exit(0);
	}
	if (msg.type == SWITCHER_READY) {
		printf("ready %u %u\n", msg.width, msg.height);
		for (int i = 0; i < PARTS; i++) {
			add(&fakes[i]);
			state((uint32_t)i + 1, SWITCHER_RUNNING, 0, "");
		}
	} else if (msg.type == SWITCHER_FOCUSED) {
		printf("focused %s\n", msg.id <= PARTS && msg.id ? fakes[msg.id - 1].name : "?");
	} else if (msg.type == SWITCHER_ANSWER && size == sizeof(answer)) {
		memcpy(&answer, &msg, sizeof(answer));
		printf("told-lines %u %u\n", answer.id, answer.lines);
		printf("answer %u %u %u\n", answer.id, answer.choice, answer.by);
	}
}

static void flood(struct fake *f)
{
	for (int i = 0; i < 200 && f->surface >= 0; i++) {
		if (f->pixels) {
			fill(f, 0, (f->noise * 7) % f->height, f->width, 8, f->noise * 2654435761u);
		}
		f->noise++;
		damage(f, 0, 0, f->width, f->height);
	}
}

static void start(char **argv)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0) {
		die("socketpair");
	}
	switcher = fork();
	if (switcher == 0) {
		char number[16];
		char *args[32] = {argv[0]};
		int n = 1;

		for (; argv[n] && n < 28; n++) {
			args[n] = argv[n];
		}
		args[n] = (char[]){"--control-fd"};
		args[n + 1] = number;
		snprintf(number, sizeof(number), "%d", pair[1]);
		close(pair[0]);
		execv(argv[0], args);
		die(argv[0]);
	}
	close(pair[1]);
	control = pair[0];
	fcntl(control, F_SETFD, FD_CLOEXEC);
}

int main(int argc, char **argv)
{
	bool input = true;

	if (argc < 2) {
		fprintf(stderr, "usage: fake-parts SWITCHER [ARGUMENT...]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < PARTS; i++) {
		fakes[i].surface = fakes[i].keyboard = fakes[i].tablet = -1;
	}
	start(argv + 1);
	for (;;) {
		struct pollfd fds[2 + PARTS * 3] = {{control, POLLIN, 0},
						    {input ? STDIN_FILENO : -1, POLLIN, 0}};
		bool flooding = false;

		for (int i = 0; i < PARTS; i++) {
			struct fake *f = &fakes[i];

			fds[2 + i * 3] = (struct pollfd){f->surface, POLLIN, 0};
			fds[3 + i * 3] = (struct pollfd){f->stuck ? -1 : f->keyboard, POLLIN, 0};
			fds[4 + i * 3] = (struct pollfd){f->stuck ? -1 : f->tablet, POLLIN, 0};
			flooding |= f->flood;
		}
		poll(fds, 2 + PARTS * 3, flooding ? 1 : -1);
		for (int i = 0; i < PARTS; i++) {
			if (fds[2 + i * 3].revents) {
				hear_surface(&fakes[i]);
			}
			for (int k = 3; k < 5; k++) {
				if (fds[k + i * 3].revents) {
					hear(&fakes[i], fds[k + i * 3].fd);
				}
			}
			if (fakes[i].flood) {
				flood(&fakes[i]);
			}
		}
		if (fds[0].revents) {
			hear_control();
		}
		if (fds[1].revents) {
			char line[256];
			size_t at = 0;

			/* Unbuffered, so that poll() knows about every line. */
			while (at < sizeof(line) - 1 && read(STDIN_FILENO, &line[at], 1) == 1 &&
			       line[at] != '\n') {
				at++;
			}
			line[at] = '\0';
			if (at == 0) {
				input = false; /* the end: go on without orders */
			} else if (strcmp(line, "quit") == 0) {
				kill(switcher, SIGTERM);
			} else {
				obey(line);
			}
		}
	}
}
