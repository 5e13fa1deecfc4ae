/*
 * How far a boot has come, for machines on which it dies before there is a console: a code on port 0x80, where POST cards
 * and some boards' digits show it, and a coloured square on the screen. docs/hardware.md lists them.
 */
#pragma once

#include "kernel/boot/boot_info.h"

#define STAGE_PORT 0x80

/* In the order of the boot. */
enum boot_stage {
	STAGE_LOADER = 0xa0,   /* the loader has found its sections, the command line, the screen */
	STAGE_LEAVE = 0xa1,    /* it reads the memory map, builds the page tables, leaves the firmware */
	STAGE_LEFT = 0xa2,     /* the firmware's boot services have ended */
	STAGE_JUMP = 0xa3,     /* the new tables are ready: the jump */
	STAGE_KERNEL = 0xa4,   /* the kernel's first C function */
	STAGE_SERIAL = 0xa5,   /* exceptions are caught, and shown on the serial port */
	STAGE_HANDOFF = 0xa6,  /* boot_info is what it should be */
	STAGE_TABLES = 0xa7,   /* the tables have been taken over */
	STAGE_MEMORY = 0xa8,   /* frames, heap, contexts and the MMIO window work */
	STAGE_FIRMWARE = 0xa9, /* so does the firmware's context */
	STAGE_SCREEN = 0xaa,   /* there is text on the screen, or there will be none */
	STAGE_CLOCKS = 0xab,   /* interrupts, clocks and the timer run */
	STAGE_READY = 0xac,    /* nothing is left to set up: programs start, or the monitor */
};

#define STAGE_SQUARE 12 /* pixels on a side */
#define STAGE_STEP   24 /* from one square to the next */

/* The brightest that a channel of `bits` bits at `shift` can be. */
static inline uint32_t stage_channel(unsigned shift, unsigned bits)
{
	return bits < 32 ? ((1U << bits) - 1) << shift : 0;
}

/* The stage's colour: of red, green and blue those in its number plus one, counted from the first stage. */
static inline uint32_t stage_colour(const struct boot_framebuffer *fb, enum boot_stage stage)
{
	unsigned channels = ((unsigned)stage - STAGE_LOADER) % 7 + 1;

	return (channels & 1 ? stage_channel(fb->red_shift, fb->red_bits) : 0) |
	       (channels & 2 ? stage_channel(fb->green_shift, fb->green_bits) : 0) |
	       (channels & 4 ? stage_channel(fb->blue_shift, fb->blue_bits) : 0);
}

/* Two pixels, which need not lie together at a multiple of eight. */
typedef uint64_t stage_pixels_t __attribute__((aligned(4), may_alias));

/*
 * Draw the stage's square: in the first row, one beside the other. `screen`: the whole framebuffer. Two pixels a store and
 * no loop in a row: the loader's instructions are counted.
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
