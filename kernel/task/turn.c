/*
 * Turns; see turn.h. The holder has the list of the tasks that wait, so that struct turn is only one pointer.
 */
#include "kernel/task/turn.h"

#include "kernel/lib/panic.h"
#include "kernel/task/wait_until.h"

static void join(struct turn_holder *holder, struct turn_holder *me)
{
	if (holder->last)
		holder->last->next = me;
	else
		holder->first = me;
	holder->last = me;
}

static void leave(struct turn_holder *holder, const struct turn_holder *me)
{
	struct turn_holder *before = NULL;

	for (struct turn_holder *at = holder->first; at != me; at = at->next)
		before = at;
	if (before)
		before->next = me->next;
	else
		holder->first = me->next;
	if (holder->last == me)
		holder->last = before;
}

int turn_take(struct turn *turn, struct turn_holder *me)
{
	int error;

	*me = (struct turn_holder){ .task = task_current() };
	if (turn_is_free(turn)) {
		turn->holder = me;
		return 0;
	}
	join(turn->holder, me);
	error = WAIT_UNTIL_KILLABLE(turn->holder == me);
	if (error)
		leave(turn->holder, me);
	return error;
}

void turn_end(struct turn *turn, struct turn_holder *me)
{
	struct turn_holder *next = me->first;

	ASSERT(turn->holder == me);
	turn->holder = next;
	if (!next)
		return;
	next->first = next->next;
	next->last = next->first ? me->last : NULL;
	next->next = NULL;
	task_wake(next->task);
}
