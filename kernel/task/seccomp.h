/*
 * Secure computing (seccomp(2)): programs that say which system calls a task may make. A task has a chain of them, the
 * newest first, which its children share; all of a chain are asked for each call.
 */
#pragma once

#include "kernel/lib/bpf.h"
#include "kernel/task/task.h"

/* What is asked about a system call: Linux's struct seccomp_data. */
struct seccomp_data {
	int32_t number;
	uint32_t architecture;
	uint64_t address; /* of the instruction behind SYSCALL */
	uint64_t arguments[6];
};

#define SECCOMP_MOST 32768 /* instructions of a chain; each program counts SECCOMP_EACH more */
#define SECCOMP_EACH 4

/*
 * Answers: an action in the high half, data in the low one. Of several answers the action that comes first here counts.
 */
enum seccomp_action {
	SECCOMP_KILL_PROCESS = 0x80000000U,
	SECCOMP_KILL_THREAD = 0,
	SECCOMP_TRAP = 0x00030000,
	SECCOMP_ERRNO = 0x00050000,
	SECCOMP_TRACE = 0x7ff00000,
	SECCOMP_LOG = 0x7ffc0000,
	SECCOMP_ALLOW = 0x7fff0000,
};

#define SECCOMP_ACTION(answer) ((answer)&0xffff0000U)
#define SECCOMP_DATA(answer)   ((answer)&0xffffU)

/* A program of a chain. Fixed when it is made, but for `refs`. */
struct seccomp_filter {
	uint64_t refs;               /* references: of tasks, and of newer programs; atomic */
	struct seccomp_filter *next; /* the next older one, a reference; or NULL */
	uint32_t depth;              /* how many programs the chain has from here on */
	uint32_t total;              /* instructions from here on, with SECCOMP_EACH a program; see SECCOMP_MOST */
	uint32_t count;              /* instructions */
	bool marked; /* while seccomp_add_for_all() works: one of the caller's. Guard: tasks only, not preempted */
	struct bpf_instruction program[];
};

/* Make a program of `count` instructions, with one reference and without a chain; NULL: no memory. */
struct seccomp_filter *seccomp_create(uint32_t count);

/* Drop a reference to a chain; each program whose last reference is gone is freed. NULL is allowed. */
void seccomp_put(struct seccomp_filter *filter);

/*
 * Drop a reference to a chain, but free some programs only: *chain is then what is left, with the reference to it still
 * the caller's, or NULL. Returns whether something is left.
 */
bool seccomp_put_some(struct seccomp_filter **chain);

/*
 * Put a checked program in front of the current task's chain, which takes over the caller's reference. Returns 0; or,
 * when the chain would be too long, -ENOMEM with nothing changed.
 */
int seccomp_add(struct seccomp_filter *filter);

/*
 * Do seccomp_add() for all tasks of the process: they get the current task's chain, and no new rights if that task gets
 * none. Returns 0; or, with nothing changed, -ENOMEM, or the tid of a task whose own chain is no part of the current
 * task's, or whose mode is the strict one.
 */
int seccomp_add_for_all(struct seccomp_filter *filter);

/* Let the current task make no calls but read, write, exit and rt_sigreturn: SECCOMP_MODE_STRICT. */
void seccomp_be_strict(void);

/* Give a new task the mode and the chain of the current one, and no new rights if that gets none. */
void seccomp_inherit(struct task *task);

/* Run all programs of the current task's chain on a call. Returns the answer that counts, see enum seccomp_action. */
uint32_t seccomp_ask(const struct seccomp_data *data);
