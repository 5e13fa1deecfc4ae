/*
 * The machine's screen. Owns the one text console, and that nothing is written before there is one.
 */
#include "kernel/dev/screen.h"

#include "kernel/dev/text_console.h"

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
	if (ready)
		text_console_write(&console, text, size);
}

struct log_sink screen_sink = { .write = screen_write };
