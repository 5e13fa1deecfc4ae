/*
 * From a PC keyboard's scan codes to the bytes that a terminal would send. US layout.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest sequence of one key, ESC [ 24 ; 8 ~, and one more. */
#define KEYMAP_BYTES 8

/* All zero: no key is down, no lock is on. */
struct keymap {
	bool left_shift, right_shift;
	bool left_control, right_control;
	bool left_alt, right_alt;
	bool caps_lock, caps_down;     /* on; held: a held key repeats, and must not toggle again */
	bool number_lock, number_down; /* the same */
	bool extended;                 /* the last code was 0xe0 */
	uint8_t skip;                  /* codes of the Pause key still to come */
	bool application; /* DECCKM: arrows, Home and End start with ESC O. The terminal's; not changed here */
};

/*
 * Take the next code of set 1 (what the controller delivers when it translates).
 * Returns how many bytes of `ret_bytes` the key makes, 0 to KEYMAP_BYTES: what xterm sends. Enter is '\r', Backspace
 * 0x7f, Alt puts ESC before a character, and Shift, Alt and Control are a parameter of other keys' sequences.
 */
size_t keymap_feed(struct keymap *keymap, uint8_t code, char ret_bytes[KEYMAP_BYTES]);
