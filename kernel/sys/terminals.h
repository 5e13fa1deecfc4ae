/*
 * The terminals of this machine: ttyS0 on the serial port, tty0 on the screen and the keyboard, and which of them is
 * /dev/console.
 *
 * `console=ttyS0` or `console=tty0` on the command line chooses one; the other is a terminal of its own. With both, or
 * neither, the two are one terminal: its text goes to both, and what is typed on either comes from it. One of the two
 * leads: the terminal has the size of that one, which also answers programs' questions. At first that is the last one
 * named (the screen, if neither is), then the one that somebody typed on last.
 */
#pragma once

/*
 * Make the terminals. Called once. A device that is missing has a terminal that shows nothing; the console is one whose
 * device is there.
 */
void terminals_init(const char *cmdline);

/* Give what is typed to the programs, from here on. */
void terminals_connect(void);

/*
 * Give programs no more of what is typed. The screen becomes as before the first program: its own page, all rows
 * scroll, the cursor is shown.
 */
void terminals_disconnect(void);
