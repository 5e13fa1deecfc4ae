/*
 * How far a boot has come, for machines on which it fails before it has a console. Each stage is shown as a code on
 * port 0x80, which POST cards and the digits on some boards display, and as a coloured square on the screen.
 * docs/hardware.md lists the codes.
 */
#pragma once

#include "kernel/boot/boot_info.h"

#define STAGE_PORT 0x80

/* The stages, in the order of the boot. */
enum boot_stage {
	STAGE_LOADER = 0xa0,   /* the loader has found its sections, the command line, the screen */
	STAGE_LEAVE = 0xa1,    /* the loader reads the memory map, builds the page tables, leaves the firmware */
	STAGE_LEFT = 0xa2,     /* the firmware's boot services have ended */
	STAGE_JUMP = 0xa3,     /* the new tables are ready: the loader jumps to the kernel */
	STAGE_KERNEL = 0xa4,   /* the kernel's first C function */
	STAGE_SERIAL = 0xa5,   /* exceptions are caught, and shown on the serial port */
	STAGE_HANDOFF = 0xa6,  /* boot_info has been checked and is as it should be */
	STAGE_TABLES = 0xa7,   /* the kernel has taken the page tables over */
	STAGE_MEMORY = 0xa8,   /* the allocators of memory and the mapping of devices work */
	STAGE_FIRMWARE = 0xa9, /* the firmware's runtime services have their own page tables */
	STAGE_SCREEN = 0xaa,   /* the screen is ready for text, or the machine has none */
	STAGE_CLOCKS = 0xab,   /* interrupts, clocks and the timer run */
	STAGE_READY = 0xac,    /* nothing is left to set up: programs start, or the kernel's own prompt */
};

#define STAGE_SQUARE 12 /* pixels on a side */
#define STAGE_STEP   24 /* pixels from the left edge of one square to that of the next */

/* Return the pixel in which a channel of `bits` bits at `shift` is brightest and all else is dark. */
static inline uint32_t stage_channel(unsigned shift, unsigned bits)
{
	return bits < 32 ? ((1U << bits) - 1) << shift : 0;
}

/* Return the stage's colour: stage n (0 for the first) mixes red, green and blue as the bits of n % 7 + 1 say. */
static inline uint32_t stage_colour(const struct boot_framebuffer *fb, enum boot_stage stage)
{
	unsigned channels = ((unsigned)stage - STAGE_LOADER) % 7 + 1;

	return (channels & 1 ? stage_channel(fb->red_shift, fb->red_bits) : 0) |
	       (channels & 2 ? stage_channel(fb->green_shift, fb->green_bits) : 0) |
	       (channels & 4 ? stage_channel(fb->blue_shift, fb->blue_bits) : 0);
}

/* Two pixels, stored at once; they need not lie at a multiple of eight bytes. */
typedef uint64_t stage_pixels_t __attribute__((aligned(4), may_alias));

/*
 * Draw the stage's square. The squares stand side by side at the screen's top. `screen`: the framebuffer's first byte.
 * The code stores two pixels at once, and unrolls the loop along a row, because `make bench-boot` counts the
 * loader's instructions.
 */
static inline void stage_draw(const struct boot_framebuffer *fb, volatile uint8_t *screen, enum boot_stage stage)
{
	uint64_t colour = stage_colour(fb, stage) * 0x100000001ULL;
	uint32_t left = ((uint32_t)stage - STAGE_LOADER) * STAGE_STEP;

	if (left + STAGE_SQUARE > fb->width || fb->height < STAGE_SQUARE)
		return;
	for (uint32_t y = 0; y < STAGE_SQUARE; y++) {
		volatile stage_pixels_t *row = (volatile stage_pixels_t *)(screen + (uint64_t)y * fb->pitch) + left / 2;

#pragma GCC unroll 8
		for (int x = 0; x < STAGE_SQUARE / 2; x++)
			row[x] = colour;
	}
}
