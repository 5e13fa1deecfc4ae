/*
 * The PS/2 keyboard, and the queue of what was typed on any keyboard. Bytes are read by polling; if wanted, an
 * interrupt says when there is something to read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Look for the controller at ports 0x60 and 0x64, and set up controller and keyboard: scan code set 1 by translation,
 * no interrupts, mouse off. If no controller answers, all other functions do nothing.
 */
void keyboard_init(void);

/* Return whether there is a controller. A keyboard may be plugged in later. */
bool keyboard_present(void);

/*
 * Take scan codes of set 1 from another keyboard, which shares the modifiers and locks with this one. keyboard_read()
 * returns what they give; bytes for which there is no room are lost. May be called in interrupt handlers.
 */
void keyboard_feed(const uint8_t *codes, size_t count);

/* Return which locks are on, as the LEDs of a USB keyboard are numbered: 1 for Num Lock, 2 for Caps Lock. */
uint8_t keyboard_leds(void);

/* Return the next byte typed, as a terminal would send it (kernel/dev/keymap.h), or -1 when there is none. */
int keyboard_read(void);

/*
 * Set what a key of all keyboards stands for, with Linux's numbers of tables and keys and its values (KDSKBENT,
 * ioctl_console(2)). Returns false when there is no such key.
 */
bool keyboard_set_key(unsigned table, unsigned key, uint16_t value);

/*
 * Choose whether arrow keys, Home and End send the sequences of DECCKM ("application mode"). May be called in interrupt
 * handlers, too.
 */
void keyboard_set_application(bool on);

/* Turn IRQ 1 on or off: the interrupt that says that keyboard_read() may have a byte. */
void keyboard_interrupts_on(void);
void keyboard_interrupts_off(void);
