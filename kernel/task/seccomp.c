/*
 * Allocates and frees seccomp programs, links them into the chains of tasks, lets new tasks inherit the chains, and
 * runs a chain on a system call. What happens to the call then is not decided here.
 */
#include "kernel/task/seccomp.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/task/process.h"

#define PUTS 256 /* programs that seccomp_put_some() frees */

struct seccomp_filter *seccomp_create(uint32_t count)
{
	struct seccomp_filter *filter = kmalloc(sizeof(*filter) + count * sizeof(filter->program[0]));

	if (filter)
		*filter =
			(struct seccomp_filter){ .refs = 1, .depth = 1, .total = count + SECCOMP_EACH, .count = count };
	return filter;
}

bool seccomp_put_some(struct seccomp_filter **chain)
{
	for (unsigned left = PUTS; left && *chain; left--) {
		struct seccomp_filter *filter = *chain, *older = filter->next;

		ASSERT(filter->refs);
		*chain = NULL;
		if (__atomic_sub_fetch(&filter->refs, 1, __ATOMIC_ACQ_REL))
			break;
		kfree(filter);
		*chain = older;
	}
	return *chain;
}

void seccomp_put(struct seccomp_filter *filter)
{
	while (seccomp_put_some(&filter))
		;
}

/* Set the current task's mode, and let its calls go through the slow path of the entry code from now on. */
static void set_mode(enum seccomp_mode mode)
{
	task_current()->rights.seccomp_mode = mode;
	task_current()->rights.calls_by_c = true;
	this_cpu->calls_by_c = true;
}

/* Mark the programs of the current task's chain, or take the marks away. */
static void mark_chain(bool marked)
{
	for (struct seccomp_filter *filter = task_current()->rights.filter; filter; filter = filter->next)
		filter->marked = marked;
}

/* Return a task of the process that cannot get the current task's chain, since it has another one; or NULL. */
static const struct task *find_other(void)
{
	const struct task *found = NULL;

	mark_chain(true);
	PROCESS_EACH_TASK(process_current(), task) {
		const struct task_rights *rights = &task->rights;

		/* A task that is ending has given its chain away already. */
		if (task != task_current() &&
		    (rights->seccomp_mode == SECCOMP_STRICT || (rights->filter && !rights->filter->marked))) {
			found = task;
			break;
		}
	}
	mark_chain(false);
	return found;
}

int seccomp_add_for_all(struct seccomp_filter *filter)
{
	const struct task *other = find_other();
	int error;

	if (other)
		return other->tid;
	error = seccomp_add(filter);
	if (error)
		return error;
	PROCESS_EACH_TASK(process_current(), task) {
		if (task == task_current())
			continue;
		/* The old chain is a part of the new one, so that no program is freed here. */
		seccomp_put(task->rights.filter);
		seccomp_inherit(task);
	}
	return 0;
}

int seccomp_add(struct seccomp_filter *filter)
{
	struct task_rights *rights = &task_current()->rights;

	filter->next = rights->filter;
	if (filter->next) {
		filter->depth += filter->next->depth;
		filter->total += filter->next->total;
	}
	if (filter->total > SECCOMP_MOST + SECCOMP_EACH) {
		filter->next = NULL;
		return -ENOMEM;
	}
	rights->filter = filter;
	set_mode(SECCOMP_FILTER);
	return 0;
}

void seccomp_be_strict(void)
{
	set_mode(SECCOMP_STRICT);
}

void seccomp_inherit(struct task *task)
{
	const struct task *maker = task_current();

	task->rights.seccomp_mode = maker->rights.seccomp_mode;
	task->rights.no_new_rights |= maker->rights.no_new_rights;
	if (maker->rights.seccomp_mode != SECCOMP_OFF)
		__atomic_store_n(&task->rights.calls_by_c, true, __ATOMIC_RELAXED);
	task->rights.filter = maker->rights.filter;
	if (task->rights.filter)
		__atomic_add_fetch(&task->rights.filter->refs, 1, __ATOMIC_RELAXED);
}

uint32_t seccomp_ask(const struct seccomp_data *data)
{
	uint32_t answer = SECCOMP_ALLOW;

	for (const struct seccomp_filter *filter = task_current()->rights.filter; filter; filter = filter->next) {
		uint32_t one = bpf_run(filter->program, (const uint32_t *)data, sizeof(*data));

		/* As signed numbers the actions are in the order of their strictness: the strictest is the least. */
		if ((int32_t)SECCOMP_ACTION(one) < (int32_t)SECCOMP_ACTION(answer))
			answer = one;
	}
	return answer;
}
