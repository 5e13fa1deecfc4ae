/*
 * The machine's one screen: a console for the log, and the terminal of programs.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/lib/log.h"

/* The memory that the screen needs. Guard: whoever holds it. */
struct screen_memory {
	void *pixels; /* the framebuffer, write-combining, in the MMIO window */
	void *grid;   /* on the heap: the characters on the screen */
	size_t size;  /* bytes of the grid */
};

/*
 * Get the memory for this framebuffer, whose width is not 0. Returns ERR_NO_MEMORY and what mmio_map() returns; nothing
 * is held then. To give the memory back, nobody may write to the screen any more.
 */
MUST_CHECK enum status screen_memory_get(const struct boot_framebuffer *info, struct screen_memory *ret);
void screen_memory_put(const struct screen_memory *m);

/*
 * Clear the screen and make `screen_sink` ready for log_add_sink(). Once. Returns the errors of screen_memory_get() and
 * text_console_init(); the sink then ignores all text, and no memory is held.
 */
MUST_CHECK enum status screen_start(const struct boot_framebuffer *info);

extern struct log_sink screen_sink;

/* Return whether there is a screen; and its size in characters, both 0 without a screen. */
bool screen_present(void);
void screen_size(unsigned *ret_rows, unsigned *ret_columns);

/*
 * Write a program's text: screen_feed() takes it, which costs no switch of contexts, and screen_show() draws whatever
 * the text taken so far has changed, which costs one. Any context, interrupts on or off. Without a screen nothing
 * happens.
 */
void screen_feed(const char *text, size_t size);
void screen_show(void);

/* Empty the screen: no program's colours, modes, margins or page are left. Drawn with what is written next. */
void screen_reset(void);

/*
 * Set what takes the terminal's answers to programs' questions ("where is the cursor?"), as if somebody had typed them.
 * NULL: nothing does. screen_answer hands over what has been asked since. No lock is held: the answer may be echoed,
 * and so be written to the screen.
 */
void screen_set_reply(void (*reply)(const char *bytes, size_t size));
void screen_answer(void);
