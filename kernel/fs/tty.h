/*
 * Terminals: the line discipline between programs and a driver, which brings typed bytes, in interrupt handlers too,
 * and shows text. Canonical and raw input, echo, editing, the signal characters; output with ONLCR.
 *
 * Input is kept in a ring in struct tty. Output is not kept: tty->show gets it at once, in pieces of up to TTY_PIECE
 * bytes, in the context of the task that writes. So a serial driver, which needs only I/O ports, costs no change of
 * page tables; a driver that draws into the framebuffer, which only the kernel context maps, waits for tty->flush and
 * draws all pieces of a write at once. The driver of a slow device queues text that the device has not taken yet;
 * tty->port says how much room the queue has, and a write waits for room.
 */
#pragma once

#include "kernel/fs/device.h"
#include "kernel/fs/linux_termios.h"
#include "kernel/sync/wait_queue.h"

#define TTY_INPUT      4096            /* most bytes that are typed ahead, and so the longest line; a power of two */
#define TTY_PIECE      512             /* most bytes that are copied from or to a program at once */
#define TTY_WRITE_MOST (4 * TTY_PIECE) /* most bytes that one write operation takes */

struct tty;

enum tty_order {
	TTY_STOP,       /* send no more queued text to the device: VSTOP was typed */
	TTY_GO,         /* send queued text again */
	TTY_DROP,       /* drop the queued text */
	TTY_DROP_INPUT, /* no order: tells the driver that unread input has been dropped */
};

/*
 * Operations of a driver that queues text for a slow device. They are called with any page tables loaded, by
 * interrupt handlers too, also with tty->lock held.
 * The driver wakes tty->queue when `room` has grown to half of its greatest value, and when `is_idle` becomes true.
 */
struct tty_port {
	/* Return how many bytes of a program's output fit into the queue, besides its extra room for echo. */
	size_t (*room)(const struct tty *tty);
	/* Return how many written bytes have not left the device yet. */
	size_t (*waiting)(const struct tty *tty);
	/* Return whether all text has left the device. */
	bool (*is_idle)(struct tty *tty);
	void (*order)(struct tty *tty, enum tty_order order);
	/* Called when a file was opened, or closed; `hung_up`: it was opened before the last hang-up. May be NULL. */
	void (*opened)(struct tty *tty);
	void (*closed)(struct tty *tty, bool hung_up);
	/* Pseudo-terminals set all of the following operations, other drivers none. */
	/* Called with tty->lock held after the modes were changed from `before`. */
	void (*modes_set)(struct tty *tty, const struct linux_termios *before);
	void (*input_taken)(struct tty *tty); /* called after a program has read input */
	void (*files_died)(struct tty *tty);  /* called when the terminal is hung up, with tty->lock held */
};

/*
 * The operations on process groups, sessions and signals, which kernel/task and above provide. Each may be NULL.
 * `signal` may be called by interrupt handlers, with tty->lock held; the others by the task that makes a system call.
 */
struct tty_job_control {
	/* Send `signal` (2 SIGINT, 3 SIGQUIT, 20 SIGTSTP, 28 SIGWINCH) to the foreground group. */
	void (*signal)(struct tty *tty, int signal);
	/*
	 * Return 0 if the calling task's group may read, or write, now. Otherwise return the error for the system call:
	 * -EIO, or one that makes the call start again after the task was stopped.
	 */
	int (*check)(struct tty *tty, bool write);
	/*
	 * Do TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY or TIOCNOTTY; *value is the pid that the request sets or gets.
	 * Returns 0 or an error. When `request` is NULL these ioctls return -ENOTTY.
	 */
	int (*request)(struct tty *tty, unsigned request, uint64_t arg, int32_t *value);
	/* Called when a task has opened the terminal without O_NOCTTY. */
	void (*opened)(struct tty *tty);
	/*
	 * Called before a hang-up whose cause is the device: takes the terminal from its session, and sends SIGHUP and
	 * SIGCONT to the session's leader.
	 */
	void (*hung_up)(struct tty *tty);
};

/*
 * A terminal. Guard: its lock, since typed bytes come in interrupt handlers; what the driver sets is fixed after boot.
 */
struct tty {
	struct device device;
	/*
	 * Send text to the device unchanged. Called with any page tables, by interrupt handlers too; for an echo with
	 * `lock` held.
	 */
	void (*show)(struct tty *tty, const char *text, size_t size);
	/* Make written text visible. Called after each write(2) and after input, without `lock`. May be NULL. */
	void (*flush)(struct tty *tty);
	/*
	 * Give tty_input() what the device answers to escape sequences in the text. Called without `lock`. May be NULL.
	 */
	void (*answer)(struct tty *tty);
	/* Do KDSKBENT; NULL: no keyboard, -ENOTTY. Returns 0, -EINVAL, -EPERM. Fixed after boot */
	int (*set_key)(unsigned table, unsigned key, uint16_t value);
	/* Do KDSETMODE; NULL: there is no screen, -ENOTTY. Returns 0 or -EPERM. Fixed after boot */
	int (*set_graphics)(struct tty *tty, bool graphics);
	bool (*is_graphics)(struct tty *tty); /* for KDGETMODE; set if `set_graphics` is. Fixed after boot */
	void *data;                           /* for the driver. Fixed after boot */
	const struct tty_port *port;          /* NULL: `show` queues nothing. Fixed after boot */
	const struct tty_job_control *jobs;
	/* For the job control: pids of the leaders of the terminal's session and of its foreground group; 0: none. */
	int session, foreground; /* guard: lock */
	/* number of hang-ups; a file that was opened before the last one can no longer read or write. Guard: lock */
	uint64_t hang_ups;
	struct linux_termios termios;
	struct linux_winsize winsize;
	/* tasks that wait for input, for room for output, for stopped output to go on, or until output is sent */
	struct wait_queue queue;
	/*
	 * The ring of input. Positions count bytes, and wrap at 2^32; the byte at a position is
	 * input[position % TTY_INPUT]. Guard of all from here on: lock, except that a task's output changes `column`
	 * without the lock: an echo in between makes it wrong, and then erasing goes back too few or too many columns.
	 */
	struct lock lock;
	uint32_t head;       /* position where the next byte goes */
	uint32_t line;       /* position behind the last whole line, up to which canonical mode may read */
	uint32_t tail;       /* position of the next byte to read */
	uint32_t column;     /* column of the cursor, for erasing tabs */
	uint32_t line_start; /* column where the line that is being typed starts */
	bool literal;        /* VLNEXT was typed: the next byte is taken as it is */
	bool stopped;        /* VSTOP was typed: output waits */
	uint8_t input[TTY_INPUT];
	uint8_t ends[TTY_INPUT / 8]; /* a bit for each byte of `input`: it ends a line, or the file */
};

/*
 * Initialise a terminal with Linux's default modes and 80 by 25 characters, and register it as device `name` with the
 * device number `number`. `tty` must stay valid for ever. Returns 0, or -EEXIST when the number is taken.
 */
int tty_init(struct tty *tty, const char *name, uint64_t number,
	     void (*write)(struct tty *tty, const char *text, size_t size), void *data);

/* Do what tty_init() does, but register no device: for terminals that come and go. All bytes of *tty must be 0. */
void tty_setup(struct tty *tty, uint64_t number, void (*show)(struct tty *tty, const char *text, size_t size));

/* Make `file`, which is being opened, read and write `tty`. Returns 0. */
int tty_open(struct tty *tty, struct file *file);

/*
 * Take typed bytes: put them into the ring, echo them, wake readers, send signals by jobs->signal. Bytes that do not
 * fit are dropped, with a bell. Call without tty->lock; interrupt handlers may call it.
 */
void tty_input(struct tty *tty, const void *bytes, size_t size);

/* Set the window's size; if it has changed, SIGWINCH goes to the foreground group. */
void tty_set_size(struct tty *tty, unsigned rows, unsigned columns);

/*
 * Make /dev/console open `tty`. /dev/tty opens the terminal that the function of tty_set_own() returns, the calling
 * task's controlling terminal (NULL: -ENXIO). Until that function is set, /dev/tty also opens `tty`.
 */
void tty_set_console(struct tty *tty);
void tty_set_own(struct tty *(*own)(void));

/*
 * Hang up the terminal: for each file of it that is open now, except those of /dev/console, reads return 0 and writes
 * -EIO. Input is dropped, and the modes become the default, so that the next session finds the terminal as new.
 */
void tty_hang_up(struct tty *tty);

/* Return whether `tty` is a pseudo-terminal. */
static inline bool tty_has_master(const struct tty *tty)
{
	return tty->port && tty->port->files_died;
}

/* Return the terminal of an open file; NULL when the file is not a terminal. */
struct tty *tty_of(const struct file *file);
