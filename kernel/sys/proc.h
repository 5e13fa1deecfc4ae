/*
 * /proc: the machine (proc_machine.c), and a directory for each process (proc_pid.c) with what the process is
 * (proc_task.c) and what it has in memory (proc_memory.c). Everything is as Linux shows it (proc(5)), so that ps, top
 * and their like work.
 */
#pragma once

#include "kernel/fs/text_fs.h"
#include "kernel/task/find.h"

/* Make the file systems of proc known to mount(2). Called once. `cmdline`: the kernel's, which is copied. -ENOMEM. */
int proc_init(const char *cmdline);

/* What follows is for the files kernel/sys/proc_*.c only. */

/* The process or task that a node of a process's directory is about. */
struct proc_subject {
	struct process *process; /* held */
	struct task *task;       /* held; for /proc/PID the first task that lives; NULL: a zombie */
	bool single;             /* below /proc/PID/task: the node is about that task alone */
};

/* Find what a node is about; proc_subject_put() puts it. -ESRCH: it has ended; *ret is untouched. */
int proc_find_subject(struct node *node, struct proc_subject *ret);
void proc_subject_put(struct proc_subject *subject);

/* Mark a variable that starts all zeros: the subject in it is put when its scope ends. */
#define HELD_SUBJECT __attribute__((cleanup(proc_subject_put)))

/* Look up or list processes in the root of /proc, as struct text_fs_type describes it. */
int proc_lookup_pid(struct node *root, struct name name, struct node **ret);
int proc_next_pid(struct node *root, uint64_t *position, struct dir_entry *ret);

/* Make or take the contents of the files of /proc/PID. */
text_make_fn proc_make_stat, proc_make_statm, proc_make_status, proc_make_comm, proc_make_maps, proc_make_cmdline,
	proc_make_environ, proc_make_mounts, proc_make_limits, proc_make_oom_score, proc_make_oom_adjust;
text_take_fn proc_take_comm, proc_take_oom_adjust;

/* How much of a process's memory is of which kind, in pages; all zeros for a process that has none. */
struct proc_memory {
	uint64_t pages, resident;
	uint64_t code, data, stack,
		library; /* code: executable of the program; data: writable and private; library: other executable */
	vaddr_t code_start, code_end, data_start, data_end;
};

struct proc_memory proc_measure(const struct process *process);

/*
 * Return the name of the area's file, as a path that the current process sees, or what else is known of the area; ""
 * for plain memory, "?" for a path that is longer than `path`. Good as long as `path` and the area are.
 */
const char *proc_area_name(const struct process *process, const struct area *area, char *path, size_t path_size);

/* Add the files about the machine. `cmdline`, the kernel's command line, is kept. */
void proc_machine_init(struct text_fs_type *type, const char *cmdline);
