/*
 * Functions that tty.c, the file operations of terminals, and tty_input.c, the line discipline, share. Call all of them
 * with tty->lock held, except tty_output and tty_waits.
 */
#pragma once

#include "kernel/fs/tty.h"

/* The byte in the ring for a typed VEOF; the bit in `ends` distinguishes it from a typed NUL. */
#define TTY_EOF_MARK 0

enum tty_signal_number { TTY_SIGINT = 2, TTY_SIGQUIT = 3, TTY_SIGTSTP = 20, TTY_SIGWINCH = 28 };

/* Return whether the byte at that position ends a line or the file. */
static inline bool tty_is_end(const struct tty *tty, uint32_t position)
{
	uint32_t place = position % TTY_INPUT;

	return tty->ends[place / 8] >> place % 8 & 1;
}

static inline void tty_set_end(struct tty *tty, uint32_t position, bool end)
{
	uint32_t place = position % TTY_INPUT;

	if (end)
		tty->ends[place / 8] |= (uint8_t)(1U << place % 8);
	else
		tty->ends[place / 8] &= (uint8_t) ~(1U << place % 8);
}

/* Return whether a read waits when there is no input; in raw mode with VMIN and VTIME 0 it returns 0 at once. */
static inline bool tty_waits(const struct tty *tty)
{
	return tty->termios.lflag & ICANON || tty->termios.cc[VMIN] || tty->termios.cc[VTIME];
}

/* Drop all input that was not read yet. */
void tty_drop_input(struct tty *tty);

/* Send a signal to the terminal's foreground group, by jobs->signal. */
void tty_signal(struct tty *tty, enum tty_signal_number signal);

/* Convert a program's text as termios.oflag says, and show it. size: at most TTY_PIECE. */
void tty_output(struct tty *tty, const char *text, size_t size);
