/*
 * Executes the sequence SGR (ESC [ … m), whose numbers select colours and attributes. The colours' values are in
 * text_palette.c.
 */
#include "kernel/dev/vt_pen.h"

/* Return the index of the first parameter after `i` that is not joined to it by ':'. */
static unsigned skip_sub(const struct vt_parser *s, unsigned i)
{
	for (i++; i < s->count && (s->sub >> i & 1); i++)
		;
	return i;
}

/* Return parameter `i` as a colour channel of 8 bits; a greater value becomes 255. */
static uint32_t channel(const struct vt_parser *s, unsigned i)
{
	uint32_t value = i < s->count ? s->parameter[i] : 0;

	return value < 255 ? value : 255;
}

static uint32_t rgb(const struct vt_parser *s, unsigned red)
{
	return channel(s, red) << 16 | channel(s, red + 1) << 8 | channel(s, red + 2);
}

/*
 * Put the colour that the parameters after number `i`, a 38 or 48, name into *colour. Returns the index of the first
 * parameter behind them. If the parameters are joined by ':', the three channels may come after the number of a colour
 * space (ISO 8613-6), and usually do.
 */
static unsigned select_colour(const struct vt_parser *s, unsigned i, uint8_t *colour)
{
	unsigned end = skip_sub(s, i);
	bool sub = end > i + 1;
	uint16_t how = i + 1 < s->count ? s->parameter[i + 1] : 0;

	if (how == 5) {
		if (i + 2 < s->count && s->parameter[i + 2] < TEXT_PALETTE)
			*colour = (uint8_t)s->parameter[i + 2];
		return sub ? end : i + 3;
	}
	if (how == 2) {
		*colour = text_colour_of(rgb(s, sub && end - i > 5 ? i + 3 : i + 2));
		return sub ? end : i + 5;
	}
	return sub ? end : i + 2;
}

static void select_one(struct vt_pen *pen, uint16_t parameter)
{
	switch (parameter) {
	case 0:
		*pen = VT_PEN_DEFAULT;
		break;
	case 1:
		pen->attributes |= VT_BOLD;
		break;
	case 2:
		pen->attributes |= VT_DIM;
		break;
	case 4:
	case 21: /* double underline, shown as a single one */
		pen->attributes |= VT_UNDERLINE;
		break;
	case 7:
		pen->attributes |= VT_REVERSE;
		break;
	case 8:
		pen->attributes |= VT_HIDDEN;
		break;
	case 22:
		pen->attributes &= (uint8_t) ~(VT_BOLD | VT_DIM);
		break;
	case 24:
		pen->attributes &= (uint8_t)~VT_UNDERLINE;
		break;
	case 27:
		pen->attributes &= (uint8_t)~VT_REVERSE;
		break;
	case 28:
		pen->attributes &= (uint8_t)~VT_HIDDEN;
		break;
	case 30 ... 37:
		pen->foreground = (uint8_t)(parameter - 30);
		break;
	case 39:
		pen->foreground = TEXT_GREY;
		break;
	case 40 ... 47:
		pen->background = (uint8_t)(parameter - 40);
		break;
	case 49:
		pen->background = TEXT_BLACK;
		break;
	case 90 ... 97:
		pen->foreground = (uint8_t)(TEXT_BRIGHT + (parameter - 90));
		break;
	case 100 ... 107:
		pen->background = (uint8_t)(TEXT_BRIGHT + (parameter - 100));
		break;
	default: /* italic, blinking, struck out and unknown numbers change nothing */
		break;
	}
}

void vt_pen_select(struct vt_pen *pen, const struct vt_parser *s)
{
	for (unsigned i = 0; i < s->count;) {
		uint16_t parameter = s->parameter[i];

		if (parameter == 38 || parameter == 48) {
			i = select_colour(s, i, parameter == 38 ? &pen->foreground : &pen->background);
			continue;
		}
		/* 4:0 means underline of the kind "none". */
		if (parameter == 4 && i + 1 < s->count && (s->sub >> (i + 1) & 1) && s->parameter[i + 1] == 0)
			parameter = 24;
		select_one(pen, parameter);
		i = skip_sub(s, i);
	}
}

cell_t vt_pen_cell(const struct vt_pen *pen, uint8_t glyph)
{
	uint8_t foreground = pen->foreground, background = pen->background;

	if (pen->attributes & VT_BOLD && foreground < TEXT_BRIGHT)
		foreground |= TEXT_BRIGHT;
	else if (pen->attributes & VT_DIM && foreground == TEXT_GREY)
		foreground = TEXT_BRIGHT; /* the bright variant of black: dark grey */
	if (pen->attributes & VT_REVERSE) {
		uint8_t swap = foreground;

		foreground = background;
		background = swap;
	}
	if (pen->attributes & VT_HIDDEN)
		foreground = background;
	return text_cell(glyph, foreground, background, pen->attributes & VT_UNDERLINE ? CELL_UNDERLINE : 0);
}

cell_t vt_pen_blank(const struct vt_pen *pen, const struct font *font)
{
	return text_cell(font->space, pen->foreground, pen->background, 0);
}
