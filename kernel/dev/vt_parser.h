/*
 * Splits the bytes that a terminal gets into characters, controls and sequences (ECMA-48, UTF-8). What these do is
 * decided by the caller.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/lib/utf8.h"

#define VT_PARAMETERS    16
#define VT_PARAMETER_MAX 9999
/*
 * The most bytes of a string, such as a window's title. After this many bytes the string counts as ended and text is
 * shown again: otherwise a program that dies inside a string would leave a screen that shows nothing.
 */
#define VT_STRING_MAX 4096

enum vt_event {
	VT_END,      /* no bytes are left */
	VT_PRINT,    /* the character `code_point` */
	VT_CONTROL,  /* the control character `final`, below 0x20 */
	VT_ESCAPE,   /* the sequence ESC `intermediate` `final` */
	VT_SEQUENCE, /* the sequence ESC [ `prefix` `parameter`… `intermediate` `final` */
};

/* The parser's state and its last result. All zero: between two characters. */
struct vt_parser {
	struct utf8 utf8;
	uint8_t state;        /* enum state of vt_parser.c */
	uint8_t final;        /* the control character, or the last byte of the sequence */
	uint8_t prefix;       /* '<', '=', '>' or '?'; 0: none */
	uint8_t intermediate; /* a byte of 0x20 to 0x2f, or 0; the last one when several came */
	/* number of parameters, 1 to VT_PARAMETERS; a parameter without digits counts, with the value 0 */
	uint8_t count;
	uint16_t sub;                      /* bit i: parameter i follows a ':', and so belongs to parameter i - 1 */
	uint16_t parameter[VT_PARAMETERS]; /* at most VT_PARAMETER_MAX each; parameters beyond the array are dropped */
	uint16_t length;                   /* bytes of the current string so far */
	uint32_t code_point;               /* the character of VT_PRINT */
};

/*
 * Take bytes from *text up to `end` or to the next event, and advance *text past them. The event's fields in *parser
 * are valid until the next call. Strings (titles, ESC ] and the like) and malformed sequences are skipped; a byte above
 * 0x7f ends a sequence without effect.
 */
enum vt_event vt_parser_next(struct vt_parser *parser, const char **text, const char *end);

/* Return a parameter that is a count: 1 when it is 0 or left out. */
static inline uint32_t vt_count(const struct vt_parser *parser, unsigned index)
{
	return index < parser->count && parser->parameter[index] ? parser->parameter[index] : 1;
}
