/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead-switcher: the program that owns the screen and the keyboard. Opens them, gives up what
 * it needed for that, and turns the loop.
 */
#include "switcher.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/trusted/question_card.h"
#include "ui/switcher/confine.h"
#include "ui/switcher/opener.h"

/* Of its own, so that no other daemon may signal or trace it; the root image names it
 * "bulkhead-ui". */
#define DEFAULT_ID 971u

struct options {
	struct output_config output;
	const char *font_dir;
	int control_fd;
	unsigned uid, gid;
	bool stats;
};

static const char usage[] =
	"usage: bulkhead-switcher [--control-fd N] [--mode WxH] [--device /dev/dri/cardN]\n"
	"                         [--wait MS] [--font-dir DIR] [--uid N] [--gid N] [--stats]\n"
	"Shows the partitions that bulkheadd names over the socket N, and gives the keyboard to "
	"one.\n";

static int parse_number(const char *text, long max, unsigned *ret_value)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 0 || value > max) {
		return -1;
	}
	*ret_value = (unsigned)value;
	return 0;
}

static int parse_mode(const char *text, struct output_config *config)
{
	unsigned width, height;
	char rest;

	if (sscanf(text, "%5ux%5u%c", &width, &height, &rest) != 2 || width < 320 || height < 200 ||
	    width > 8192 || height > 8192) {
		return -1;
	}
	config->width = (int32_t)width;
	config->height = (int32_t)height;
	return 0;
}

static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"control-fd", required_argument, NULL, 'c'},
		{"mode", required_argument, NULL, 'm'},
		{"device", required_argument, NULL, 'd'},
		{"wait", required_argument, NULL, 'w'},
		{"font-dir", required_argument, NULL, 'f'},
		{"uid", required_argument, NULL, 'u'},
		{"gid", required_argument, NULL, 'g'},
		{"stats", no_argument, NULL, 's'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	unsigned number = 0;
	int bad = 0;

	for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
		switch (c) {
		case 'c':
			bad |= parse_number(optarg, 1 << 20, &number);
			options->control_fd = (int)number;
			break;
		case 'm':
			bad |= parse_mode(optarg, &options->output);
			break;
		case 'd':
			options->output.device = optarg;
			break;
		case 'w':
			bad |= parse_number(optarg, 600000, &number);
			options->output.wait_ms = (int)number;
			break;
		case 'f':
			options->font_dir = optarg;
			break;
		case 'u':
			bad |= parse_number(optarg, INT32_MAX, &options->uid);
			break;
		case 'g':
			bad |= parse_number(optarg, INT32_MAX, &options->gid);
			break;
		case 's':
			options->stats = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			return -1;
		}
	}
	return bad || optind != argc ? -1 : 0;
}

/** Only a real screen is worth confining for, and only root has something to drop. */
static int give_up(struct switcher *s, const struct options *options)
{
	if (!output_trusted(s->output)) {
		return 0;
	}
	if (geteuid() == 0) {
		s->opener_fd = opener_start(options->uid, options->gid);
	} else {
		fprintf(stderr, "bulkhead-switcher: not root: no keyboard of its own\n");
	}
	confine_realtime();
	return confine_switcher(geteuid() == 0 ? options->uid : geteuid(),
				geteuid() == 0 ? options->gid : getegid(), output_fd(s->output));
}

/** Pages of questions are as long as the card's letters allow. */
static void tell_letters(struct switcher *s)
{
	uint8_t advance[FONT_GLYPHS];

	font_advances(&s->screen.fonts.fonts[QUESTION_CARD_FONT], advance);
	model_set_letters(&s->model, advance);
}

int main(int argc, char **argv)
{
	static struct switcher s;
	struct options options = {
		.output = {.wait_ms = 5000},
		.font_dir = FONT_DIR,
		.control_fd = -1,
		.uid = DEFAULT_ID,
		.gid = DEFAULT_ID,
	};

	if (parse_options(argc, argv, &options) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	s.control_fd = options.control_fd;
	s.opener_fd = -1;
	s.stats = options.stats;
	for (unsigned i = 0; i < SWITCHER_PARTS_MAX; i++) {
		peer_init(&s.peers[i]);
	}
	s.output = output_open(&options.output);
	if (!s.output) {
		return 1;
	}
	struct canvas *canvas = output_canvas(s.output);

	if (canvas->width < 320 || canvas->height < 200 ||
	    screen_init(&s.screen, canvas, options.font_dir) < 0) {
		return 1;
	}
	model_init(&s.model, canvas->width, canvas->height);
	tell_letters(&s);
	evdev_init(&s.evdev, canvas->width, canvas->height);
	if (s.control_fd >= 0) {
		fcntl(s.control_fd, F_SETFD, FD_CLOEXEC);
	}
	loop_catch_signals();
	if (give_up(&s, &options) < 0) {
		return 1;
	}
	fprintf(stderr, "bulkhead-switcher: %s\n", output_name(s.output));
	report_line("switcher: up tsc=%" PRIu64, switcher_tsc());
	control_send_ready(&s);
	int code = loop_run(&s);

	for (unsigned i = 0; i < SWITCHER_PARTS_MAX; i++) {
		peer_close(&s.peers[i]);
	}
	screen_fini(&s.screen);
	output_close(s.output);
	return code;
}
