/*
 * Serves ioctl(2) of /dev/fb0: tells the screen's only mode, and accepts requests for that mode (Linux's <linux/fb.h>).
 * The picture is as large as the screen, so it cannot be moved. Colour maps and blanking are refused.
 */
#include "kernel/sys/fb_requests.h"

#include "kernel/fs/errno.h"
#include "kernel/task/refused_feature.h"

#define PIXEL_BITS   32
#define TRUE_COLOR   2 /* fix.visual: a pixel's bits are its colour */
#define SIZE_UNKNOWN 0xffffffffU

enum fb_request_number {
	FBIOGET_VSCREENINFO = 0x4600,
	FBIOPUT_VSCREENINFO = 0x4601,
	FBIOGET_FSCREENINFO = 0x4602,
	FBIOGETCMAP = 0x4604,
	FBIOPUTCMAP = 0x4605,
	FBIOPAN_DISPLAY = 0x4606,
	FBIOBLANK = 0x4611,
};

/* Linux's struct fb_bitfield. */
struct fb_colour {
	uint32_t offset, length, msb_right;
};

/* Linux's struct fb_var_screeninfo: a mode. */
struct fb_mode {
	uint32_t width, height;                 /* pixels */
	uint32_t virtual_width, virtual_height; /* size of the picture in memory, pixels */
	uint32_t x, y;                          /* where in the picture the screen is */
	uint32_t pixel_bits, greys;
	struct fb_colour red, green, blue, transparent;
	uint32_t format, activate;
	uint32_t height_mm, width_mm;
	uint32_t acceleration;
	uint32_t timing[7], sync, timing_mode; /* always 0: not known */
	uint32_t rotation, colour_space, reserved[4];
};

_Static_assert(sizeof(struct fb_mode) == 160, "Linux's struct fb_var_screeninfo");

/* Linux's struct fb_fix_screeninfo: what is the same in all modes. */
struct fb_fixed {
	char name[16];
	uint64_t memory; /* physical address; 0: what programs map is a copy */
	uint32_t memory_size, type, type_more, visual;
	uint16_t pan_x, pan_y, wrap_y;
	uint32_t pitch; /* bytes from one row to the next */
	uint64_t registers;
	uint32_t registers_size, accelerator;
	uint16_t capabilities, reserved[3];
};

_Static_assert(sizeof(struct fb_fixed) == 80, "Linux's struct fb_fix_screeninfo");

static struct fb_mode mode_of(const struct framebuffer *fb)
{
	return (struct fb_mode){
		.width = fb->width,
		.height = fb->height,
		.virtual_width = fb->width,
		.virtual_height = fb->height,
		.pixel_bits = PIXEL_BITS,
		.red = { fb->red_shift, fb->red_bits, 0 },
		.green = { fb->green_shift, fb->green_bits, 0 },
		.blue = { fb->blue_shift, fb->blue_bits, 0 },
		.height_mm = SIZE_UNKNOWN,
		.width_mm = SIZE_UNKNOWN,
	};
}

static int64_t put_mode(const struct framebuffer *fb, struct user_io *io)
{
	struct fb_mode mode = mode_of(fb);

	return copy_errno(user_io_put_all(io, &mode, sizeof(mode)));
}

static int64_t put_fixed(const struct framebuffer *fb, struct user_io *io)
{
	struct fb_fixed fixed = {
		.name = "AnkeOS",
		.memory_size = fb->pitch * fb->height,
		.visual = TRUE_COLOR,
		.pitch = fb->pitch,
	};

	return copy_errno(user_io_put_all(io, &fixed, sizeof(fixed)));
}

/* Do FBIOPUT_VSCREENINFO. Only the present mode and place are possible; the program gets them back. */
static int64_t change_mode(const struct framebuffer *fb, struct user_io *io)
{
	struct user_io from = *io;
	struct fb_mode mode;
	int error = copy_errno(user_io_get_all(&from, &mode, sizeof(mode)));

	if (error)
		return error;
	if (mode.width != fb->width || mode.height != fb->height || mode.virtual_width > fb->width ||
	    mode.virtual_height > fb->height || mode.pixel_bits != PIXEL_BITS || mode.x || mode.y)
		return -EINVAL;
	return put_mode(fb, io);
}

/* Do FBIOPAN_DISPLAY, which only looks at the place, x and y. */
static int64_t pan(const struct framebuffer *fb, struct user_io *io)
{
	struct user_io from = *io;
	struct fb_mode mode;
	int error = copy_errno(user_io_get_all(&from, &mode, sizeof(mode)));

	if (error)
		return error;
	return mode.x || mode.y ? -EINVAL : put_mode(fb, io);
}

int64_t fb_request(const struct framebuffer *fb, unsigned request, struct user_io *io)
{
	switch (request) {
	case FBIOGET_VSCREENINFO:
		return put_mode(fb, io);
	case FBIOPUT_VSCREENINFO:
		return change_mode(fb, io);
	case FBIOGET_FSCREENINFO:
		return put_fixed(fb, io);
	case FBIOPAN_DISPLAY:
		return pan(fb, io);
	case FBIOGETCMAP:
	case FBIOPUTCMAP:
	case FBIOBLANK:
		return refuse_feature(-EINVAL, "ioctl of /dev/fb0", request);
	}
	return -ENOTTY;
}
