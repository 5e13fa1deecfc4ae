/*
 * The terminals of this machine: ttyS0 on the serial port, tty0 on the screen and the keyboard, and which of them
 * /dev/console is.
 *
 * `console=ttyS0` or `console=tty0`: that one, and the other is a terminal of its own. With both on the command line, or
 * neither, the two are one terminal: its text goes to both, and what is typed on either comes from it. One of them leads:
 * it has that one's size, and that one answers programs' questions. At first it is the last one named (the screen, if
 * neither), then the one that somebody typed on last.
 */
#pragma once

/* Make them, once. A device that is not there has a terminal that says nothing; the console is one that is there. */
void terminals_init(const char *cmdline);

/* What is typed from here on is the programs'. */
void terminals_connect(void);

/* And no more. The screen is as before the first program: its own page, all rows scroll, the cursor is shown. */
void terminals_disconnect(void);
