/*
 * /proc: the machine (proc_machine.c), and a directory for each process (proc_pid.c) with what it is (proc_task.c) and what it
 * has in memory (proc_memory.c). Everything is as Linux shows it (proc(5)), so that ps, top and their like work.
 */
#pragma once

#include "kernel/fs/text_fs.h"
#include "kernel/task/find.h"

/* Make the file systems of proc known to mount(2). Once. `cmdline`: the kernel's, which is copied. -ENOMEM. */
int proc_init(const char *cmdline);

/* For the files of kernel/sys/proc_*.c. */

/* Whom a node of a process's directory is about. */
struct proc_subject {
	struct process *process; /* held */
	struct task *task;       /* held; of /proc/PID the first task that lives; NULL: a zombie */
	bool single;             /* below /proc/PID/task: about that task alone */
};

/* *ret is put by proc_subject_put. -ESRCH: it has ended. */
int proc_find_subject(struct node *node, struct proc_subject *ret);
void proc_subject_put(struct proc_subject *subject);

/* For a variable that starts all zeros: put at the end of its scope. */
#define HELD_SUBJECT __attribute__((cleanup(proc_subject_put)))

/* The root's entries for processes: as text_fs_type wants them. */
int proc_lookup_pid(struct node *root, struct name name, struct node **ret);
int proc_next_pid(struct node *root, uint64_t *position, struct dir_entry *ret);

/* Contents of /proc/PID/…. */
text_make_fn proc_make_stat, proc_make_statm, proc_make_status, proc_make_comm, proc_make_maps, proc_make_cmdline,
	proc_make_environ, proc_make_mounts, proc_make_limits;
text_take_fn proc_take_comm;

/* What of a process's memory is of which kind; all zeros for one that has none. */
struct proc_memory {
	uint64_t pages, resident;
	uint64_t code, data, stack,
		library; /* pages: executable of the program; writable and private; stack; other executable */
	vaddr_t code_start, code_end, data_start, data_end;
};

struct proc_memory proc_measure(const struct process *process);

/*
 * The area's file, as the current process sees its path, or what else is known of it; "" for plain memory, "?" for a
 * path that has no room in `path`.
 */
const char *proc_area_name(const struct process *process, const struct area *area, char *path, size_t path_size);

/* Entries for the machine; the command line of the kernel stays. */
void proc_machine_init(struct text_fs_type *type, const char *cmdline);
