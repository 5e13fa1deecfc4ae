/*
 * The table of processes, the list of a process's tasks, and the killing of all of them. process_make.c makes
 * processes, exec.c gives them programs, exit.c ends them, wait.c waits for them.
 */
#include "kernel/task/process.h"

#include "kernel/irq/timer.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/signal_internal.h"

#define PID_LISTS 256

/* Guard: the kernel, one CPU, not preempted; interrupt handlers read the lists, which change by one store. */
static struct process *pids[PID_LISTS]; /* hash table, by pid */
static size_t process_count;            /* processes in the table, zombies included */
struct cache process_cache;
static size_t more_tasks; /* how many tasks there are besides the first of each process */

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
	cache_free(&process_cache, process);
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

size_t process_tasks(void)
{
	return process_count + more_tasks;
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

void process_enlist(struct process *process, struct process *parent)
{
	struct process **list = &pids[process->pid % PID_LISTS];

	if (parent)
		link_child(process, parent);
	process->next_pid = *list;
	*list = process;
	process_count++;
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

	/* The process of a fork that failed did not go through end_process(), which cancels this timer. */
	timer_cancel(&process->cpu_watch);
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
	node_run_end(process->program);
	process->paths.root = process->paths.cwd = process->program = NULL;
}

void process_add_task(struct process *process, struct task *task)
{
	task->process = process_get(process);
	task->next_task = process->tasks;
	process->tasks = task;
	if (process->task_count++)
		more_tasks++;
}

void process_remove_task(struct task *task)
{
	struct process *process = task->process;
	struct task **link = &process->tasks;

	while (*link != task)
		link = &(*link)->next_task;
	*link = task->next_task;
	if (--process->task_count)
		more_tasks--;
	memcpy(process->name, task->name, sizeof(process->name));
	process->dead_run_ns += task_run_ns(task);
	process->faults += task->faults;
}

void task_end_soon(struct task *task)
{
	task->signals.wanted = true;
	task_wake_stopped(task);
}

void process_kill_held(struct process *process, int status)
{
	lock_assert_held(&signal_lock);
	if (!process->exiting) {
		process->exiting = true;
		process->status = status;
	}
	for (struct task *task = process->tasks; task; task = task->next_task)
		task_end_soon(task);
}

void process_kill(struct process *process, int status)
{
	uint64_t flags = lock_take(&signal_lock);

	process_kill_held(process, status);
	lock_release(&signal_lock, flags);
}
