/*
 * gdb's commands: reads a packet, asks the machine through a table of functions, writes the reply. Believes no packet;
 * knows no port and no task, so that host tests can feed it anything.
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

/* Called for each thread. detail: a few words on what the thread is doing. */
typedef void gdb_see_thread(void *ctx, int64_t id, const char *name, const char *detail);

/* The machine while it is stopped. A thread given by its number exists; addresses and sizes may be anything. */
struct gdb_machine {
	int64_t (*current)(void); /* the thread that runs when the machine is not stopped */
	bool (*alive)(int64_t id);
	void (*threads)(gdb_see_thread *see, void *ctx);
	void (*get_registers)(int64_t id, struct gdb_registers *ret);
	/* Returns false, with nothing changed, when some of the thread's registers cannot be written. */
	bool (*set_registers)(int64_t id, const struct gdb_registers *r);
	/* Copy memory in the context of the thread. Returns how many bytes were copied, from the first on. */
	size_t (*read)(int64_t id, uint64_t va, void *to, size_t size);
	size_t (*write)(int64_t id, uint64_t va, const void *from, size_t size);
	bool (*insert)(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size);
	bool (*remove)(int64_t id, enum gdb_break_kind kind, uint64_t va, uint64_t size);
	/* Have the machine stop after one instruction of the thread. Returns false when it cannot be stepped. */
	bool (*step)(int64_t id);
	/* Run a command line of the monitor; `say` gets what it prints. */
	void (*monitor)(char *line, void (*say)(const char *text, size_t size));
	void (*send)(const struct gdb_reply *reply); /* sends a packet before the reply: output of a command */
};

/* Why the machine has stopped. Guard: the stopped machine. */
struct gdb_stop {
	int signal;         /* gdb's number: 2 INT, 5 TRAP, 6 ABRT, 11 SEGV, … */
	const char *reason; /* "swbreak", "hwbreak", "watch", "awatch", or NULL */
	uint64_t address;   /* of the data, for a watchpoint */
};

/* Guard: the stopped machine. */
struct gdb_session {
	const struct gdb_machine *machine;
	struct gdb_stop stop;
	int64_t thread;     /* the thread whose registers and memory gdb asks for */
	bool reasons_known; /* gdb has said that it knows the reasons swbreak and hwbreak */
	struct gdb_reply reply;
};

enum gdb_next {
	GDB_ANSWER, /* send session->reply */
	GDB_RUN,    /* let the machine run; the reply is sent at the next stop */
	GDB_DETACH, /* send session->reply, then let the machine run without gdb */
	GDB_LEAVE,  /* let the machine run without gdb; no reply */
};

/* Begin a stop: the thread that has stopped becomes the one that gdb asks about. */
void gdb_session_stop(struct gdb_session *s, const struct gdb_stop *stop);

/* Write the stop reply into session->reply. */
void gdb_session_tell(struct gdb_session *s);

/* Do what a packet says, and write the reply into session->reply. */
enum gdb_next gdb_command(struct gdb_session *s, const char *packet, size_t length);

#define GDB_SIGNAL_INT  2
#define GDB_SIGNAL_ILL  4
#define GDB_SIGNAL_TRAP 5
#define GDB_SIGNAL_ABRT 6
#define GDB_SIGNAL_FPE  8
#define GDB_SIGNAL_SEGV 11
