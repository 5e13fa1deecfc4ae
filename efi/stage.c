/*
 * Shows how far the loader is (kernel/boot/boot_stage.h): each stage is a byte on STAGE_PORT and a square on the
 * screen. The framebuffer is written at the firmware's address, and only if the firmware's page tables map it: a
 * missing square is better than a page fault.
 */
#include "kernel/boot/boot_stage.h"

#include "efi/loader.h"
#include "paging/space.h"

/* Return whether [start, end) is mapped writable at its own address, in the tables that CR3 holds now. */
static bool is_mapped(uint64_t start, uint64_t end)
{
	const struct space firmware = { .root = { cpu_read_cr3() & PTE_ADDRESS }, .max_leaf = 3 };

	while (start < end) {
		struct mapping m;

		if (space_lookup(&firmware, start, &m) != OK || m.pa.raw != m.va || !(m.prot & PROT_W))
			return false;
		start = m.va + (PAGE_SIZE << 9 * (m.level - 1));
	}
	return true;
}

void loader_stage_screen(struct loader *l)
{
	const struct boot_framebuffer *fb = &l->info.framebuffer;
	uint64_t start = fb->pa.raw;

	/* Squares are not drawn with 5-level paging, since the walk knows four levels. */
	l->stage_screen = fb->width && !l->la57 && is_mapped(start, start + (uint64_t)STAGE_SQUARE * fb->pitch);
}

/* How many stages draw their squares while the loader can still return to the firmware. */
#define ERASABLE (STAGE_LEAVE - STAGE_LOADER + 1)

/* The pixels that the squares of the first ERASABLE stages cover, two pixels in each element. */
static uint64_t under[ERASABLE][STAGE_SQUARE][STAGE_SQUARE / 2];
static unsigned drawn; /* how many squares have been drawn */

static volatile stage_pixels_t *row_of(const struct boot_framebuffer *fb, unsigned square, uint32_t y)
{
	return (volatile stage_pixels_t *)(uintptr_t)(fb->pa.raw + (uint64_t)y * fb->pitch) + square * STAGE_STEP / 2;
}

/* Save the pixels that a square is going to cover. */
static void save(const struct boot_framebuffer *fb, unsigned square)
{
	for (uint32_t y = 0; y < STAGE_SQUARE; y++) {
		volatile stage_pixels_t *row = row_of(fb, square, y);

#pragma GCC unroll 8
		for (int x = 0; x < STAGE_SQUARE / 2; x++)
			under[square][y][x] = row[x];
	}
}

static void restore(const struct boot_framebuffer *fb, unsigned square)
{
	for (uint32_t y = 0; y < STAGE_SQUARE; y++)
		for (int x = 0; x < STAGE_SQUARE / 2; x++)
			row_of(fb, square, y)[x] = under[square][y][x];
}

static bool has_room(const struct boot_framebuffer *fb, unsigned square)
{
	return square * STAGE_STEP + STAGE_SQUARE <= fb->width && fb->height >= STAGE_SQUARE;
}

void loader_stage(struct loader *l, enum boot_stage stage)
{
	const struct boot_framebuffer *fb = &l->info.framebuffer;
	unsigned square = (unsigned)stage - STAGE_LOADER;

	cpu_out8(STAGE_PORT, (uint8_t)stage);
	if (!l->stage_screen)
		return;
	if (square == drawn && square < ERASABLE && has_room(fb, square)) {
		save(fb, square);
		drawn++;
	}
	stage_draw(fb, (volatile uint8_t *)(uintptr_t)fb->pa.raw, stage);
}

void loader_stage_erase(struct loader *l)
{
	while (drawn)
		restore(&l->info.framebuffer, --drawn);
}
