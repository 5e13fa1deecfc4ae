/*
 * Starts programs: the first process's, and execve(2)'s.
 */
#pragma once

#include "kernel/task/process.h"

/* Which program is to be started, with which strings; all of them lie in the kernel's memory. Guard: the caller. */
struct exec_request {
	const char *path;          /* leads to the program; also its name in the log, in AT_EXECFN and for the task */
	const struct place *place; /* the program's file, if the caller has found it already, held; else NULL */
	bool hidden;               /* `path` leads nowhere after the start, so no script's interpreter could open it */
	const char *const *argv, *const *envp; /* end with NULL */
};

/*
 * What is wrong with a program that cannot be started, as a text; empty: the error number says all. Guard: the caller.
 */
struct exec_refusal {
	char text[160];
};

/*
 * Start the first process; the program's path begins at `root`, and descriptors 0, 1 and 2 are `console`. The process
 * runs when the caller blocks. Returns 0, or an error with everything undone; *refusal then says what is wrong with the
 * file, and is untouched when that is not the reason.
 */
int process_start_init(const struct place *root, struct file *console, const struct exec_request *request,
		       struct exec_refusal *refusal);

/*
 * Execute another program in the current process: execve(2). After 0 all other tasks have ended, and task_frame()
 * starts the program; the caller sets this_cpu->frame_changed right before its call returns. Returns -ENOEXEC, -EACCES,
 * -ETXTBSY, -ENOMEM, -ELOOP, -ELIBBAD or path_lookup's errors with nothing changed; the log says what is wrong with a
 * file. Returns -EINTR or -ENOMEM when the task must end.
 */
int process_exec(const struct exec_request *request);
