/*
 * /proc: files about the machine (proc_machine.c), and a directory for each process (proc_pid.c) with its state
 * (proc_task.c), memory (proc_memory.c) and descriptors (proc_fd.c). Formats are Linux's (proc(5)), for ps, top and the
 * like.
 */
#pragma once

#include "kernel/fs/text_fs.h"
#include "kernel/task/find.h"

/* Make proc known to mount(2). Call once. `cmdline`: the kernel's command line, which is copied. Returns 0, -ENOMEM. */
int proc_init(const char *cmdline);

/* The rest of this header is for the files kernel/sys/proc_*.c only. */

/* The process or task that a node of /proc is about. */
struct proc_subject {
	struct process *process; /* a reference */
	/*
	 * A reference. For /proc/PID this is the process's first task, or any task if the first has ended; NULL: all
	 * have ended.
	 */
	struct task *task;
	bool single; /* the node is below /proc/PID/task and shows that task alone */
};

/*
 * Find the process and task of a node. Returns 0, and the caller calls proc_subject_put(); or -ESRCH when the process
 * or task has ended, with *ret untouched.
 */
int proc_find_subject(struct node *node, struct proc_subject *ret);
void proc_subject_put(struct proc_subject *subject);

/*
 * Return a reference to the process of a node, for callers that need no task. NULL when the process has ended, or the
 * task if the node is about a single task.
 */
struct process *proc_find_process(struct node *node);

/*
 * Find the process of a node and its memory, both with references that the caller drops. Returns 0, or -ESRCH when the
 * process has ended; *ret_space is NULL then, and also when there is nothing to show: the process has no memory any
 * more, or has executed a program since the file was opened that the reader may not look into.
 */
int proc_find_space(struct node *node, struct process **ret_process, struct user_space **ret_space);

/* Mark a local variable, zero at first, on which proc_subject_put() is called when its scope ends. */
#define HELD_SUBJECT __attribute__((cleanup(proc_subject_put)))

/* Look up or list processes in the root of /proc, as struct text_fs_type describes it. */
int proc_lookup_pid(struct node *root, struct name name, struct node **ret);
int proc_next_pid(struct node *root, uint64_t *position, struct dir_entry *ret);

/* Generate the contents of the files of /proc/PID; handle writes to them. */
text_make_fn proc_make_stat, proc_make_statm, proc_make_comm, proc_make_cmdline, proc_make_environ, proc_make_limits,
	proc_make_oom_score, proc_make_oom_adjust, proc_make_personality, proc_make_fdinfo, proc_make_auxv,
	proc_make_wchan, proc_make_syscall, proc_make_slack, proc_make_core_filter;
text_more_fn proc_more_maps, proc_more_smaps, proc_more_smaps_rollup, proc_more_mounts, proc_more_mountinfo,
	proc_more_status;
text_take_fn proc_take_comm, proc_take_oom_adjust, proc_take_slack, proc_take_core_filter;

/* A process's memory by kinds, in pages. */
struct proc_memory {
	uint64_t pages, resident; /* pages in all areas; pages that are in memory */
	uint64_t locked;          /* pages of areas that are locked (mlock) */
	/* code: the program's own; library: other executable; data: writable and private */
	uint64_t code, data, stack, library;
	vaddr_t code_start, code_end, data_start, data_end;
};

/* Return how much memory a process has, by kinds; all zeros when the process has ended. */
struct proc_memory proc_measure(const struct process *process);

/*
 * Return the name of an area for /proc/PID/maps: the path of its file from the current process's root, "[heap]",
 * "[stack]", "" for other anonymous memory, or "?" for a path longer than `path`. The name is valid as long as `path`
 * and the area exist.
 */
const char *proc_area_name(const struct process *process, const struct area *area, char *path, size_t path_size);

/* Add an area's line of /proc/PID/maps, without the part of the area below `start`, an address in the area. */
void proc_add_area(const struct area *area, vaddr_t start, const char *name, struct text *ret);

/* Return a reference to the credentials of the subject's task, or of its process. */
struct credentials;
const struct credentials *proc_credentials_of(const struct proc_subject *subject);

/*
 * Add lines to /proc/PID/status. proc_add_mask(): `words` and the bits as a number in base 16. proc_add_ids() and
 * proc_add_capabilities(): the IDs and capabilities of credentials. proc_add_seccomp(): the state of seccomp.
 */
void proc_add_mask(struct text *text, const char *words, uint64_t bits);
void proc_add_ids(const struct credentials *who, struct text *ret);
void proc_add_capabilities(const struct credentials *who, struct text *ret);
/* task: NULL if all tasks of the process have ended */
void proc_add_seccomp(const struct task *task, struct text *ret);

/*
 * Add supplementary groups from *next on, which advances, until `ret` has `enough` bytes, and a line end after the last
 * group. Returns whether all groups have been added.
 */
bool proc_add_groups(const struct credentials *who, uint64_t *next, size_t enough, struct text *ret);

/* Add the files about the machine. `cmdline`, the kernel's command line, must stay valid for ever. */
void proc_machine_init(struct text_fs_type *type, const char *cmdline);

/* Add /proc/sysvipc, and the limits of System V's objects. */
void proc_ipc_init(struct text_fs_type *type);

/* Add the files about the limits of inotify(7). */
void proc_inotify_init(struct text_fs_type *type);

/* Add the files of /proc/sys whose content is fixed, and those about random numbers and the console's level. */
void proc_settings_init(struct text_fs_type *type);

/* Add the files of /proc/sys/kernel/keys. */
void key_limits_init(struct text_fs_type *type);

/* Add the files about the scheduler's settings. */
void proc_sched_init(struct text_fs_type *type);
