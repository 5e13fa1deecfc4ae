/*
 * Turns, which are fair mutexes; see kernel/sync/turn.h. The structures turn_holder of a turn form a ring by their
 * member `link`: that of the task that has the turn is the ring's head, and those of the tasks that wait follow. So
 * struct turn needs only one pointer, to the head. turn_end() takes the head out of the ring, and makes the one behind
 * it the head.
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

void turn_hand_on(struct turn *turn, struct turn_holder *from, struct turn_holder *to)
{
	ASSERT(turn->holder == from);
	to->task = from->task;
	list_init(&to->link);
	if (!list_is_empty(&from->link)) {
		list_add_last(&from->link, &to->link);
		list_remove(&from->link);
	}
	turn->holder = to;
}
