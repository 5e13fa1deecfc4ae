/*
 * Shared by pty.c, which has the pseudo-terminals, and devpts.c, which has their nodes.
 */
#pragma once

#include "kernel/fs/tty.h"

#define PTY_MAJOR  136  /* Linux's device number of /dev/pts/N, whose minor is N */
#define PTY_MOST   1024 /* most pseudo-terminals at once */
#define PTY_OUTPUT 8192 /* most bytes that a terminal shows before its master reads them; a power of two */

/* Reports to a master in packet mode: TIOCPKT_…, see ioctl_tty(2). */
enum pty_status {
	PTY_FLUSH_READ = 1,
	PTY_FLUSH_WRITE = 2,
	PTY_STOP = 4,
	PTY_START = 8,
	PTY_NO_STOP = 16,
	PTY_DO_STOP = 32,
};

/* A pseudo-terminal. Guard: tasks only, which the kernel does not preempt. */
struct pty {
	struct tty tty; /* the terminal; must be the first member */
	unsigned number;
	uint64_t refs;  /* references: the master's, and one of each file of the terminal */
	uint64_t open;  /* how many files of the terminal were opened since the last hang-up, and are not closed */
	bool was_open;  /* the terminal was opened at least once */
	bool locked;    /* the terminal cannot be opened: TIOCSPTLCK */
	bool packet;    /* the master reads packets: TIOCPKT */
	bool held;      /* the terminal's last order was TTY_STOP, not TTY_GO; the master is told only of changes */
	uint8_t status; /* bits of enum pty_status that the master has not read */
	struct wait_queue queue; /* masters wait for shown bytes, and for room to type */
	/*
	 * The ring of bytes that the terminal shows, until the master reads them. Positions count bytes and wrap at
	 * 2^32.
	 */
	uint32_t head; /* position where the next byte goes */
	uint32_t tail; /* position of the next byte to read */
	uint8_t output[PTY_OUTPUT];
};

/* Return the pseudo-terminal with that number, good until its master is closed; NULL: there is none. */
struct pty *pty_by_number(unsigned number);

/* Return the credentials of the calling task. */
const struct credentials *pty_owner(void);

/*
 * Make a terminal's node in each mounted devpts. Returns 0; or -ENODEV (none is mounted), -ENOMEM or -ENOSPC, with no
 * node made. pty_forget() removes the nodes.
 */
int pty_tell_of(unsigned number);
void pty_forget(unsigned number);

/* Find the terminal's node in the devpts that was mounted last; *ret is a reference. Returns 0 or -ENOENT. */
int pty_node(unsigned number, struct node **ret);
