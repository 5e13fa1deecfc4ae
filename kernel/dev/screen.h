/*
 * The machine's one screen: a place that the log writes to, and the terminal of programs.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/lib/log.h"

/* What the screen takes. */
struct screen_memory {
	void *pixels; /* the framebuffer, write-combining, in the MMIO window */
	void *grid;   /* on the heap: what stands on the screen */
	size_t size;  /* of the grid, bytes */
};

/*
 * Take it, for all of this framebuffer, whose width is not 0. Returns ERR_NO_MEMORY and what mmio_map() returns;
 * nothing is taken then. Give it back: nobody may write to the screen any more.
 */
MUST_CHECK enum status screen_memory_get(const struct boot_framebuffer *info, struct screen_memory *ret);
void screen_memory_put(const struct screen_memory *m);

/*
 * Clear the screen and make `screen_sink` ready for log_add_sink(). Once. Returns the errors of screen_memory_get() and
 * text_console_init(); the sink then stays deaf, and nothing is taken.
 */
MUST_CHECK enum status screen_start(const struct boot_framebuffer *info);

extern struct log_sink screen_sink;

/* Is there one? Its size in characters; both 0 without one. */
bool screen_present(void);
void screen_size(unsigned *ret_rows, unsigned *ret_columns);

/*
 * What a program writes: screen_feed() takes it, which costs no switch of contexts, and screen_show() draws what all that
 * was taken has changed, which costs one. Any context, interrupts on or off. Without a screen nothing happens.
 */
void screen_feed(const char *text, size_t size);
void screen_show(void);

/* Empty, as at first: no program's colours, modes, margins or page are left. Drawn with what is written next. */
void screen_reset(void);

/* What answers programs' questions (where is the cursor?) as if somebody had typed it. NULL: nobody. */
void screen_set_reply(void (*reply)(const char *bytes, size_t size));
