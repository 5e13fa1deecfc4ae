/*
 * clone(2): how a task or a process is made.
 */
#pragma once

#include "kernel/task/process.h"

/* The flags, with Linux's numbers. */
#define CLONE_VM             0x100
#define CLONE_FS             0x200
#define CLONE_FILES          0x400
#define CLONE_SIGHAND        0x800
#define CLONE_PIDFD          0x1000
#define CLONE_PTRACE         0x2000
#define CLONE_VFORK          0x4000
#define CLONE_PARENT         0x8000
#define CLONE_THREAD         0x10000
#define CLONE_NEWNS          0x20000
#define CLONE_SYSVSEM        0x40000
#define CLONE_SETTLS         0x80000
#define CLONE_PARENT_SETTID  0x100000
#define CLONE_CHILD_CLEARTID 0x200000
#define CLONE_DETACHED       0x400000
#define CLONE_UNTRACED       0x800000
#define CLONE_CHILD_SETTID   0x1000000
#define CLONE_EXIT_SIGNAL    0xff
#define CLONE_NAMESPACES     0x7e020000 /* the flags for all kinds of namespaces, CLONE_NEWNS among them */

/* clone(2)'s arguments. */
struct clone_arguments {
	uint64_t flags;                 /* CLONE_…, the exit signal in the low byte */
	uint64_t stack;                 /* the child's stack pointer; 0: the parent's */
	uint64_t parent_tid, child_tid; /* user addresses */
	uint64_t tls;
	struct process **made; /* gets a reference to the child's process, before that runs; NULL: not wanted */
};

/*
 * Make a task or a process: clone(2), fork(2), vfork(2). Returns the child's tid; or, with nothing changed, -EINVAL,
 * -EPERM (`tls` is no user address), -ENOMEM, -EAGAIN (LIMIT_NPROC, no tid), -EINTR (the task must end),
 * -ERESTART_MEMORY.
 */
int64_t process_clone(const struct clone_arguments *arguments);
