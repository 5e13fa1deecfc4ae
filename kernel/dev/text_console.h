/*
 * A terminal on a framebuffer: UTF-8 text with the control characters and sequences of a VT102 and the parts of xterm
 * that programs in text mode use (ECMA-48; DEC STD 070; docs/terminal.md lists them). Others are swallowed; what the
 * font has no glyph for shows as its replacement glyph.
 *
 * The kernel's own messages and what programs write are two streams. They share the screen and the cursor and nothing
 * else: a message looks as it should while a program is in the middle of a sequence, draws lines, or scrolls a part of
 * the screen, and disturbs none of that.
 */
#pragma once

#include "kernel/dev/vt_pen.h"

#define TEXT_TABS  512 /* columns with tab stops that can be set; beyond them there is one every 8 */
#define TEXT_REPLY 64

enum text_mode {
	TEXT_WRAP = 1 << 0,    /* DECAWM: what does not fit in a row goes to the next one */
	TEXT_INSERT = 1 << 1,  /* IRM: characters push the rest of the row aside */
	TEXT_ORIGIN = 1 << 2,  /* DECOM: rows count from the region that scrolls */
	TEXT_NEWLINE = 1 << 3, /* LNM: \n also returns to the first column */
};

/* What decides how characters look; saved together with a place. */
struct text_style {
	struct vt_pen pen;
	uint8_t modes;    /* enum text_mode */
	bool graphics[2]; /* G0, G1: is it the set that draws lines? */
	uint8_t set;      /* which of the two */
};

struct text_stream {
	struct vt_parser parser;
	struct text_style style;
	uint32_t top, end; /* the rows that scroll, [top, end) */
	uint32_t last;     /* the last character shown, or 0 */
	bool answers;      /* questions (DSR, DA) get one */
};

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
	bool wrap_due; /* the row is full: the next character goes to the next one */
	bool cursor;   /* shown */
	bool alternate;
	bool application_cursor;     /* DECCKM: what the arrow keys send */
	struct text_saved saved[2];  /* of the main page, of the alternate one */
	uint8_t tabs[TEXT_TABS / 8]; /* a bit for each column */
	uint8_t replied;             /* bytes of `reply` */
	char reply[TEXT_REPLY];      /* answers that wait for text_console_reply() */
};

/* As text_grid_init(), whose errors it returns; `memory` likewise stays the console's. The cursor is shown. */
MUST_CHECK enum status text_console_init(const struct boot_framebuffer *info, void *pixels, const struct font *font,
					 void *memory, size_t size, struct text_console *ret);

/*
 * Take text of one of the console's streams. Characters and sequences may be split over calls. Touches no pixel: all of
 * it is drawn at once by text_console_draw_row(), so that much text costs no more than a screen.
 */
void text_console_feed(struct text_console *console, struct text_stream *stream, const char *text, size_t size);

/* Draw one row of what has changed. Returns false when there was nothing left to draw. Anything may happen in between. */
bool text_console_draw_row(struct text_console *console);

/* The answers to what programs have asked, to be taken for typed input. Returns how many bytes; they are gone then. */
size_t text_console_reply(struct text_console *console, char ret_bytes[TEXT_REPLY]);

/* Empty, as it was at first, for what the kernel says next, whatever programs have made of it. */
void text_console_reset(struct text_console *console);

/* The kernel's text, shown at once. */
static inline void text_console_write(struct text_console *console, const char *text, size_t size)
{
	text_console_feed(console, &console->kernel, text, size);
	while (text_console_draw_row(console))
		;
}
