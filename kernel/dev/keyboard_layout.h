/*
 * A keyboard's layout as programs load it (loadkmap, loadkeys): what each key stands for with and without Shift and
 * AltGr. The values are those of Linux's KDSKBENT, ioctl_console(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LAYOUT_TABLES 4   /* none, Shift, AltGr, both */
#define LAYOUT_KEYS   128 /* scan codes of set 1 */

enum layout_table { LAYOUT_SHIFT = 1, LAYOUT_ALTGR = 2 };

/* A layout; all zero: no key has been set. Guard: that of the structure around it. */
struct keyboard_layout {
	uint32_t values[LAYOUT_TABLES][LAYOUT_KEYS]; /* the value of KDSKBENT plus 1; 0: the key has not been set */
};

/* What a key stands for. */
struct layout_key {
	uint32_t character; /* Unicode; 0: none */
	bool letter;        /* Caps Lock acts as Shift */
	bool known;         /* the layout says what the key is; otherwise it is as on a US keyboard */
};

/*
 * Set what a key stands for. Tables of Control and Alt are left out: what these do follows from the other tables.
 * Returns false when there is no such key.
 */
bool keyboard_layout_set(struct keyboard_layout *layout, unsigned table, unsigned key, uint16_t value);

/*
 * Return whether the right Alt key is AltGr, which chooses characters, and not a second Alt. If the key has not been
 * set it is AltGr as soon as any key has a value with AltGr.
 */
bool keyboard_layout_has_altgr(const struct keyboard_layout *layout);

/* Return what a key stands for. table: LAYOUT_SHIFT and LAYOUT_ALTGR, whichever is held, added. */
struct layout_key keyboard_layout_find(const struct keyboard_layout *layout, unsigned table, unsigned key);
