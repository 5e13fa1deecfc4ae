/*
 * Turns, which are fair mutexes; see kernel/sync/turn.h. The link of the task that has the turn is the head of a ring
 * of the tasks that wait, so that struct turn is only one pointer. When that task leaves the ring, the first task that
 * waits gets the turn, and its link becomes the head.
 */
#include "kernel/task/turn.h"

#include "kernel/lib/panic.h"
#include "kernel/task/wait_until.h"

int turn_take(struct turn *turn, struct turn_holder *me)
{
	int error;

	me->task = task_current();
	list_init(&me->link);
	if (turn_is_free(turn)) {
		turn->holder = me;
		return 0;
	}
	list_add_last(&turn->holder->link, &me->link);
	error = WAIT_UNTIL_KILLABLE(turn->holder == me);
	if (error)
		list_remove(&me->link);
	return error;
}

void turn_end(struct turn *turn, struct turn_holder *me)
{
	ASSERT(turn->holder == me);
	turn->holder = NULL;
	if (list_is_empty(&me->link))
		return;
	turn->holder = list_item(me->link.next, struct turn_holder, link);
	list_remove(&me->link);
	task_wake(turn->holder->task);
}
