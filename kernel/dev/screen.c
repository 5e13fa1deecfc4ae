/*
 * The machine's screen. Owns the one text console, and that nothing is written before there is one.
 */
#include "kernel/dev/screen.h"

#include "kernel/dev/text_console.h"
#include "kernel/mm/context.h"

static struct text_console console;
static bool ready;

size_t screen_memory_size(const struct boot_framebuffer *info)
{
	return text_grid_size(info, &console_font);
}

enum status screen_init(const struct boot_framebuffer *info, void *pixels, void *memory, size_t size)
{
	enum status status = text_console_init(info, pixels, &console_font, memory, size, &console);

	ready = status == OK;
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
