/*
 * What a terminal's bytes are: characters, controls and sequences (ECMA-48, UTF-8). Says nothing of what they do.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "kernel/lib/utf8.h"

#define VT_PARAMETERS    16
#define VT_PARAMETER_MAX 9999
/* Longer titles and the like are cut off here: a program that dies inside one must not silence the screen. */
#define VT_STRING_MAX 4096

enum vt_event {
	VT_END,      /* no bytes are left */
	VT_PRINT,    /* `code_point` */
	VT_CONTROL,  /* the control character `final`, below 0x20 */
	VT_ESCAPE,   /* ESC `intermediate` `final` */
	VT_SEQUENCE, /* ESC [ `prefix` `parameter`… `intermediate` `final` */
};

/* All zero: between two characters. */
struct vt_parser {
	struct utf8 utf8;
	uint8_t state; /* the parser's own */
	uint8_t final;
	uint8_t prefix;                    /* of < = > ?, or 0 */
	uint8_t intermediate;              /* of 0x20 to 0x2f, or 0; the last one when there are several */
	uint8_t count;                     /* parameters, 1 to VT_PARAMETERS: there is always one, 0 if left out */
	uint16_t sub;                      /* bit i: parameter i stands behind ':', and so belongs to the one before */
	uint16_t parameter[VT_PARAMETERS]; /* at most VT_PARAMETER_MAX each; those beyond the array are dropped */
	uint16_t length;                   /* bytes of a string so far */
	uint32_t code_point;
};

/*
 * Take bytes from *text, which moves on, up to `end` or to the next thing that is complete. Its fields in *parser hold
 * until the next call. Strings (titles, ESC ] and the like) and sequences that are malformed are swallowed; a byte
 * above 0x7f ends a sequence unfinished.
 */
enum vt_event vt_parser_next(struct vt_parser *parser, const char **text, const char *end);

/* A parameter that counts: one left out, or 0, is 1. */
static inline uint32_t vt_count(const struct vt_parser *parser, unsigned index)
{
	return index < parser->count && parser->parameter[index] ? parser->parameter[index] : 1;
}
