/*
 * A terminal on a framebuffer: UTF-8 text with the control characters and sequences of a VT102 and the parts of xterm
 * that programs in text mode use (ECMA-48; DEC STD 070; docs/terminal.md lists them). Other sequences are ignored;
 * characters that the font does not have are shown as its replacement glyph.
 *
 * The kernel's own messages and what programs write are two streams of text on one screen with one cursor. Each stream
 * has its own parser, colours, modes and scrolling region. So a message is readable even if a program has sent half a
 * sequence, has switched to line-drawing characters or has set a scrolling region; and the message changes none of
 * these.
 *
 * Guard: a console has no lock of its own, its user guards it. The machine's one console is guarded by screen_lock in
 * kernel/dev/screen.c.
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
	bool graphics[2]; /* G0 and G1; true: the set is DEC special graphics, which draw lines; false: it is ASCII */
	uint8_t set;      /* which of G0 and G1 is in use: 0 or 1 */
};

struct text_stream {
	struct vt_parser parser;
	struct text_style style;
	uint32_t top, end; /* the region that scrolls: the rows [top, end) */
	uint32_t last;     /* the code point last shown, which REP (ESC [ n b) repeats; 0: none since a reset */
	bool answers;      /* this stream's questions (DSR, DA) are answered */
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
	bool alternate;              /* the alternate page is shown, which editors use; false: the main page is */
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
 * text_console_draw_row() draws what has changed. So however much text is taken, each row is drawn only once.
 */
void text_console_feed(struct text_console *console, struct text_stream *stream, const char *text, size_t size);

/* Draw one changed row. Returns false when no row was left to draw. Text may be fed between two calls. */
bool text_console_draw_row(struct text_console *console);

/*
 * Take the answers to programs' questions, which are to be fed to the programs as typed input. Returns the number of
 * bytes.
 */
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
