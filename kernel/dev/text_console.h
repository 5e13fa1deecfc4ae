/*
 * A terminal on a framebuffer: UTF-8 text with the control characters and sequences of a VT102 and the parts of xterm
 * that programs in text mode use (ECMA-48; DEC STD 070; docs/terminal.md lists them). Other sequences are swallowed;
 * characters that the font does not have show as its replacement glyph.
 *
 * The kernel's own messages and what programs write are two streams on one screen with one cursor. Each has a parser,
 * colours, modes and a region that scrolls of its own: a message looks as it should while a program is in the middle of
 * a sequence, draws lines, or scrolls a part of the screen, and disturbs none of that.
 *
 * Guard of a console: its user's; of the machine's one console, screen_lock of kernel/dev/screen.c.
 */
#pragma once

#include "kernel/dev/vt_pen.h"

#define TEXT_TABS  512 /* columns whose tab stops can be set and cleared; columns beyond have a stop every 8 */
#define TEXT_REPLY 64  /* bytes of answers that can wait for text_console_reply() */

enum text_mode {
	TEXT_WRAP = 1 << 0,    /* DECAWM: text that does not fit in a row goes on in the next row */
	TEXT_INSERT = 1 << 1,  /* IRM: a character pushes the rest of its row to the right */
	TEXT_ORIGIN = 1 << 2,  /* DECOM: programs count rows from the top of the region that scrolls */
	TEXT_NEWLINE = 1 << 3, /* LNM: '\n' also returns to the first column */
};

/* What decides how characters look. Saved and restored together with the cursor's place. */
struct text_style {
	struct vt_pen pen;
	uint8_t modes;    /* enum text_mode */
	bool graphics[2]; /* for G0 and G1: true: the DEC special graphics, which draw lines; false: ASCII */
	uint8_t set;      /* which of G0 and G1 is in use: 0 or 1 */
};

struct text_stream {
	struct vt_parser parser;
	struct text_style style;
	uint32_t top, end; /* the region that scrolls: the rows [top, end) */
	uint32_t last;     /* the code point last shown, which REP (ESC [ n b) repeats; 0: none since a reset */
	bool answers;      /* questions (DSR, DA) get an answer */
};

/* What DECSC saves. */
struct text_saved {
	bool valid;
	struct text_place at;
	bool wrap_due;
	struct text_style style;
};

struct text_console {
	struct text_grid grid;
	struct text_stream kernel, program;
	struct text_place at;
	bool wrap_due;               /* the row is full: the next character goes to the next row */
	bool cursor;                 /* the cursor is shown */
	bool alternate;              /* the alternate page is shown, which editors use; else the main page */
	bool application_cursor;     /* DECCKM: what the arrow keys send */
	struct text_saved saved[2];  /* what DECSC saved: on the main page, on the alternate page */
	uint8_t tabs[TEXT_TABS / 8]; /* a bit for each column */
	uint8_t replied;             /* how many bytes of `reply` are used */
	char reply[TEXT_REPLY];      /* answers that wait for text_console_reply() */
};

/*
 * Start a console, with the cursor shown. Returns text_grid_init()'s errors. `memory` is for text_grid_init(), and
 * belongs to the console from then on.
 */
MUST_CHECK enum status text_console_init(const struct boot_framebuffer *info, void *pixels, const struct font *font,
					 void *memory, size_t size, struct text_console *ret);

/*
 * Take text of one of the console's streams. Characters and sequences may be split over calls. Touches no pixel:
 * whatever has changed is drawn by text_console_draw_row(). So at most one screen is drawn, however much text was
 * taken.
 */
void text_console_feed(struct text_console *console, struct text_stream *stream, const char *text, size_t size);

/* Draw one changed row. Returns false when no row was left to draw. Text may be fed between two calls. */
bool text_console_draw_row(struct text_console *console);

/* Take the answers to what programs have asked, to be fed to them as typed input. Returns how many bytes. */
size_t text_console_reply(struct text_console *console, char ret_bytes[TEXT_REPLY]);

/*
 * Clear the console and put it into its initial state, whatever programs have set, so that kernel messages can be read.
 */
void text_console_reset(struct text_console *console);

/* Take text of the kernel's stream, and draw all that has changed. */
static inline void text_console_write(struct text_console *console, const char *text, size_t size)
{
	text_console_feed(console, &console->kernel, text, size);
	while (text_console_draw_row(console))
		;
}
