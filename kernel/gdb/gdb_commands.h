/*
 * gdb's commands: reads a packet, calls the machine through a table of functions, writes the reply. A packet may hold
 * anything, and is checked. Ports and tasks are reached through the table alone, so that host tests can replace them.
 */
#pragma once

#include "kernel/gdb/gdb_registers.h"

#define GDB_ALL_THREADS (-1)
#define GDB_ANY_THREAD  0

/* Kinds of breakpoints, as numbered in Z packets. */
enum gdb_break_kind {
	GDB_BREAK_SOFTWARE,
	GDB_BREAK_HARDWARE,
	GDB_WATCH_WRITE,
	GDB_WATCH_READ,
	GDB_WATCH_ACCESS,
};

/* A function that gdb_machine->threads() calls for each thread. detail: the thread's state, as "running". */
typedef void gdb_see_thread(void *ctx, int64_t id, const char *name, const char *detail);

/*
 * The stopped machine, as functions. gdb_command() passes them only numbers of threads that exist, but any address and
 * size that a packet names.
 */
struct gdb_machine {
	int64_t (*current)(void);  /* returns the thread that was running when the machine stopped */
	bool (*alive)(int64_t id); /* returns whether there is a thread of this number, which may be any number */
	void (*threads)(gdb_see_thread *see, void *ctx); /* calls `see` for each thread */
	void (*get_registers)(int64_t id, struct gdb_registers *ret);
	/* Returns false, with nothing changed, when some of the thread's registers cannot be written. */
	bool (*set_registers)(int64_t id, const struct gdb_registers *r);
	/* Read or write memory as the thread sees it. Returns how many bytes were copied, from the first on. */
	size_t (*read)(int64_t id, uint64_t va, void *to, size_t size);
	size_t (*write)(int64_t id, uint64_t va, const void *from, size_t size);
	/* Set or remove a breakpoint. Returns false, with nothing changed, when that cannot be done. */
	bool (*insert)(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size);
	bool (*remove)(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size);
	/*
	 * Have the machine stop after the thread's next instruction. Returns false when the thread cannot be stepped.
	 */
	bool (*step)(int64_t id);
	/* Run a command line of the monitor, the kernel's own prompt; `say` gets what it prints. */
	void (*monitor)(char *line, void (*say)(const char *text, size_t size));
	/* Send a packet at once, before the command's reply: a piece of a monitor command's output. */
	void (*send)(const struct gdb_reply *reply);
};

/* Why the machine has stopped. Guard: the stopped machine. */
struct gdb_stop {
	int signal;         /* gdb's number: 2 INT, 5 TRAP, 6 ABRT, 11 SEGV, … */
	const char *reason; /* "swbreak", "hwbreak", "watch", "awatch", or NULL */
	uint64_t address;   /* the watched address; 0 when no watchpoint was hit */
};

/* The state of the conversation with gdb. Guard: the stopped machine. */
struct gdb_session {
	const struct gdb_machine *machine;
	struct gdb_stop stop;
	int64_t thread;         /* the thread whose registers and memory gdb asks for */
	bool alone;             /* at GDB_RUN: one thread is to be stepped, and gdb has not said that others run */
	bool reasons_known;     /* gdb has said that it knows the reasons swbreak and hwbreak */
	uint64_t threads_named; /* how many threads the replies to qfThreadInfo and qsThreadInfo have named */
	struct gdb_reply reply;
};

enum gdb_next {
	GDB_ANSWER, /* send session->reply */
	GDB_RUN,    /* let the machine run; gdb gets its reply at the next stop */
	GDB_DETACH, /* send session->reply, then let the machine run without gdb */
	GDB_LEAVE,  /* let the machine run without gdb; no reply */
};

/*
 * Begin a stop: keep its reason, and select the current thread, whose registers and memory gdb then reads and writes.
 */
void gdb_session_stop(struct gdb_session *s, const struct gdb_stop *stop);

/* Append the stop reply, which tells gdb signal, reason and thread, to session->reply. */
void gdb_session_tell(struct gdb_session *s);

/* Execute the command in a packet, and write the reply into session->reply. */
enum gdb_next gdb_command(struct gdb_session *s, const char *packet, size_t length);

#define GDB_SIGNAL_INT  2
#define GDB_SIGNAL_ILL  4
#define GDB_SIGNAL_TRAP 5
#define GDB_SIGNAL_ABRT 6
#define GDB_SIGNAL_FPE  8
#define GDB_SIGNAL_SEGV 11
