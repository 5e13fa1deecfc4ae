/*
 * The PS/2 keyboard, read by polling; its interrupt may tell when to read.
 */
#pragma once

#include <stdbool.h>

/*
 * Look for the controller at ports 0x60 and 0x64, and set up controller and keyboard: scan code set 1 by translation,
 * no interrupts, mouse off. When there is no controller, or a silent one, all calls are harmless.
 */
void keyboard_init(void);

/* Return whether there is a controller. A keyboard may be plugged in later. */
bool keyboard_present(void);

/* Return the next byte typed, as a terminal would send it (kernel/dev/keymap.h), or -1 when there is none. */
int keyboard_read(void);

/* Choose whether arrow keys, Home and End send what programs ask for with DECCKM. Any context. */
void keyboard_set_application(bool on);

/* Have IRQ 1 signal that keyboard_read() has something; and no longer. */
void keyboard_interrupts_on(void);
void keyboard_interrupts_off(void);
