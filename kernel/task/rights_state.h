/*
 * The parts of struct task and of struct process that concern rights. kernel/task/rights.h has the functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct credentials;
struct seccomp_filter;

/* What seccomp(2) has to do with a task. The values are Linux's. */
enum seccomp_mode {
	SECCOMP_OFF,
	SECCOMP_STRICT,
	SECCOMP_FILTER,
};

/* Guard of fields that say nothing else: tasks only, which the kernel does not preempt. */
struct task_rights {
	/*
	 * the task's credentials, a reference; NULL: a kernel task, or one that has ended. Only the task itself
	 * replaces them, and so it reads this pointer without a lock. Guard: rights_lock
	 */
	const struct credentials *who;
	int parent_death_signal; /* the signal that the task gets when its parent ends: PR_SET_PDEATHSIG; 0: none */
	/* system calls go through syscall_run() and take the kernel lock: for seccomp(2) or ptrace(2). Atomic */
	bool calls_by_c;
	bool gains;         /* the task is in execve(2) of a program that runs with other rights than its own */
	bool no_new_rights; /* execve(2) gives no rights: PR_SET_NO_NEW_PRIVS; once true, it stays so */
	enum seccomp_mode seccomp_mode;
	struct seccomp_filter *filter; /* the newest of a chain of seccomp programs (seccomp.h), a reference; or NULL */
};

/* How much others may look into a process: PR_SET_DUMPABLE. */
enum dumpable {
	DUMPABLE_NOT = 0,  /* not at all without CAP_SYS_PTRACE */
	DUMPABLE_USER = 1, /* its own user may */
};

/* Kinds of areas, by the bits of /proc/PID/coredump_filter (core(5)). Linux has more, for memory that is not here. */
enum core_kind {
	CORE_PRIVATE = 1,        /* private anonymous memory, and pages of files that the process has written to */
	CORE_SHARED = 2,         /* shared memory without a name */
	CORE_PRIVATE_FILES = 4,  /* private mappings of files, whole */
	CORE_SHARED_FILES = 8,   /* shared mappings of files */
	CORE_HEADERS = 0x10,     /* the first page of programs and libraries */
	CORE_FIRST = 0x33,       /* of the first process, as on Linux */
	CORE_FILTER_MOST = 0x1ff /* all bits that can be set */
};

/* Guard of fields that say nothing else: tasks only, which the kernel does not preempt. */
struct process_rights {
	const struct credentials
		*ended_as; /* credentials of the task that ended last, a reference; or NULL; guard: rights_lock */
	enum dumpable dumpable;
	uint16_t core_filter;  /* enum core_kind: which areas a core file has the bytes of, as coredump_filter says */
	bool subreaper;        /* becomes the parent of its descendants whose parents end: PR_SET_CHILD_SUBREAPER */
	bool death_is_awaited; /* a task of the process has, or had, a parent_death_signal */
};
