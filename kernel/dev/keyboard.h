/*
 * The PS/2 keyboard, by polling or told by its interrupt that there is something.
 */
#pragma once

#include <stdbool.h>

/*
 * Look for the controller at ports 0x60 and 0x64 and set it and the keyboard up: scan code set 1 by translation,
 * no interrupts, mouse off. A controller that is absent or silent is left alone: all calls are harmless then.
 */
void keyboard_init(void);

/* Is there a controller? A keyboard may be plugged in later. */
bool keyboard_present(void);

/* The next byte typed, as a terminal would send it (kernel/dev/keymap.h), or -1 when there is none. */
int keyboard_read(void);

/* Do arrow keys, Home and End send what programs ask for with DECCKM? Any context. */
void keyboard_set_application(bool on);

/* From now on IRQ 1 says when keyboard_read has something; or no more. */
void keyboard_interrupts_on(void);
void keyboard_interrupts_off(void);
