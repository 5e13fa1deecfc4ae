/*
 * Rows: an operation, measured where N of something are there already.
 *
 * A row is a line of one table in the file of its room. Its step is measured alone: what is made before, put right
 * after, and taken down at the end is not. Rows that stand one behind the other and have the same setup share what it
 * makes, so a step and its after() leave it as they found it. Calls are made without the C library, whose own work
 * would be counted (test/user/sys.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "test/user/sys.h"

#define PAGE  4096UL
#define TURNS 7 /* the figure is the median of so many steps */

enum kind {
	ROW_FLAT,  /* costs the same for each N */
	ROW_LOG,   /* may grow with the logarithm of N: a balanced tree is searched, or a sorted list kept */
	ROW_BYTES, /* as ROW_FLAT, and most of the work is to move or make bytes */
};

/* Functions get N; those of a turn its number from 0 as well. Those that are NULL have nothing to do. */
struct row {
	const char *name;
	unsigned largest; /* N of the last figure; 0: one figure alone, with N = 1 */
	enum kind kind;
	bool each; /* a step does N things, and the figure is of one of them */
	void (*setup)(unsigned n);
	void (*before)(unsigned n, unsigned turn);
	long (*step)(unsigned n, unsigned turn); /* measured; a negative result ends the row as failed */
	void (*after)(unsigned n, unsigned turn);
	void (*teardown)(unsigned n);
};

struct room {
	const char *name;
	const struct row *rows;
	unsigned count;
};

#define ROOM(NAME) const struct room NAME##_room = { #NAME, rows, sizeof(rows) / sizeof(*rows) }

extern const struct room names_room, trees_room, processes_room, threads_room, descriptors_room, events_room,
	memory_room, pages_room, signals_room, locks_room, bytes_room;

/* End the running row: print what failed and what was seen, -errno or another result. */
_Noreturn void failed(const char *what, long saw);

/* Return `result`; end the row when it is an error, -4095 to -1. */
long must(long result, const char *what);

/*
 * An empty tmpfs at /tmp, which is the working directory then; and its end. Descriptors that lead there must be closed
 * first.
 */
void work_open(void);
void work_close(void);

/*
 * Make a task with clone(flags), whose stack nobody uses: `call` with three arguments is all that it does, over and
 * over. tid: for CLONE_CHILD_CLEARTID, or NULL. Returns the new task's number.
 */
int spawn(unsigned long flags, int *tid, long call, long a, long b, long c);

#define PROCESS (CLONE_VM | SIGCHLD)
#define THREAD  (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* tasks[0] to tasks[n - 1]: the numbers of processes or threads that do nothing. */
#define MOST_TASKS 20000
extern int tasks[MOST_TASKS];
void processes_start(unsigned n);
void processes_end(unsigned n);
/* The same with processes that wait in a call; its arguments as spawn's. */
void processes_start_in(unsigned n, unsigned long flags, long call, long a, long b, long c);
void threads_start(unsigned n);

/*
 * Read `fd` from its start to its end, or once, into a buffer of 64 KiB. Returns the bytes of the last read that gave
 * any.
 */
long read_all(int fd);
long read_once(int fd, unsigned long bytes);
/* All names of the directory `fd`, from its first; or those that fit `bytes`. Returns how many bytes came. */
long list_all(int fd);
long list_once(int fd, unsigned long bytes);
/* Open for reading; ends the row when that fails. */
int open_file(const char *path);
/* Open a file, read it once, and close it. Returns the bytes read. */
long read_path(const char *path);

/* A step: fork, the child's end, and wait4 for it. */
long fork_and_wait(unsigned n, unsigned turn);

/*
 * Names of 120 bytes that all have one hash where that is 32-bit FNV-1a without a seed: collisions_make finds what they
 * are made of, and collision_name puts the name `i` into `ret`.
 */
void collisions_make(void);
void collision_name(char *ret, unsigned i);
