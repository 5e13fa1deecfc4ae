/*
 * The table of processes, and their making. How they get programs, end, and are waited for: exec.c, exit.c, wait.c.
 */
#include "kernel/task/process.h"

#include "kernel/fs/errno.h"
#include "kernel/irq/clock.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/process_internal.h"
#include "kernel/task/process_limits.h"

#define PID_LISTS 256

/* Guard: the kernel, one CPU, not preempted; a handler reads the lists, which change by one store. */
static struct process *pids[PID_LISTS];
static size_t process_count;

struct process *process_peek(int pid)
{
	struct process *process = pids[(unsigned)pid % PID_LISTS];

	while (process && process->pid != pid)
		process = process->next_pid;
	return process;
}

struct process *process_find(int pid)
{
	struct process *process = process_peek(pid);

	return process ? process_get(process) : NULL;
}

void process_free(struct process *process)
{
	ASSERT(!process->refs);
	kfree(process);
}

struct user_space *process_get_space(const struct process *process)
{
	if (process->space)
		user_space_get(process->space);
	return process->space;
}

struct fd_table *process_get_fds(const struct process *process)
{
	return process->fds ? fd_table_get(process->fds) : NULL;
}

void process_visit(bool (*see)(void *ctx, struct process *process), void *ctx)
{
	for (unsigned i = 0; i < PID_LISTS; i++)
		for (struct process *process = pids[i], *next; process; process = next) {
			next = process->next_pid;
			if (!see(ctx, process))
				return;
		}
}

struct number_search {
	int number;
	bool found;
};

static bool has_number(void *ctx, struct process *process)
{
	struct number_search *search = ctx;

	search->found = process->group == search->number || process->session == search->number;
	return !search->found;
}

bool process_number_is_used(int number)
{
	struct number_search search = { number, false };

	if (process_peek(number))
		return true;
	process_visit(has_number, &search);
	return search.found;
}

size_t process_living(void)
{
	return process_count;
}

/* What a child has of the process that made it, but for its own memory and files. */
static void inherit(struct process *process, const struct process *maker)
{
	process->group = maker->group;
	process->session = maker->session;
	process->tty = maker->tty;
	process->paths.root = node_get(maker->paths.root);
	process->paths.cwd = node_get(maker->paths.cwd);
	process->paths.umask = maker->paths.umask;
	process->program = node_get(maker->program);
	process_limits_copy(process, maker);
	process->args_start = maker->args_start;
	process->args_end = maker->args_end;
	process->env_start = maker->env_start;
	process->env_end = maker->env_end;
	signal_copy(process, maker);
}

char *copy_string(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = kmalloc(size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

static void link_child(struct process *process, struct process *parent)
{
	process->parent = parent;
	process->next_sibling = parent->children;
	parent->children = process;
}

int process_create(int pid, struct process *parent, const struct process *maker, struct process **ret)
{
	struct process *process = kzalloc(sizeof(*process));

	if (!process)
		return -ENOMEM;
	/* Linux's first process is in group and session 0, so that it can begin one of its own. */
	process->pid = pid;
	process->refs = 1;
	process->start_ns = clock_monotonic_ns();
	process->alarm.fire = process_alarm_rings;
	if (maker)
		inherit(process, maker);
	else
		process_limits_first(process);
	if (parent)
		link_child(process, parent);
	process->next_pid = pids[pid % PID_LISTS];
	pids[pid % PID_LISTS] = process;
	process_count++;
	*ret = process;
	return 0;
}

static void unlink_child(struct process *process)
{
	struct process **link = &process->parent->children;

	while (*link != process)
		link = &(*link)->next_sibling;
	*link = process->next_sibling;
}

void process_forget(struct process *process)
{
	struct process **link = &pids[process->pid % PID_LISTS];

	if (process->parent)
		unlink_child(process);
	while (*link != process)
		link = &(*link)->next_pid;
	*link = process->next_pid;
	process_count--;
	process_put_paths(process);
	process_put(process);
}

void process_put_paths(struct process *process)
{
	if (process->paths.root)
		node_put(process->paths.root);
	if (process->paths.cwd)
		node_put(process->paths.cwd);
	node_put(process->program);
	process->paths.root = process->paths.cwd = process->program = NULL;
}

void process_add_task(struct process *process, struct task *task)
{
	task->process = process_get(process);
	task->next_task = process->tasks;
	process->tasks = task;
	process->task_count++;
}

void process_remove_task(struct task *task)
{
	struct process *process = task->process;
	struct task **link = &process->tasks;

	while (*link != task)
		link = &(*link)->next_task;
	*link = task->next_task;
	process->task_count--;
	memcpy(process->name, task->name, sizeof(process->name));
	process->dead_run_ns += task_run_ns(task);
	process->faults += task->faults;
}
