/*
 * Makes the directories of processes and tasks: /proc/PID, /proc/PID/task and /proc/PID/task/TID. proc_task.c and
 * proc_memory.c generate the files' contents.
 */
#include "kernel/lib/string.h"
#include "kernel/sys/proc_node.h"
#include "kernel/task/number.h"
#include "kernel/task/rights.h"

#define DIR_MODE (S_IFDIR | 0555)

static const struct node_ops directory_ops, tasks_ops;

static struct place program_of(const struct proc_subject *subject);
static struct place cwd_of(const struct proc_subject *subject);
static struct place root_of(const struct proc_subject *subject);

/* The files of /proc/PID, in the order of a listing. The values are part of the nodes' inode numbers. */
enum file_number {
	FILE_TASK,
	FILE_FD,
	FILE_CWD,
	FILE_ROOT,
	FILE_EXE,
	FILE_STAT,
	FILE_STATM,
	FILE_STATUS,
	FILE_COMM,
	FILE_CMDLINE,
	FILE_ENVIRON,
	FILE_MAPS,
	FILE_LIMITS,
	FILE_OOM_SCORE,
	FILE_OOM_SCORE_ADJ,
	FILE_MOUNTS,
	FILE_MEM,
	FILE_AUXV,
	FILE_WCHAN,
	FILE_SYSCALL,
	FILE_FDINFO,
	FILE_PERSONALITY,
	FILE_SMAPS,
	FILE_SMAPS_ROLLUP,
	FILE_TIMERSLACK,
	FILE_MOUNTINFO,
	FILE_NET,
	FILE_PAGEMAP,
	FILE_CORE_FILTER,
};

#define NAME(text)                     \
	{                              \
		text, sizeof(text) - 1 \
	}
#define LINK(which, text, target_of)        \
	[which] = { .number = which,        \
		    .name = NAME(text),     \
		    .mode = S_IFLNK | 0777, \
		    .ops = &proc_link_ops,  \
		    .target = target_of }
#define TEXT(which, text, permissions, make_it, take_it) \
	[which] = { .number = which,                     \
		    .name = NAME(text),                  \
		    .mode = S_IFREG | permissions,       \
		    .ops = &proc_text_ops,               \
		    .make = make_it,                     \
		    .take = take_it }
#define RECORDS(which, text, guards, more_of_it) \
	[which] = { .number = which,             \
		    .name = NAME(text),          \
		    .mode = S_IFREG | 0444,      \
		    .ops = &proc_text_ops,       \
		    .more = more_of_it,          \
		    .guarded = guards }

#define SECRET(which, text, make_it)        \
	[which] = { .number = which,        \
		    .name = NAME(text),     \
		    .mode = S_IFREG | 0400, \
		    .ops = &proc_text_ops,  \
		    .make = make_it,        \
		    .guarded = true }

static const struct proc_file proc_files[] = {
	[FILE_TASK] = { .number = FILE_TASK,
			.name = NAME("task"),
			.mode = S_IFDIR | 0555,
			.ops = &tasks_ops,
			.process_only = true },
	[FILE_FD] = { FILE_FD, NAME("fd"), S_IFDIR | 0500, .ops = &proc_fds_ops },
	LINK(FILE_CWD, "cwd", cwd_of),
	LINK(FILE_ROOT, "root", root_of),
	LINK(FILE_EXE, "exe", program_of),
	TEXT(FILE_STAT, "stat", 0444, proc_make_stat, NULL),
	TEXT(FILE_STATM, "statm", 0444, proc_make_statm, NULL),
	RECORDS(FILE_STATUS, "status", false, proc_more_status),
	TEXT(FILE_COMM, "comm", 0644, proc_make_comm, proc_take_comm),
	TEXT(FILE_CMDLINE, "cmdline", 0444, proc_make_cmdline, NULL),
	SECRET(FILE_ENVIRON, "environ", proc_make_environ),
	RECORDS(FILE_MAPS, "maps", true, proc_more_maps),
	TEXT(FILE_LIMITS, "limits", 0444, proc_make_limits, NULL),
	TEXT(FILE_OOM_SCORE, "oom_score", 0444, proc_make_oom_score, NULL),
	TEXT(FILE_OOM_SCORE_ADJ, "oom_score_adj", 0644, proc_make_oom_adjust, proc_take_oom_adjust),
	RECORDS(FILE_MOUNTS, "mounts", false, proc_more_mounts),
	[FILE_MEM] = { FILE_MEM, NAME("mem"), S_IFREG | 0600, .ops = &proc_mem_ops },
	SECRET(FILE_AUXV, "auxv", proc_make_auxv),
	TEXT(FILE_WCHAN, "wchan", 0444, proc_make_wchan, NULL),
	SECRET(FILE_SYSCALL, "syscall", proc_make_syscall),
	/* `make` is not for fdinfo, a directory, but for the files in it. */
	[FILE_FDINFO] = { FILE_FDINFO, NAME("fdinfo"), S_IFDIR | 0555, .ops = &proc_fdinfos_ops,
			  .make = proc_make_fdinfo },
	SECRET(FILE_PERSONALITY, "personality", proc_make_personality),
	RECORDS(FILE_SMAPS, "smaps", true, proc_more_smaps),
	RECORDS(FILE_SMAPS_ROLLUP, "smaps_rollup", true, proc_more_smaps_rollup),
	[FILE_TIMERSLACK] = { FILE_TIMERSLACK, NAME("timerslack_ns"), S_IFREG | 0666, .ops = &proc_text_ops,
			      .make = proc_make_slack, .take = proc_take_slack, .process_only = true },
	RECORDS(FILE_MOUNTINFO, "mountinfo", false, proc_more_mountinfo),
	[FILE_NET] = { FILE_NET, NAME("net"), S_IFDIR | 0555, .ops = &proc_net_ops },
	[FILE_PAGEMAP] = { FILE_PAGEMAP, NAME("pagemap"), S_IFREG | 0400, .ops = &proc_pagemap_ops },
	TEXT(FILE_CORE_FILTER, "coredump_filter", 0644, proc_make_core_filter, proc_take_core_filter),
};

#define FILES (sizeof(proc_files) / sizeof(proc_files[0]))

static struct place program_of(const struct proc_subject *subject)
{
	return (struct place){ subject->process->program_mount, subject->process->program };
}

static struct place cwd_of(const struct proc_subject *subject)
{
	return subject->process->paths.cwd;
}

static struct place root_of(const struct proc_subject *subject)
{
	return subject->process->paths.root;
}

/* ---- processes in the root directory ---- */

int proc_lookup_pid(struct node *root, struct name name, struct node **ret)
{
	int pid = proc_number_in(name);
	const struct process *process = pid > 0 ? process_peek(pid) : NULL;
	const struct task *task = pid > 0 && !process ? task_peek(pid) : NULL;
	struct proc_node wanted = { .fd = -1 };

	/* As on Linux a thread's number, which is not listed, leads to the thread's process. */
	if (task)
		process = task->process;
	if (!process)
		return -ENOENT;
	wanted.pid = process->pid;
	wanted.process_start = process->start_ns;
	return proc_node_get(root, &wanted, &directory_ops, DIR_MODE, ret);
}

int proc_next_pid(struct node *root, uint64_t *position, struct dir_entry *ret)
{
	uint64_t least = *position - TEXT_FS_MORE;
	const struct number *number = least < NUMBERS_MOST ? number_next((int)least) : NULL;

	(void)root;
	while (number && !number->process)
		number = number_next(number->value + 1);
	if (!number)
		return 0;
	*ret = (struct dir_entry){ proc_number_name(number->value), proc_number(number->value, 0, NULL, -1), DIR_MODE };
	*position = TEXT_FS_MORE + (unsigned)number->value + 1;
	return 1;
}

/* ---- the directory of a process or a task ---- */

static int lookup_file(struct node *dir, struct name name, struct node **ret)
{
	struct proc_node wanted = *proc_node(dir);
	HELD_SUBJECT struct proc_subject subject = { 0 };

	if (proc_find_subject(dir, &subject) != 0)
		return -ENOENT;
	for (size_t i = 0; i < FILES; i++) {
		if (proc_files[i].name.size != name.size || memcmp(proc_files[i].name.text, name.text, name.size) != 0)
			continue;
		if (proc_files[i].process_only && subject.single)
			break;
		wanted.file = &proc_files[i];
		return proc_node_get(dir, &wanted, proc_files[i].ops, proc_files[i].mode, ret);
	}
	return -ENOENT;
}

static int next_file(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	const struct proc_node *about = proc_node(dir);
	uint64_t index = *position > 2 ? *position - 2 : 0;
	HELD_PROCESS struct process *process = proc_find_process(dir);

	if (!process)
		return -ENOENT;
	while (index < FILES && proc_files[index].process_only && about->tid)
		index++;
	if (index >= FILES)
		return 0;
	*ret = (struct dir_entry){ proc_files[index].name, proc_number(about->pid, about->tid, &proc_files[index], -1),
				   proc_files[index].mode };
	*position = index + 3;
	return 1;
}

static const struct node_ops directory_ops = { .lookup = lookup_file,
					       .next = next_file,
					       .create = proc_refuse_create,
					       .place = proc_place,
					       .fixed = proc_fixed,
					       .free = proc_node_free };

struct process *proc_directory_process(const struct file *file)
{
	if (file->node->ops != &directory_ops || proc_node(file->node)->tid)
		return NULL;
	return proc_find_process(file->node);
}

/* ---- task ---- */

static int lookup_task(struct node *dir, struct name name, struct node **ret)
{
	struct proc_node wanted = { .pid = proc_node(dir)->pid,
				    .tid = proc_number_in(name),
				    .fd = -1,
				    .process_start = proc_node(dir)->process_start };
	HELD_TASK struct task *task = wanted.tid > 0 ? task_find(wanted.tid) : NULL;
	HELD_SUBJECT struct proc_subject subject = { 0 };

	if (proc_find_subject(dir, &subject) != 0 || !task || task->process != subject.process)
		return -ENOENT;
	wanted.task_start = task->start_ns;
	return proc_node_get(dir, &wanted, &directory_ops, DIR_MODE, ret);
}

/*
 * Return the task with which a listing of the process's tasks continues: the task `tid`, or, if it has ended meanwhile,
 * the first one in the list with a higher tid; the first of all if `tid` is 0. NULL when there is none.
 */
static const struct task *task_from(const struct process *process, int tid)
{
	const struct task *task = tid ? task_peek(tid) : process_any_task(process);

	if (task && task->process == process)
		return task;
	PROCESS_EACH_TASK(process, later)
		if (later->tid > tid)
			return later;
	return NULL;
}

static int next_task(struct node *dir, uint64_t *position, struct dir_entry *ret)
{
	HELD_PROCESS struct process *process = proc_find_process(dir);
	const struct task *next;

	if (!process)
		return -ENOENT;
	next = task_from(process, *position > 2 ? (int)(*position - 2) : 0);
	if (!next)
		return 0;
	*ret = (struct dir_entry){ proc_number_name(next->tid), proc_number(process->pid, next->tid, NULL, -1),
				   DIR_MODE };
	/* The position is the next task's tid plus 2; after the last task it is above all tids, so the listing ends. */
	*position = next->in_process.next == &process->tasks
			    ? NUMBERS_MOST + 2
			    : (uint64_t)list_item(next->in_process.next, struct task, in_process)->tid + 2;
	return 1;
}

static const struct node_ops tasks_ops = { .lookup = lookup_task,
					   .next = next_task,
					   .create = proc_refuse_create,
					   .place = proc_place,
					   .fixed = proc_fixed,
					   .free = proc_node_free };

/* ---- files ---- */

static int open(struct node *node, struct file *file)
{
	const struct proc_file *opened = proc_node(node)->file;
	HELD_PROCESS struct process *process = opened->guarded ? proc_find_process(node) : NULL;

	if (process && !rights_may_look(process))
		return -EACCES;
	return opened->more ? text_file_open_records(file, opened->more)
			    : text_file_open(file, opened->make, opened->take);
}

/* Accept truncate(2) and O_TRUNC, as Linux does: a generated text has nothing to cut off. */
static int truncate(struct node *node, uint64_t size)
{
	(void)node;
	(void)size;
	return 0;
}

const struct node_ops proc_text_ops = {
	.open = open, .truncate = truncate, .place = proc_place, .fixed = proc_fixed, .free = proc_node_free
};
