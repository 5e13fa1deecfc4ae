/*
 * Shows the stages of the boot on port 0x80 and, once device memory can be mapped, as squares on the screen.
 *
 * Guard of all variables here: none is needed, since they are used only during the boot, by one CPU that nothing
 * preempts.
 */
#include "kernel/dev/boot_progress.h"

#include "kernel/arch/cpu.h"
#include "kernel/lib/log.h"
#include "kernel/mm/space/mmio.h"

static const struct boot_framebuffer *screen;
static void *rows; /* the screen's first rows of pixels, mapped as device memory; NULL: not mapped, nothing is drawn */
static enum boot_stage reached;

void stages_reach(enum boot_stage stage)
{
	reached = stage;
	cpu_out8(STAGE_PORT, (uint8_t)stage);
	if (rows)
		stage_draw(screen, rows, stage);
}

void stages_draw_on(const struct boot_framebuffer *info)
{
	enum status status;

	if (info->height < STAGE_SQUARE)
		return;
	status = mmio_map(info->pa, (uint64_t)STAGE_SQUARE * info->pitch, PROT_WC, &rows);
	if (status != OK) {
		log_warn("stages: no squares on the screen: %s\n",
			 status == ERR_NO_MEMORY ? "no memory" : "it cannot be mapped");
		return;
	}
	screen = info;
	for (enum boot_stage stage = STAGE_KERNEL; stage <= reached; stage++)
		stage_draw(screen, rows, stage);
}

void stages_draw_end(void)
{
	if (rows)
		mmio_unmap(rows);
	rows = NULL;
}
