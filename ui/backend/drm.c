/* SPDX-License-Identifier: Apache-2.0 */
/** The bare screen: one dumb buffer that is scanned out and drawn into directly, set up by one
 * atomic commit where the driver has that, else by the legacy call. Drivers that keep a copy of the
 * buffer are told what changed. Source: drm-kms(7), drm-memory(7); Linux
 * Documentation/gpu/drm-kms.rst "Atomic Mode Setting".
 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#define CARDS_MAX 8
#define CLIPS_MAX 16u

struct output {
	int fd;
	bool atomic;
	bool wants_dirty;
	uint32_t connector, crtc, plane, crtc_index;
	drmModeModeInfo mode;
	uint32_t handle, fb, mode_blob;
	uint64_t size;
	struct canvas canvas;
	char name[64];
};

static int complain(const char *what)
{
	fprintf(stderr, "bulkhead-switcher: %s: %s\n", what, strerror(errno));
	return -1;
}

static uint32_t find_property(const struct output *o, uint32_t object, uint32_t type,
			      const char *name, uint64_t *ret_value)
{
	drmModeObjectProperties *list = drmModeObjectGetProperties(o->fd, object, type);
	uint32_t id = 0;

	for (uint32_t i = 0; list && i < list->count_props && !id; i++) {
		drmModePropertyRes *p = drmModeGetProperty(o->fd, list->props[i]);

		if (p && strcmp(p->name, name) == 0) {
			id = p->prop_id;
			if (ret_value) {
				*ret_value = list->prop_values[i];
			}
		}
		drmModeFreeProperty(p);
	}
	drmModeFreeObjectProperties(list);
	return id;
}

/** The wished size if the screen has it, else what it prefers, else its first. */
static const drmModeModeInfo *choose_mode(const drmModeConnector *c,
					  const struct output_config *config)
{
	const drmModeModeInfo *best = &c->modes[0];

	for (int i = c->count_modes - 1; i >= 0; i--) {
		if (c->modes[i].type & DRM_MODE_TYPE_PREFERRED) {
			best = &c->modes[i];
		}
	}
	for (int i = c->count_modes - 1; i >= 0; i--) {
		if (c->modes[i].hdisplay == config->width &&
		    c->modes[i].vdisplay == config->height) {
			best = &c->modes[i];
		}
	}
	return best;
}

/** A CRTC that one of the connector's encoders can feed. */
static int choose_crtc(struct output *o, const drmModeRes *res, const drmModeConnector *c)
{
	for (int i = 0; i < c->count_encoders; i++) {
		drmModeEncoder *e = drmModeGetEncoder(o->fd, c->encoders[i]);
		uint32_t possible = e ? e->possible_crtcs : 0;

		drmModeFreeEncoder(e);
		for (int k = 0; k < res->count_crtcs && k < 32; k++) {
			if (possible & 1u << k) {
				o->crtc = res->crtcs[k];
				o->crtc_index = (uint32_t)k;
				return 0;
			}
		}
	}
	return -1;
}

static int choose_screen(struct output *o, const struct output_config *config)
{
	drmModeRes *res = drmModeGetResources(o->fd);
	int result = -1;

	for (int i = 0; res && i < res->count_connectors && result < 0; i++) {
		drmModeConnector *c = drmModeGetConnector(o->fd, res->connectors[i]);

		if (c && c->connection == DRM_MODE_CONNECTED && c->count_modes > 0 &&
		    choose_crtc(o, res, c) == 0) {
			o->connector = c->connector_id;
			o->mode = *choose_mode(c, config);
			result = 0;
		}
		drmModeFreeConnector(c);
	}
	drmModeFreeResources(res);
	return result;
}

static void choose_plane(struct output *o)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(o->fd);

	for (uint32_t i = 0; planes && i < planes->count_planes && !o->plane; i++) {
		drmModePlane *p = drmModeGetPlane(o->fd, planes->planes[i]);
		uint64_t type = 0;

		if (p && p->possible_crtcs & 1u << o->crtc_index &&
		    find_property(o, p->plane_id, DRM_MODE_OBJECT_PLANE, "type", &type) &&
		    type == DRM_PLANE_TYPE_PRIMARY) {
			o->plane = p->plane_id;
		}
		drmModeFreePlane(p);
	}
	drmModeFreePlaneResources(planes);
}

static int make_buffer(struct output *o)
{
	struct drm_mode_create_dumb create = {
		.width = o->mode.hdisplay, .height = o->mode.vdisplay, .bpp = 32};
	struct drm_mode_map_dumb map = {0};

	if (drmIoctl(o->fd, DRM_IOCTL_MODE_CREATE_DUMB, &create) < 0) {
		return complain("no buffer for the screen");
	}
	o->handle = create.handle;
	o->size = create.size;
	uint32_t handles[4] = {create.handle}, pitches[4] = {create.pitch}, offsets[4] = {0};

	if (drmModeAddFB2(o->fd, create.width, create.height, DRM_FORMAT_XRGB8888, handles, pitches,
			  offsets, &o->fb, 0) < 0) {
		return complain("the screen does not take XRGB8888");
	}
	map.handle = create.handle;
	if (drmIoctl(o->fd, DRM_IOCTL_MODE_MAP_DUMB, &map) < 0) {
		return complain("screen memory");
	}
	void *pixels = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, o->fd,
			    (off_t)map.offset);

	if (pixels == MAP_FAILED) {
		return complain("screen memory");
	}
	o->canvas = (struct canvas){pixels, o->mode.hdisplay, o->mode.vdisplay, create.pitch};
	for (uint32_t y = 0; y < create.height; y++) {
		memset(o->canvas.pixels + (uint64_t)y * create.pitch, 0, (size_t)create.width * 4);
	}
	return 0;
}

static void add_property(drmModeAtomicReq *req, struct output *o, uint32_t object, uint32_t type,
			 const char *name, uint64_t value)
{
	drmModeAtomicAddProperty(req, object, find_property(o, object, type, name, NULL), value);
}

static int set_atomic(struct output *o)
{
	const struct {
		const char *name;
		uint64_t value;
	} plane[] = {
		{"CRTC_ID", o->crtc},
		{"FB_ID", o->fb},
		{"SRC_X", 0},
		{"SRC_Y", 0},
		{"SRC_W", (uint64_t)o->mode.hdisplay << 16},
		{"SRC_H", (uint64_t)o->mode.vdisplay << 16},
		{"CRTC_X", 0},
		{"CRTC_Y", 0},
		{"CRTC_W", o->mode.hdisplay},
		{"CRTC_H", o->mode.vdisplay},
	};
	drmModeAtomicReq *req = drmModeAtomicAlloc();

	if (!req ||
	    drmModeCreatePropertyBlob(o->fd, &o->mode, sizeof(o->mode), &o->mode_blob) < 0) {
		drmModeAtomicFree(req);
		return -1;
	}
	add_property(req, o, o->connector, DRM_MODE_OBJECT_CONNECTOR, "CRTC_ID", o->crtc);
	add_property(req, o, o->crtc, DRM_MODE_OBJECT_CRTC, "MODE_ID", o->mode_blob);
	add_property(req, o, o->crtc, DRM_MODE_OBJECT_CRTC, "ACTIVE", 1);
	for (size_t i = 0; i < sizeof(plane) / sizeof(plane[0]); i++) {
		add_property(req, o, o->plane, DRM_MODE_OBJECT_PLANE, plane[i].name,
			     plane[i].value);
	}
	int result = drmModeAtomicCommit(o->fd, req, DRM_MODE_ATOMIC_ALLOW_MODESET, NULL);

	drmModeAtomicFree(req);
	return result;
}

static int set_mode(struct output *o)
{
	if (drmSetClientCap(o->fd, DRM_CLIENT_CAP_ATOMIC, 1) == 0) {
		choose_plane(o);
		o->atomic = o->plane && set_atomic(o) == 0;
	}
	if (!o->atomic &&
	    drmModeSetCrtc(o->fd, o->crtc, o->fb, 0, 0, &o->connector, 1, &o->mode) < 0) {
		return complain("the screen does not take the mode");
	}
	return 0;
}

static struct output *open_card(const char *path, const struct output_config *config)
{
	struct output *o = calloc(1, sizeof(*o));

	if (!o) {
		return NULL;
	}
	o->wants_dirty = true;
	o->fd = open(path, O_RDWR | O_CLOEXEC);
	if (o->fd < 0 || choose_screen(o, config) < 0) {
		if (o->fd >= 0) {
			close(o->fd);
		}
		free(o);
		return NULL;
	}
	if (make_buffer(o) < 0 || set_mode(o) < 0) {
		output_close(o);
		return NULL;
	}
	drmVersion *version = drmGetVersion(o->fd);

	snprintf(o->name, sizeof(o->name), "drm %.32s %s %ux%u", version ? version->name : "?",
		 o->atomic ? "atomic" : "legacy", o->mode.hdisplay, o->mode.vdisplay);
	drmFreeVersion(version);
	return o;
}

static struct output *open_any(const struct output_config *config)
{
	if (config->device) {
		return open_card(config->device, config);
	}
	for (int i = 0; i < CARDS_MAX; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/dev/dri/card%d", i);
		struct output *o = open_card(path, config);

		if (o) {
			return o;
		}
	}
	return NULL;
}

struct output *output_open(const struct output_config *config)
{
	const struct timespec pause = {.tv_nsec = 50000000};

	for (int waited = 0;; waited += 50) {
		struct output *o = open_any(config);

		if (o) {
			return o;
		}
		if (waited >= config->wait_ms) {
			fprintf(stderr, "bulkhead-switcher: no screen under /dev/dri\n");
			return NULL;
		}
		nanosleep(&pause, NULL);
	}
}

void output_close(struct output *o)
{
	struct drm_mode_destroy_dumb destroy = {.handle = o->handle};

	if (o->canvas.pixels) {
		munmap(o->canvas.pixels, o->size);
	}
	if (o->fb) {
		drmModeRmFB(o->fd, o->fb);
	}
	if (o->mode_blob) {
		drmModeDestroyPropertyBlob(o->fd, o->mode_blob);
	}
	if (o->handle) {
		drmIoctl(o->fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy);
	}
	close(o->fd);
	free(o);
}

struct canvas *output_canvas(struct output *o)
{
	return &o->canvas;
}

int output_present(struct output *o, const struct rect *rects, unsigned count)
{
	drmModeClip clips[CLIPS_MAX];

	/* Drivers that scan out the very memory we write have nothing to do here, and say so once.
	 */
	for (unsigned done = 0; o->wants_dirty && done < count; done += CLIPS_MAX) {
		unsigned batch = count - done < CLIPS_MAX ? count - done : CLIPS_MAX;

		for (unsigned i = 0; i < batch; i++) {
			const struct rect *r = &rects[done + i];

			clips[i] = (drmModeClip){(uint16_t)r->x, (uint16_t)r->y,
						 (uint16_t)(r->x + r->w), (uint16_t)(r->y + r->h)};
		}
		int error = drmModeDirtyFB(o->fd, o->fb, clips, batch);

		if (error == -ENODEV) {
			return -1;
		}
		if (error == -ENOSYS || error == -EINVAL) {
			o->wants_dirty = false;
		}
	}
	return 0;
}

int output_poll(struct output *o, output_input_fn *input, void *context)
{
	return 0;
}

int output_poll_interval(const struct output *o)
{
	return -1;
}

const char *output_name(const struct output *o)
{
	return o->name;
}

int output_fd(const struct output *o)
{
	return o->fd;
}

bool output_trusted(const struct output *o)
{
	return true;
}
