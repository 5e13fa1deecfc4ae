/*
 * Does long work on address spaces in pieces, with other tasks in between (space_work.h): unmaps a whole space, forks
 * it, or calls a function for each piece.
 */
#include "kernel/task/space_work.h"

#include "kernel/fs/errno.h"
#include "kernel/lib/likely.h"
#include "kernel/mm/user/memory_object.h"
#include "kernel/task/give_way.h"
#include "kernel/task/wait_until.h"

static void let_run(void)
{
	(void)task_give_way();
}

void space_work_init(void)
{
	user_set_pause(let_run);
}

int space_wait_slowly(struct user_space *space)
{
	struct task_waiter waiter;
	int error;

	task_waiter_init(&waiter);
	wait_queue_add(&space->changes, &waiter.waiter);
	error = WAIT_UNTIL_KILLABLE(!space->in_pieces);
	wait_queue_remove(&waiter.waiter);
	return error;
}

int space_work_begin(struct user_space *space)
{
	int error = space_wait(space);

	if (!error)
		space->in_pieces = true;
	return error;
}

void space_work_end(struct user_space *space)
{
	space->in_pieces = false;
	wait_queue_wake(&space->changes);
}

enum status space_work(struct user_space *space, vaddr_t start, vaddr_t end, space_step_fn *step, void *ctx)
{
	enum status status = OK;

	for (vaddr_t next; start < end && status == OK; start = next) {
		next = user_piece(space, start, end);
		status = step(space, start, next - start, ctx);
		if (status == OK && task_give_way() && next < end)
			status = ERR_NOT_FOUND;
	}
	return status;
}

/*
 * Return whether the space, even if it is not large itself, has the last reference to an object that takes long to
 * free.
 */
static bool maps_long(const struct user_space *space)
{
	for (const struct area *a = area_find_from(&space->areas, 0); a; a = area_next(a))
		if (a->object && a->object->ops->is_long && a->object->ops->is_long(a->object))
			return true;
	return false;
}

void space_shed(struct user_space *space)
{
	vaddr_t next;

	if (space->users > 1 || space->in_pieces || (!user_is_long(space) && !maps_long(space)))
		return;
	space->in_pieces = true;
	/* The result of task_give_way() is ignored: even a task that must end unmaps all of the space first. */
	for (vaddr_t start = 0; start < USER_END && space->areas.count; start = next) {
		next = user_piece(space, start, USER_END);
		if (user_unmap(space, start, next - start) != OK)
			break;
		(void)task_give_way();
	}
	space->in_pieces = false;
}

/* Do space_fork() without letting other tasks run, and enter the kernel context only once for all of it. */
static int fork_at_once(struct user_space *space, vaddr_t stack, struct user_space **ret)
{
	const context_token_t token = kernel_context_enter();
	const enum status status = user_space_fork(space, ret);

	if (status == OK)
		user_fork_part(space, *ret, stack);
	kernel_context_leave(token);
	return errno_of(status);
}

int space_fork(struct user_space *space, vaddr_t stack, struct user_space **ret)
{
	enum status status;
	vaddr_t next;
	int error;

	if (!user_is_long(space)) {
		error = space_wait(space);
		return error ? error : fork_at_once(space, stack, ret);
	}
	error = space_work_begin(space);
	if (error)
		return error;
	status = user_fork_begin(space, ret);
	for (vaddr_t start = 0; status == OK && start < USER_END; start = next) {
		next = user_fork_next(space, start);
		status = user_fork_piece(space, *ret, start, next);
		if (task_give_way())
			error = -EINTR;
		if (status == OK && !error)
			continue;
		space_shed(*ret);
		user_space_put(*ret);
		/* The reference is dropped already, and the caller drops what is in *ret, even after an error. */
		*ret = NULL;
		break;
	}
	space_work_end(space);
	return status == OK ? error : -ENOMEM;
}
