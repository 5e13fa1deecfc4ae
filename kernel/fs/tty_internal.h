/*
 * What the two sides of a terminal share: tty.c, the program's side, and tty_input.c, the line discipline. Call all of
 * these with tty->lock held, except tty_output.
 */
#pragma once

#include "kernel/fs/tty.h"

/* The byte that stands in the ring where somebody typed VEOF; its bit in `ends` distinguishes it from a typed byte. */
#define TTY_EOF_MARK 0

enum tty_signal_number { TTY_SIGINT = 2, TTY_SIGQUIT = 3, TTY_SIGTSTP = 20, TTY_SIGWINCH = 28 };

/* Return whether the byte at that position is the last of a line. */
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

/* Return whether a read would wait for input: not in raw mode with VMIN and VTIME 0. */
static inline bool tty_waits(const struct tty *tty)
{
	return tty->termios.lflag & ICANON || tty->termios.cc[VMIN] || tty->termios.cc[VTIME];
}

/* Forget all typed input. */
void tty_drop_input(struct tty *tty);

void tty_signal(struct tty *tty, enum tty_signal_number signal);

/* Show what a program writes, processed as oflag says: TTY_PIECE bytes at the most. */
void tty_output(struct tty *tty, const char *text, size_t size);
