/* SPDX-License-Identifier: Apache-2.0 */
/** One turn: devices first, then bulkheadd, then guests, then the screen. What a guest can make
 * this process do in a turn is bounded: so many messages (peer.h), one frame per FRAME_NS.
 */
#include "switcher.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "ui/switcher/packet.h"

#define FRAME_NS 16000000u /* guests' frames are at least this far apart */
#define FDS_MAX	 (2u + SWITCHER_PARTS_MAX + EVDEV_DEVICES_MAX)

static volatile sig_atomic_t stop_asked, stats_asked;
static sigset_t unblocked; /* while the loop waits */

uint64_t switcher_tsc(void)
{
	return __rdtsc();
}

uint64_t switcher_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void report_line(const char *format, ...)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
	char line[256];
	va_list args;

	va_start(args, format);
	int size = vsnprintf(line, sizeof(line) - 1, format, args);
	va_end(args);
	if (size < 0 || poll(&out, 1, 0) != 1 || !(out.revents & POLLOUT)) {
		return;
	}
	size = size < (int)sizeof(line) - 1 ? size : (int)sizeof(line) - 2;
	line[size] = '\n';
	if (write(STDOUT_FILENO, line, (size_t)size + 1) < 0) {
		return; /* nobody reads: nothing to tell */
	}
}

static void report_stats(const struct switcher *s)
{
	const struct screen_stats *t = &s->screen.total;

	report_line("switcher: stats frames=%" PRIu64 " bytes=%" PRIu64 " guest-bytes=%" PRIu64
		    " guest-rows=%" PRIu64,
		    t->frames, t->bytes, t->blit_bytes, t->rows);
}

static uint64_t now_ms(void)
{
	return switcher_now_ns() / 1000000u;
}

static void draw_frame(struct switcher *s)
{
	uint64_t before = s->screen.total.bytes;

	model_clock(&s->model, now_ms());
	model_frame(&s->model, &s->effects);
	switcher_apply(s);
	if (s->screen.rect_count) {
		output_present(s->output, s->screen.rects, s->screen.rect_count);
		s->screen.rect_count = 0;
		s->screen.total.frames++;
	}
	s->frame_ns = switcher_now_ns();
	if (!s->focus_pending || s->model.focus == MODEL_PART_NONE) {
		return;
	}
	uint64_t done = switcher_tsc();

	s->focus_pending = false;
	report_line("switcher: focus %s tsc=%" PRIu64 " frame-done tsc=%" PRIu64,
		    s->model.parts[s->model.focus].name, s->focus_tsc, done);
	control_send_focused(s, s->model.focus, done);
	if (s->stats) {
		report_line("switcher: switch bytes=%" PRIu64, s->screen.total.bytes - before);
	}
}

void switcher_apply(struct switcher *s)
{
	for (unsigned i = 0; i < s->effects.count; i++) {
		const struct effect *e = &s->effects.list[i];
		struct peer *peer = e->part < SWITCHER_PARTS_MAX ? &s->peers[e->part] : NULL;
		struct blit_source source = {0};

		switch (e->type) {
		case EFFECT_INPUT:
			peer_send_input(&peer->keyboard, &e->input, &peer->dropped_inputs);
			break;
		case EFFECT_POINTER:
			peer_send_input(&peer->tablet, &e->input, &peer->dropped_inputs);
			break;
		case EFFECT_RESIZE:
			peer_send_resize(peer, e->rect.w, e->rect.h);
			break;
		case EFFECT_FOCUSED:
			s->focus_pending = true;
			break;
		case EFFECT_ANSWER:
			control_send_answer(s, &e->answer);
			break;
		case EFFECT_BLIT:
			source = peer_source(peer);
			screen_draw(&s->screen, &s->model, e, &source);
			break;
		case EFFECT_STRIP:
		case EFFECT_PANEL:
		case EFFECT_CARD:
		case EFFECT_QUESTION:
		case EFFECT_QUESTION_CARD:
		case EFFECT_FILL:
			screen_draw(&s->screen, &s->model, e, NULL);
			break;
		}
	}
	s->effects.count = 0;
}

/** Every event of every device comes through here. */
static void take_event(void *context, uint32_t type, uint32_t code, int32_t value)
{
	struct switcher *s = context;

	s->focus_tsc = s->focus_pending ? s->focus_tsc : switcher_tsc();
	model_clock(&s->model, now_ms());
	model_input(&s->model, type, code, value, &s->effects);
	switcher_apply(s);
	if (s->focus_pending) {
		draw_frame(s);
	}
}

static void serve_opener(struct switcher *s)
{
	struct packet packet;
	int got = packet_receive(s->opener_fd, &packet);

	if (got < 0) {
		fprintf(stderr, "bulkhead-switcher: the opener is gone: no new devices\n");
		close(s->opener_fd);
		s->opener_fd = -1;
		return;
	}
	if (got == 1 && packet.fd_count == 1) {
		evdev_add(&s->evdev, packet.fds[0]);
		packet.fds[0] = -1;
	}
	packet_close_fds(&packet);
}

static void serve_devices(struct switcher *s, const struct pollfd *fds, unsigned count)
{
	/* From the end: a device that goes away is replaced by the last one, which has been served.
	 */
	for (unsigned i = count; i-- > 0;) {
		if (!fds[i].revents || i >= s->evdev.count) {
			continue;
		}
		if (evdev_read(&s->evdev, i, take_event, s) != 0) {
			model_release_all(&s->model, &s->effects);
			switcher_apply(s);
		}
	}
}

static unsigned push_fd(struct pollfd *fds, unsigned count, int fd)
{
	fds[count] = (struct pollfd){.fd = fd, .events = POLLIN};
	return count + 1;
}

/** Milliseconds until something is due without an event; -1: nothing is. */
static int wait_ms(struct switcher *s, uint64_t now)
{
	uint64_t wake = UINT64_MAX;
	int interval = output_poll_interval(s->output);

	if (interval >= 0) {
		wake = now + (uint64_t)interval * 1000000u;
	}
	if (model_wake_ms(&s->model) != UINT64_MAX && model_wake_ms(&s->model) * 1000000u < wake) {
		wake = model_wake_ms(&s->model) * 1000000u;
	}
	if (model_frame_urgent(&s->model)) {
		return 0;
	}
	if (model_frame_due(&s->model) && s->frame_ns + FRAME_NS < wake) {
		wake = s->frame_ns + FRAME_NS;
	}
	for (unsigned i = 0; i < SWITCHER_PARTS_MAX; i++) {
		if (s->peers[i].surface_fd >= 0 && !peer_may_read(&s->peers[i], now) &&
		    peer_wake_ns(&s->peers[i]) < wake) {
			wake = peer_wake_ns(&s->peers[i]);
		}
	}
	if (wake == UINT64_MAX) {
		return -1;
	}
	return wake <= now ? 0 : (int)((wake - now + 999999) / 1000000);
}

static void draw_if_due(struct switcher *s)
{
	uint64_t now = switcher_now_ns();

	if (model_frame_urgent(&s->model) || s->focus_pending ||
	    (model_frame_due(&s->model) && now - s->frame_ns >= FRAME_NS)) {
		draw_frame(s);
	}
}

static int turn(struct switcher *s)
{
	struct pollfd fds[FDS_MAX];
	unsigned count = 0, devices = s->evdev.count;
	uint64_t now = switcher_now_ns();
	/* Drawing ahead is what idle time is for. */
	bool idle = !model_frame_due(&s->model) && screen_prepare_strip(&s->screen, &s->model);
	int ms = idle ? 0 : wait_ms(s, now);
	struct timespec timeout = {ms / 1000, (long)(ms % 1000) * 1000000};

	for (unsigned i = 0; i < devices; i++) {
		count = push_fd(fds, count, s->evdev.devices[i].fd);
	}
	count = push_fd(fds, count, s->opener_fd);
	count = push_fd(fds, count, s->control_fd);
	for (unsigned i = 0; i < SWITCHER_PARTS_MAX; i++) {
		struct peer *peer = &s->peers[i];

		count = push_fd(fds, count, peer_may_read(peer, now) ? peer->surface_fd : -1);
	}
	if (ppoll(fds, count, ms < 0 ? NULL : &timeout, &unblocked) < 0) {
		return errno == EINTR ? 0 : -1;
	}
	serve_devices(s, fds, devices);
	if (output_poll(s->output, take_event, s) < 0) {
		return -1;
	}
	if (fds[devices].revents) {
		serve_opener(s);
	}
	if (fds[devices + 1].revents) {
		control_serve(s);
	}
	now = switcher_now_ns();
	for (unsigned i = 0; i < SWITCHER_PARTS_MAX; i++) {
		if (fds[devices + 2 + i].revents && s->model.parts[i].used) {
			peer_serve(&s->peers[i], &s->model, i, now);
		}
	}
	model_time(&s->model, now_ms(), &s->effects);
	switcher_apply(s);
	draw_if_due(s);
	return 0;
}

static void on_signal(int number)
{
	if (number == SIGUSR1) {
		stats_asked = 1;
	} else {
		stop_asked = 1;
	}
}

void loop_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, &unblocked);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int loop_run(struct switcher *s)
{
	while (!stop_asked) {
		if (turn(s) < 0) {
			return 1;
		}
		if (stats_asked) {
			stats_asked = 0;
			report_stats(s);
		}
	}
	return 0;
}
