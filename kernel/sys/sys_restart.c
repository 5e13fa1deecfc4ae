/*
 * restart_syscall(2): continues a call with a deadline (a sleep, a futex wait or poll) that a signal has interrupted.
 */
#include "kernel/sys/restart.h"
#include "kernel/sys/user_args.h"

static int64_t go_on(const struct task_restart *restart)
{
	switch (restart->call) {
	case RESTART_SLEEP:
		return restart_sleep(restart);
	case RESTART_FUTEX:
		return restart_futex(restart);
	case RESTART_POLL:
		return restart_poll(restart);
	case RESTART_NONE:
		break;
	}
	return -EINTR;
}

/*
 * Continue a system call that a signal has interrupted: signal_finish_call() makes the program execute restart_syscall.
 * Returns -EINTR if there is no call to continue, as when a program makes the call restart_syscall by itself.
 */
SYSCALL_0(restart_syscall)
{
	const struct task_restart restart = task_current()->restart;
	int64_t result = go_on(&restart);

	if (result != -ERESTART_GO_ON && result != -ERESTART_MEMORY)
		task_current()->restart.call = RESTART_NONE;
	return result;
}
