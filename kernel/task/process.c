/*
 * The table of processes, and the list of a process's tasks. process_make.c makes processes, exec.c gives them
 * programs, process_kill.c kills them, exit.c ends them, wait.c waits for them.
 */
#include "kernel/task/process.h"

#include "kernel/fs/place.h"
#include "kernel/irq/timer.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sync/open_section.h"
#include "kernel/task/number.h"
#include "kernel/task/process_limits.h"
#include "kernel/task/rights.h"
#include "kernel/task/signal_internal.h"
#include "kernel/task/user_tasks.h"

#define VISITS 128 /* processes that process_visit_some() and process_visit_numbers() visit in one call */

/* Guard: tasks only, which the kernel does not preempt. */
static uint64_t joins;       /* how often a process has joined a group */
static size_t process_count; /* processes in the table, zombies included */
struct cache process_cache;
static size_t more_tasks; /* how many tasks there are besides the first of each process */

struct process *process_peek(int pid)
{
	const struct number *number = number_peek(pid);

	return number ? number->process : NULL;
}

struct process *process_find(int pid)
{
	struct process *process = process_peek(pid);

	return process ? process_get(process) : NULL;
}

void process_free(struct process *process)
{
	ASSERT(!process->refs);
	credentials_put(process->rights.ended_as);
	signal_end(process);
	process_limits_end(process);
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
	struct fd_table *fds = process->fds;

	/*
	 * The process's task may be in an open section on another CPU, which relies on having the table for itself:
	 * wait until that section has ended. Later sections see the new reference.
	 */
	if (fds)
		open_section_wait(fd_table_get(fds));
	return fds;
}

void process_visit(bool (*see)(void *ctx, struct process *process), void *ctx)
{
	int value;

	for (struct number *number = number_next(0); number; number = number_next(value + 1)) {
		value = number->value;
		if (number->process && !see(ctx, number->process))
			return;
	}
}

void process_visit_group(int group, bool (*see)(void *ctx, struct process *process), void *ctx)
{
	struct number *number = number_peek(group);

	if (!number)
		return;
	LIST_EACH(&number->group, struct process, in_group, process)
		if (!see(ctx, process))
			return;
}

/*
 * Return the link of the first process of a group that the visit has not seen. The list is in the order of joining, so
 * it follows the process that was visited last; if that has left the group, search from the list's start.
 */
static struct link *first_unseen(struct link *group, const struct process_visit *visit)
{
	if (visit->at && visit->at->joined == visit->seen && !list_is_empty(&visit->at->in_group))
		return visit->at->in_group.next;
	LIST_EACH(group, struct process, in_group, process)
		if (process->joined > visit->seen)
			return &process->in_group;
	return group;
}

void process_visit_end(struct process_visit *visit)
{
	if (visit->at)
		process_put(visit->at);
	visit->at = NULL;
}

bool process_visit_some(int group, struct process_visit *visit, bool (*see)(void *ctx, struct process *process),
			void *ctx)
{
	struct number *number = number_peek(group);
	struct process *last = NULL;
	struct link *link;

	if (!number)
		return false;
	link = first_unseen(&number->group, visit);
	for (unsigned left = VISITS; left && link != &number->group; left--, link = link->next) {
		last = list_item(link, struct process, in_group);
		(void)see(ctx, last);
	}
	if (last) {
		process_visit_end(visit);
		*visit = (struct process_visit){ last->joined, process_get(last) };
	}
	return link != &number->group;
}

bool process_visit_numbers(int *next, uint64_t since, bool (*see)(void *ctx, struct process *process), void *ctx)
{
	for (unsigned left = VISITS; left; left--) {
		struct number *number = number_next(*next);

		if (!number)
			return false;
		*next = number->value + 1;
		if (number->process && number->process->joined > since)
			(void)see(ctx, number->process);
	}
	return true;
}

uint64_t process_joins(void)
{
	return joins;
}

void process_visit_session(int session, bool (*see)(void *ctx, struct process *process), void *ctx)
{
	struct number *number = number_peek(session);

	if (!number)
		return;
	LIST_EACH(&number->session, struct process, in_session, process)
		if (!see(ctx, process))
			return;
}

bool process_group_exists(int group, int session)
{
	const struct number *number = number_peek(group);

	/* All members of a group belong to the same session. */
	return number && !list_is_empty(&number->group) &&
	       (session < 0 || list_item(number->group.next, struct process, in_group)->session == session);
}

size_t process_living(void)
{
	return process_count;
}

size_t process_tasks(void)
{
	return process_count + more_tasks;
}

bool process_may_clone(bool thread)
{
	const struct credentials *who = rights_current();
	const struct process *process = process_current();

	if (process_tasks() >= process_tasks_most() || (!thread && process_count >= process_most()))
		return false;
	/* As on Linux no limit holds for root. */
	return !who->uid.real || user_tasks_of(who->uid.real) < process->limits[LIMIT_NPROC].soft ||
	       credentials_can(who, CAP_SYS_RESOURCE) || credentials_can(who, CAP_SYS_ADMIN);
}

char *copy_string(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = kmalloc(size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

/* Put the process into the lists of its group and its session. Both numbers must be in the table (number.h). */
static void join(struct process *process)
{
	process->joined = ++joins;
	list_add_last(&number_peek(process->group)->group, &process->in_group);
	list_add_last(&number_peek(process->session)->session, &process->in_session);
}

/* Remove the process from the lists of its group and session; free a number that nothing else uses any more. */
static void part(struct process *process)
{
	struct number *group = number_peek(process->group), *session = number_peek(process->session);

	list_remove(&process->in_group);
	list_remove(&process->in_session);
	number_settle(group);
	if (session != group)
		number_settle(session);
}

void process_set_group(struct process *process, int group, int session)
{
	/* Return before part(), which would free the numbers if no other process is in the group or session. */
	if (process->group == group && process->session == session)
		return;
	part(process);
	process->group = group;
	process->session = session;
	join(process);
}

void process_enlist(struct process *process, struct process *parent)
{
	process->parent = parent;
	if (parent)
		list_add_last(&parent->children, &process->sibling);
	join(process);
	number_peek(process->pid)->process = process;
	process_count++;
}

void process_has_news(struct process *process)
{
	list_remove(&process->in_news);
	if (process->parent)
		list_add_last(&process->parent->news, &process->in_news);
}

void process_change_parent(struct process *process, struct process *parent)
{
	bool had_news = !list_is_empty(&process->in_news);

	list_remove(&process->sibling);
	list_remove(&process->in_news);
	process->parent = parent;
	list_add_last(&parent->children, &process->sibling);
	if (had_news)
		process_has_news(process);
}

void process_forget(struct process *process)
{
	struct number *number = number_peek(process->pid);

	/* The process of a fork that failed did not go through end_process(), which cancels this timer. */
	timer_cancel(&process->cpu_watch);
	list_remove(&process->sibling);
	list_remove(&process->in_news);
	number->process = NULL;
	part(process);
	/* If the pid was also the number of the group or session, part() has called number_settle() for it. */
	if (process->group != process->pid && process->session != process->pid)
		number_settle(number);
	process_count--;
	process_put_paths(process);
	process_put(process);
}

void process_put_paths(struct process *process)
{
	place_put(process->paths.root);
	place_put(process->paths.cwd);
	node_run_end(process->program);
	mount_put(process->program_mount);
	process->paths.root = process->paths.cwd = (struct place){ NULL, NULL };
	process->program = NULL;
	process->program_mount = NULL;
}

void process_add_task(struct process *process, struct task *task)
{
	task->process = process_get(process);
	list_add_last(&process->tasks, &task->in_process);
	if (process->task_count++)
		more_tasks++;
}

void process_remove_task(struct task *task)
{
	struct process *process = task->process;
	struct usage used = task_usage(task);

	process_leave_tasks(task);
	/* The last task that is left may serve faults without the kernel lock from here on (user_fault_open.h). */
	if (__atomic_sub_fetch(&process->task_count, 1, __ATOMIC_RELEASE))
		more_tasks--;
	memcpy(process->name, task->name, sizeof(process->name));
	rights_end(task);
	usage_add(&process->ended, &used);
}
