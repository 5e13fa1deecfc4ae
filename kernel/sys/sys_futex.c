/*
 * futex(2): interprets the arguments of each operation, and calls futex.c or futex_pi.c.
 */
#include "kernel/sys/futex.h"
#include "kernel/sys/futex_pi.h"
#include "kernel/sys/restart.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/refused_feature.h"

enum futex_op {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_LOCK_PI = 6,
	FUTEX_UNLOCK_PI = 7,
	FUTEX_TRYLOCK_PI = 8,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_WAIT_REQUEUE_PI = 11,
	FUTEX_CMP_REQUEUE_PI = 12,
	FUTEX_LOCK_PI2 = 13,
};

#define FUTEX_PRIVATE        128U
#define FUTEX_CLOCK_REALTIME 256U

/* Get the deadline of a wait: FUTEX_WAIT's argument is a time span, FUTEX_WAIT_BITSET's a time of the clock. */
static int get_deadline(uint64_t from, uint32_t op, uint64_t *ret)
{
	uint64_t ns;
	int error;

	*ret = TASK_NO_DEADLINE;
	if (!from)
		return 0;
	error = args_time(from, &ns);
	if (!error)
		*ret = op == FUTEX_WAIT ? deadline_in(ns) : ns;
	return error;
}

/*
 * Do FUTEX_WAIT with a deadline. The program passes a time span: if it repeated the call with the same span after a
 * signal, it would wait too long. So, if no handler runs, restart_syscall(2) continues the wait, to the same deadline.
 */
static int64_t wait_on(uint64_t at, bool private, uint32_t value, uint64_t deadline)
{
	int error = futex_wait(at, private, value, FUTEX_ANY, TIMER_MONOTONIC, deadline);

	if (error != -EINTR)
		return error;
	task_current()->restart = (struct task_restart){
		.call = RESTART_FUTEX, .deadline_ns = deadline, .at = at, .value = value, .private = private
	};
	return -ERESTART_GO_ON;
}

int64_t restart_futex(const struct task_restart *restart)
{
	return wait_on(restart->at, restart->private, restart->value, restart->deadline_ns);
}

static int64_t wait(uint64_t at, uint64_t op, uint32_t value, uint64_t time, uint32_t bits)
{
	enum timer_clock clock = op & FUTEX_CLOCK_REALTIME ? TIMER_WALL : TIMER_MONOTONIC;
	uint64_t deadline;
	int64_t error;

	error = get_deadline(time, (uint32_t)op & 127, &deadline);
	if (error)
		return error;
	if (((uint32_t)op & 127) == FUTEX_WAIT && deadline != TASK_NO_DEADLINE)
		return wait_on(at, op & FUTEX_PRIVATE, value, deadline);
	error = futex_wait(at, op & FUTEX_PRIVATE, value, bits, clock, deadline);
	if (error != -EINTR)
		return error;
	/*
	 * The program can make the call again as it is, since the deadline of FUTEX_WAIT_BITSET is a point in time. As
	 * on Linux a wait with a deadline is restarted only if no handler runs, and a wait without one also after a
	 * handler with SA_RESTART.
	 */
	return deadline == TASK_NO_DEADLINE ? -ERESTARTSYS : -ERESTART_RESTARTBLOCK;
}

/*
 * Do FUTEX_LOCK_PI, whose deadline is by the wall clock, or FUTEX_LOCK_PI2, whose deadline is by the clock that the
 * program chooses.
 */
static int64_t lock_pi(uint64_t at, uint64_t op, uint64_t time)
{
	const bool wall = (op & 127) == FUTEX_LOCK_PI || op & FUTEX_CLOCK_REALTIME;
	uint64_t deadline;
	int error = get_deadline(time, (uint32_t)op & 127, &deadline);

	if (!error)
		error = futex_lock_pi(at, op & FUTEX_PRIVATE, wall ? TIMER_WALL : TIMER_MONOTONIC, deadline);
	/* As on Linux a signal does not end the wait: whatever its handler is, the call is made again. */
	return error == -EINTR ? -ERESTARTNOINTR : error;
}

SYSCALL_6(futex, at, op, value, fourth, other, last)
{
	bool private = op & FUTEX_PRIVATE;
	uint32_t expected = (uint32_t)last;

	if (op & FUTEX_CLOCK_REALTIME && (op & 127) != FUTEX_WAIT_BITSET && (op & 127) != FUTEX_LOCK_PI2)
		return -ENOSYS;
	switch (op & 127) {
	case FUTEX_WAIT:
		return wait(at, op, (uint32_t)value, fourth, FUTEX_ANY);
	case FUTEX_WAIT_BITSET:
		return wait(at, op, (uint32_t)value, fourth, (uint32_t)last);
	case FUTEX_WAKE:
		return futex_wake(at, private, (uint32_t)value, FUTEX_ANY);
	case FUTEX_WAKE_BITSET:
		return futex_wake(at, private, (uint32_t)value, (uint32_t)last);
	case FUTEX_REQUEUE:
		return futex_requeue(at, other, private, (uint32_t)value, (uint32_t)fourth, NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(at, other, private, (uint32_t)value, (uint32_t)fourth, &expected);
	case FUTEX_WAKE_OP:
		return futex_wake_op(at, other, private, (uint32_t)value, (uint32_t)fourth, expected);
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return lock_pi(at, op, fourth);
	case FUTEX_TRYLOCK_PI:
		return futex_trylock_pi(at, private);
	case FUTEX_UNLOCK_PI:
		return futex_unlock_pi(at, private);
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_CMP_REQUEUE_PI:
		return refuse_feature(-ENOSYS, "futex: requeueing to a lock with priority inheritance", op & 127);
	}
	return -ENOSYS;
}
