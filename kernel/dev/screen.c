/*
 * The machine's screen. Owns the one text console, and that nothing is written before there is one.
 */
#include "kernel/dev/screen.h"

#include "kernel/dev/text_console.h"
#include "kernel/mm/context.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mmio.h"

static struct text_console console;
static bool ready;

enum status screen_memory_get(const struct boot_framebuffer *info, struct screen_memory *ret)
{
	struct screen_memory m = { .size = align_up(text_grid_size(info, &console_font), PAGE_SIZE) };
	enum status status;

	m.grid = kmalloc_aligned(m.size, PAGE_SIZE);
	if (!m.grid)
		return ERR_NO_MEMORY;
	status = mmio_map(info->pa, info->size, PROT_WC, &m.pixels);
	if (status == OK)
		*ret = m;
	else
		kfree(m.grid);
	return status;
}

void screen_memory_put(const struct screen_memory *m)
{
	mmio_unmap(m->pixels);
	kfree(m->grid);
}

enum status screen_start(const struct boot_framebuffer *info)
{
	struct screen_memory m;
	enum status status = screen_memory_get(info, &m);

	if (status != OK)
		return status;
	status = text_console_init(info, m.pixels, &console_font, m.grid, m.size, &console);
	ready = status == OK;
	if (!ready)
		screen_memory_put(&m);
	return status;
}

static void screen_write(const char *text, size_t size)
{
	context_token_t token;

	if (!ready)
		return;
	/* The pixels are in the MMIO window; who says something may be in any context. */
	token = kernel_context_enter();
	text_console_write(&console, text, size);
	kernel_context_leave(token);
}

struct log_sink screen_sink = { .write = screen_write };
