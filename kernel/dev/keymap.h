/*
 * Translates a PC keyboard's scan codes to the bytes that a terminal would send: of a US keyboard, or by a layout that
 * a program has loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for the bytes of one key; the longest sequence, ESC [ 24 ; 8 ~, has 7. */
#define KEYMAP_BYTES 8

struct keyboard_layout;

/*
 * The state of the keys. All zero: no key is down, no lock is on. Guard: keyboard_lock (keyboard.c), which holds the
 * only one.
 */
struct keymap {
	bool left_shift, right_shift;
	bool left_control, right_control;
	bool left_alt, right_alt;
	/* _lock: the lock is on; _down: its key is held. A held key repeats, and must not toggle the lock again */
	bool caps_lock, caps_down;
	bool number_lock, number_down;
	bool extended;    /* the last code was the prefix 0xe0 */
	uint8_t skip;     /* how many codes of the Pause key are still to come */
	bool application; /* DECCKM: arrows, Home and End start with ESC O. Set by the terminal, not changed here */
	const struct keyboard_layout *layout; /* NULL: US. Not changed here */
};

/*
 * Take the next code of scan code set 1, to which the keyboard controller translates.
 * Returns how many bytes the key sends, 0 to KEYMAP_BYTES, in `ret_bytes`: what xterm sends. Enter is '\r', Backspace
 * 0x7f, Alt puts ESC before a character, and Shift, Alt and Control are a parameter of other keys' sequences.
 */
size_t keymap_feed(struct keymap *keymap, uint8_t code, char ret_bytes[KEYMAP_BYTES]);

/*
 * Forget which keys are held; Caps Lock and Num Lock stay as they are. Call when codes were lost. keymap_feed() does
 * this itself when the keyboard sends the code for lost codes.
 */
void keymap_release(struct keymap *keymap);
