/*
 * The loader's stages (kernel/boot/boot_stage.h). The framebuffer is drawn on where the firmware has put it, and only where the
 * firmware's own tables map it: a fault here would be worse than no square.
 */
#include "kernel/boot/boot_stage.h"

#include "efi/loader.h"
#include "paging/space.h"

/* Whether [start, end) is mapped writable at its own address, in the tables that CR3 holds now. */
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

	/* The walk knows four levels. */
	l->stage_screen = fb->width && !l->la57 && is_mapped(start, start + (uint64_t)STAGE_SQUARE * fb->pitch);
}

void loader_stage(struct loader *l, enum boot_stage stage)
{
	cpu_out8(STAGE_PORT, (uint8_t)stage);
	if (l->stage_screen)
		stage_draw(&l->info.framebuffer, (volatile uint8_t *)(uintptr_t)l->info.framebuffer.pa.raw, stage);
}
