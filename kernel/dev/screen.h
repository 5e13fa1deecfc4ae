/*
 * The machine's one screen: a console for the log, and the terminal of programs.
 */
#pragma once

#include "kernel/boot/boot_info.h"
#include "kernel/dev/framebuffer.h"
#include "kernel/lib/log.h"

/* The memory that the screen needs. Guard: only the caller of screen_memory_get() uses it. */
struct screen_memory {
	void *pixels; /* the framebuffer, mapped as write-combining device memory */
	void *grid;   /* on the heap: the characters on the screen */
	size_t size;  /* bytes of the grid */
};

/*
 * Get the memory for this framebuffer, whose width must not be 0. Returns ERR_NO_MEMORY and what mmio_map() returns;
 * nothing is allocated then. Call screen_memory_put() only when nobody writes to the screen any more.
 */
MUST_CHECK enum status screen_memory_get(const struct boot_framebuffer *info, struct screen_memory *ret);
void screen_memory_put(const struct screen_memory *m);

/*
 * Make `screen_sink` ready for log_add_sink(), and have the screen cleared when it is next drawn. Call once. Returns
 * the errors of screen_memory_get() and text_console_init(); the sink then ignores all text, and no memory is
 * allocated.
 */
MUST_CHECK enum status screen_start(const struct boot_framebuffer *info);

extern struct log_sink screen_sink;

/*
 * From screen_defer() to screen_defer_end() the terminal does not take what is logged, as that comes, but all together
 * when something is drawn or a program writes. A line costs then what its copy costs: a boot whose first program runs
 * before anybody could read does not wait for a terminal.
 */
void screen_defer(void);
void screen_defer_end(void);

/* Return whether there is a screen; and its size in characters, both 0 without a screen. */
bool screen_present(void);
void screen_size(unsigned *ret_rows, unsigned *ret_columns);

/*
 * Write a program's text. screen_feed() changes the terminal's text only. screen_show() draws what has changed, and
 * must load the page tables that map the screen for that: so call it once after several screen_feed(). Both may be
 * called with interrupts on or off, whatever page tables are loaded. Without a screen both do nothing.
 */
void screen_feed(const char *text, size_t size);
void screen_show(void);

/*
 * Draw until nothing is left to draw, or until `stop`, called after each row and after each piece of text that the
 * terminal has put off, returns true; NULL: draw everything.
 * Returns whether something is left. screen_is_dirty() returns whether there is something to draw.
 */
bool screen_show_until(bool (*stop)(void));
bool screen_is_dirty(void);

/*
 * screen_show_few() draws what an interrupt handler or a message of the kernel has changed. If that is more than two
 * rows, it only calls the function `by` that screen_show_later() was given. `by` wakes a task that calls
 * screen_show_until(). After screen_show_later(NULL) screen_show_few() draws everything itself.
 */
void screen_show_few(void);
void screen_show_later(void (*by)(void));

/*
 * screen_hold() keeps the terminal from drawing, so that a program may draw: text changes the terminal, and is not
 * shown. screen_release() ends that: everything is drawn anew with the next screen_show(). Either does nothing if the
 * screen is in that state already. screen_is_held() returns whether the terminal is kept from drawing.
 */
void screen_hold(void);
void screen_release(void);
bool screen_is_held(void);

/*
 * Describe the pixels, which are mapped in the kernel context only. Returns false, with *ret unchanged, if there is no
 * screen.
 */
bool screen_framebuffer(struct framebuffer *ret);

/*
 * Clear the screen, and undo the colours, modes, margins and page that programs have set. Text that waits is dropped,
 * since it would be cleared away. The change is drawn with the next text. Also does screen_release().
 */
void screen_reset(void);

/*
 * screen_set_reply() sets the function that gets the terminal's answers to programs' questions ("where is the cursor?")
 * as typed input; NULL: answers are dropped. screen_answer() calls that function with the answers since the last
 * screen_answer(). It holds no lock meanwhile, since an answer may be echoed, which writes to the screen.
 */
void screen_set_reply(void (*reply)(const char *bytes, size_t size));
void screen_answer(void);
