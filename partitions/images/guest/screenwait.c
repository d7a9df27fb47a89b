/* SPDX-License-Identifier: Apache-2.0 */
/* screenwait N RRGGBB [MARK]: waits until N per mille of what the graphics card shows have this colour,
 * then says MARK on the virtio console. For a compositor, which draws past the frame buffer device: what
 * counts is what is on the screen, not what was started. Root only (others get no handle of a foreign
 * buffer). */
#define _GNU_SOURCE
#include <fcntl.h>
#include <libdrm/drm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "early.h"

#define CARD	  "/dev/dri/card0"
#define CRTCS_MAX 8
#define POLL_MS	  100
#define CARD_MS	  10000

static unsigned permille;
static uint32_t colour;

/* Looks at every eighth pixel of every eighth row. */
static bool has_colour(const uint32_t *pixels, const struct drm_mode_fb_cmd *shape)
{
	size_t pitch = shape->pitch / 4;
	unsigned drawn = 0, seen = 0;

	for (size_t y = 0; y < shape->height; y += 8) {
		for (size_t x = 0; x < shape->width; x += 8) {
			drawn += (pixels[y * pitch + x] & 0xffffffu) == colour;
			seen++;
		}
	}
	return drawn * 1000u >= seen * permille;
}

/* Frame buffer that the first running CRTC shows; 0: none yet. */
static uint32_t shown_buffer(int card)
{
	uint32_t crtcs[CRTCS_MAX];
	struct drm_mode_card_res resources = {.crtc_id_ptr = (uintptr_t)crtcs, .count_crtcs = CRTCS_MAX};

	if (ioctl(card, DRM_IOCTL_MODE_GETRESOURCES, &resources) != 0 || resources.count_crtcs > CRTCS_MAX) {
		return 0;
	}
	for (uint32_t i = 0; i < resources.count_crtcs; i++) {
		struct drm_mode_crtc crtc = {.crtc_id = crtcs[i]};

		if (ioctl(card, DRM_IOCTL_MODE_GETCRTC, &crtc) == 0 && crtc.fb_id != 0) {
			return crtc.fb_id;
		}
	}
	return 0;
}

/* A compositor changes buffers with each frame, so each look maps anew what is shown at that moment. */
static bool is_drawn(int card, struct drm_mode_fb_cmd *ret_shape)
{
	struct drm_mode_fb_cmd shape = {.fb_id = shown_buffer(card)};
	struct drm_mode_map_dumb map = {0};
	struct drm_gem_close release = {0};
	bool drawn = false;

	if (shape.fb_id == 0 || ioctl(card, DRM_IOCTL_MODE_GETFB, &shape) != 0 || shape.handle == 0) {
		return false;
	}
	map.handle = release.handle = shape.handle;
	if (shape.bpp == 32 && ioctl(card, DRM_IOCTL_MODE_MAP_DUMB, &map) == 0) {
		size_t size = (size_t)shape.pitch * shape.height;
		const uint32_t *pixels = mmap(NULL, size, PROT_READ, MAP_SHARED, card, (off_t)map.offset);

		if (pixels != MAP_FAILED) {
			drawn = has_colour(pixels, &shape);
			munmap((void *)(uintptr_t)pixels, size);
		}
	}
	ioctl(card, DRM_IOCTL_GEM_CLOSE, &release);
	*ret_shape = shape;
	return drawn;
}

int main(int argc, char **argv)
{
	struct timespec pause_time = {0, POLL_MS * 1000000l};
	struct drm_mode_fb_cmd shape;
	int card;

	if (argc < 3) {
		fprintf(stderr, "usage: screenwait PERMILLE RRGGBB [MARK]\n");
		return 2;
	}
	permille = (unsigned)strtoul(argv[1], NULL, 10);
	colour = (uint32_t)strtoul(argv[2], NULL, 16);
	early_mark_to("/dev/hvc0");
	early_wait_path(CARD, CARD_MS);
	card = open(CARD, O_RDWR | O_CLOEXEC);
	if (card < 0) {
		early_mark("screenwait", "no graphics card");
		return 1;
	}
	/* Who opens first is master, and that is the compositor's part. */
	ioctl(card, DRM_IOCTL_DROP_MASTER, NULL);
	while (!is_drawn(card, &shape)) {
		nanosleep(&pause_time, NULL);
	}
	close(card);
	if (argc > 3) {
		early_mark(argv[3], "screen %ux%u", shape.width, shape.height);
	}
	return 0;
}
