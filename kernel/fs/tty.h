/*
 * Terminals: the line discipline between a driver, which brings bytes in interrupt context and takes text, and
 * programs. Canonical and raw input, echo, editing, the signal characters; output with ONLCR.
 *
 * Input lies in the tty's own ring, in the heap or the image: what is typed are small pieces. Output is not kept: it
 * goes to the sink at once, in pieces of up to TTY_PIECE bytes that were copied in the user's context, so a sink that
 * needs only ports costs no switch; one that draws does so when it is flushed, once for all pieces of a write.
 */
#pragma once

#include "kernel/fs/device.h"
#include "kernel/fs/linux_termios.h"
#include "kernel/sync/wait_queue.h"

#define TTY_INPUT      4096 /* most bytes that are typed ahead, and so the longest line; a power of two */
#define TTY_PIECE      512
#define TTY_WRITE_MOST (4 * TTY_PIECE) /* most bytes that one write operation takes */

struct tty;

/*
 * What only the tasks know: process groups, sessions and signals. Each may be NULL.
 * `signal` is called in any context, with the tty's lock held; the rest from ioctl, in the calling task.
 */
struct tty_job_control {
	/* Send `signal` (2 SIGINT, 3 SIGQUIT, 20 SIGTSTP, 28 SIGWINCH) to the foreground group. */
	void (*signal)(struct tty *tty, int signal);
	/*
	 * Return whether the calling task may read, or write (tostop), now: 0, or -EIO or an error like -ERESTARTSYS,
	 * which read(2) or write(2) then returns.
	 */
	int (*check)(struct tty *tty, bool write);
	/*
	 * Do TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY or TIOCNOTTY; `value` is the pid in and out. Returns 0 or an
	 * error. [-ENOTTY]
	 */
	int (*request)(struct tty *tty, unsigned request, uint64_t arg, int32_t *value);
	/* Called when a task has opened the terminal without O_NOCTTY. */
	void (*opened)(struct tty *tty);
};

/* A terminal. Guard: its lock, since keys come in a handler; what the driver sets is fixed after boot. */
struct tty {
	struct device device;
	/* Show text as it is: \r and \n are motions. Any context; an echo comes with the lock held. */
	void (*write)(struct tty *tty, const char *text, size_t size);
	/* Let what was written be seen: after each write(2), and after each echo. Or NULL. No lock is held. */
	void (*flush)(struct tty *tty);
	/* Type what the device has to answer to the text that it was sent, by tty_input. Or NULL. No lock is held. */
	void (*answer)(struct tty *tty);
	void *data; /* the driver's own. Fixed after boot */
	const struct tty_job_control *jobs;
	/* The job control's: pids of the leaders of the terminal's session and of its foreground group; 0: none. */
	int session, foreground; /* lock */
	/* lock; counts hang-ups: a file that was opened before the last one can no longer read or write */
	uint64_t hang_ups;
	struct linux_termios termios;
	struct linux_winsize winsize;
	struct wait_queue queue; /* readers that wait for input */
	/*
	 * The ring of input. Guard from here on: lock, but a task's output moves `column` without it, as an echo may
	 * come in between. The ring's positions only grow; the byte at a position is input[position % TTY_INPUT].
	 */
	struct lock lock;
	uint32_t head;       /* position where the next byte goes */
	uint32_t line;       /* position behind the last whole line, up to which canonical mode may read */
	uint32_t tail;       /* position of the next byte to read */
	uint32_t column;     /* column of the cursor, for erasing tabs */
	uint32_t line_start; /* column where the line that is being typed starts */
	bool literal;        /* VLNEXT was typed: the next byte is no command */
	bool stopped;        /* VSTOP was typed: output waits */
	uint8_t input[TTY_INPUT];
	uint8_t ends[TTY_INPUT / 8]; /* a bit for each place: it ends a line, or the file */
};

/*
 * Set up a terminal, for ever: Linux's default modes, 80 by 25, registered as `name` under `number`. `write` as in
 * struct tty. -EEXIST: the number is taken.
 */
int tty_init(struct tty *tty, const char *name, uint64_t number,
	     void (*write)(struct tty *tty, const char *text, size_t size), void *data);

/*
 * Take what somebody typed. Any context, interrupts on or off. Wakes readers, echoes, calls jobs->signal. Bytes that do
 * not fit are dropped, with a bell.
 */
void tty_input(struct tty *tty, const void *bytes, size_t size);

/* Note the window's size; when that is news the foreground group gets a signal. */
void tty_set_size(struct tty *tty, unsigned rows, unsigned columns);

/*
 * Let /dev/console lead to `tty`; so does /dev/tty, unless tty_set_own gave a function that returns the calling task's
 * terminal (NULL: -ENXIO).
 */
void tty_set_console(struct tty *tty);
void tty_set_own(struct tty *(*own)(void));

/*
 * Hang up the terminal: each file of it that is open now reads the end of the file and gets -EIO for writes, except
 * /dev/console. The next to open the terminal finds it as new.
 */
void tty_hang_up(struct tty *tty);

/* Return the terminal that a file leads to; NULL: it leads to none. */
struct tty *tty_of(const struct file *file);
