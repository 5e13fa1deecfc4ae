/*
 * From a PC keyboard's scan codes to the bytes that a terminal would send. US layout.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest sequence of one key, ESC [ 5 ~. */
#define KEYMAP_BYTES 4

/* All zero: no key is down, no lock is on. */
struct keymap {
	bool left_shift, right_shift;
	bool left_control, right_control;
	bool caps_lock, caps_down;     /* on; held: a held key repeats, and must not toggle again */
	bool number_lock, number_down; /* the same */
	bool extended;                 /* the last code was 0xe0 */
	uint8_t skip;                  /* codes of the Pause key still to come */
};

/*
 * Take the next code of set 1 (what the controller delivers when it translates).
 * Returns how many bytes of `ret_bytes` the key makes, 0 to KEYMAP_BYTES. Enter is '\r', Backspace 0x7f, and
 * arrows, Home, End, Insert, Delete and the Page keys are the sequences of a VT220.
 */
size_t keymap_feed(struct keymap *keymap, uint8_t code, char ret_bytes[KEYMAP_BYTES]);
