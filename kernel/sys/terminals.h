/*
 * The terminals of this machine: ttyS0 on the serial port, tty0 on the screen and the keyboard, and which of them is
 * /dev/console.
 *
 * `console=ttyS0` or `console=tty0` on the command line makes that one /dev/console; the other is a separate terminal.
 * With both, or neither, serial port and screen are one shared terminal: its text goes to both, and both give it
 * input. Then one of them leads: the terminal has its size, and only its answers to escape sequences count. At first
 * the last one named leads (the screen, if neither is named), later the one on which somebody typed last.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Make the terminals. Call once. A missing device has a terminal, too, which shows nothing; /dev/console is one whose
 * device is present.
 */
void terminals_init(const char *cmdline);

/* Install the interrupt handlers of serial port and keyboard: from now on typed bytes go to the terminals. */
void terminals_connect(void);

/*
 * Make terminals for the serial ports and the virtio console that were found since terminals_init(). Does
 * nothing unless terminals_connect() has been called and terminals_disconnect() has not: the monitor reads the ports
 * itself.
 */
void terminals_add_ports(void);

/*
 * Take scan codes (set 1) of a keyboard that is not the PS/2 one, such as a USB keyboard: they are input of the
 * screen's terminal or, while no program runs, of the monitor (the kernel's own prompt). Call with interrupts off.
 * Returns which LEDs are to be on, as keyboard_leds() (kernel/dev/keyboard.h) does.
 */
uint8_t terminals_take_keys(const uint8_t *codes, size_t count);

/*
 * terminals_draw() draws the text that has been written to the screen and not been drawn. terminals_want_drawing()
 * returns whether there is such text. When a writer leaves text undrawn, the task that has called terminals_connect()
 * is woken, and must call terminals_draw().
 */
void terminals_draw(void);
bool terminals_want_drawing(void);

/* Wake the task that draws, if programs run. May be called by an interrupt handler. */
void terminals_draw_soon(void);

/*
 * Turn the interrupts of serial port and keyboard off again, and reset the screen to its state before the first
 * program: main page, scrolling of all rows, visible cursor.
 */
void terminals_disconnect(void);
