/*
 * Shared by the parts of a terminal: tty.c has the file operations, tty_request.c the ioctls, and tty_input.c the line
 * discipline. Call the functions of the line discipline with tty->lock held, except tty_output.
 */
#pragma once

#include "kernel/fs/tty.h"

/* The byte in the ring for a typed VEOF; the bit in `ends` distinguishes it from a typed NUL. */
#define TTY_EOF_MARK 0

enum tty_signal_number { TTY_SIGINT = 2, TTY_SIGQUIT = 3, TTY_SIGTSTP = 20, TTY_SIGWINCH = 28 };

/* Return whether the byte at `position` of the ring ends a line or the file. */
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

/* ---- file operations, for programs ---- */

/* Return how many bytes can be read now. */
uint32_t tty_readable(const struct tty *tty);

/* Return whether the terminal was hung up since the file was opened. */
bool tty_is_hung_up(const struct file *file);

/* Return 0 if the calling task may read, or write, now; otherwise the error that its system call returns. */
int tty_check_job(struct tty *tty, bool write);

/* Do file_ops.ioctl. Returns -EAGAIN while the request must wait for written text to leave the device. */
int64_t tty_ioctl(struct file *file, unsigned request, uint64_t arg, struct user_io *io);

/* Do an ioctl that a pseudo-terminal's master has in common with the terminal. Returns -ENOTTY for other requests. */
int64_t tty_master_ioctl(struct tty *tty, unsigned request, uint64_t arg, struct user_io *io);

/* ---- the line discipline ---- */

/* Drop all input that was not read yet. */
void tty_drop_input(struct tty *tty);

/* Send a signal to the terminal's foreground group, by jobs->signal. */
void tty_signal(struct tty *tty, enum tty_signal_number signal);

/* Set tty->stopped by TTY_STOP or TTY_GO, and pass the order on to tty->port, if it is not NULL. */
void tty_give_order(struct tty *tty, enum tty_order order);

/* Convert text as termios.oflag says, and send it to the device. size: at most TTY_PIECE. */
void tty_output(struct tty *tty, const char *text, size_t size);
