/*
 * The system calls of epoll(7) and eventfd(2).
 */
#include "kernel/fs/eventfd.h"
#include "kernel/irq/clock.h"
#include "kernel/sys/epoll.h"
#include "kernel/sys/poll_wait.h"
#include "kernel/sys/signal_mask.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"

#define EPOLL_EVENTS_MOST (INT32_MAX / (int)sizeof(struct epoll_event))

SYSCALL_2(eventfd2, count, flags)
{
	struct file *file;
	int error;

	if ((uint32_t)flags & ~(uint32_t)(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
		return -EINVAL;
	error = eventfd_create((uint32_t)count, (unsigned)flags, &file);
	return error ? error : args_install(file, flags);
}

SYSCALL_1(eventfd, count)
{
	return sys_eventfd2(count, 0, 0, 0, 0, 0);
}

SYSCALL_1(epoll_create1, flags)
{
	struct file *file;
	int error;

	if ((uint32_t)flags & ~(uint32_t)O_CLOEXEC)
		return -EINVAL;
	error = epoll_create_file(&file);
	return error ? error : args_install(file, flags);
}

SYSCALL_1(epoll_create, size)
{
	return (int)size <= 0 ? -EINVAL : sys_epoll_create1(0, 0, 0, 0, 0, 0);
}

enum epoll_operation { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL, EPOLL_CTL_MOD };

SYSCALL_4(epoll_ctl, epoll_fd, operation, fd, from)
{
	HELD_FILE struct file *epoll = args_file_get(epoll_fd), *file = args_file_get(fd);
	struct epoll_event event = { 0 };
	int error = 0;

	if ((int)operation != EPOLL_CTL_DEL)
		error = args_get(&event, from, sizeof(event));
	if (error)
		return error;
	if (!epoll || !file || (epoll->flags | file->flags) & O_PATH)
		return -EBADF;
	if (!file->ops->poll)
		return -EPERM;
	if (file == epoll || !epoll_is(epoll))
		return -EINVAL;
	switch ((int)operation) {
	case EPOLL_CTL_ADD:
		if (event.events & EPOLLEXCLUSIVE && (epoll_is(file) || event.events & ~(uint32_t)EPOLL_EXCLUSIVE_OK))
			return -EINVAL;
		return epoll_add(epoll, file, (int)fd, &event);
	case EPOLL_CTL_DEL:
		return epoll_remove(epoll, file, (int)fd);
	case EPOLL_CTL_MOD:
		return event.events & EPOLLEXCLUSIVE ? -EINVAL : epoll_modify(epoll, file, (int)fd, &event);
	}
	return -EINVAL;
}

static int put_events(void *ctx, const struct epoll_event *events, int count)
{
	const size_t size = (size_t)count * sizeof(*events);
	uint64_t *to = ctx;
	int error = args_put(*to, events, size);

	if (!error)
		*to += size;
	return error;
}

#define COLLECT_STEP 256 /* events that are reported in one step; other tasks can run between steps */

/* Copy at most `most` events to `to`, in steps. Returns how many, or an error when there is none. */
static int64_t collect(struct file *file, int most, uint64_t to)
{
	uint64_t number = 0;
	int total = 0, step, got;

	do {
		step = most - total < COLLECT_STEP ? most - total : COLLECT_STEP;
		got = epoll_collect(file, &number, step, put_events, &to);
		if (got > 0)
			total += got;
	} while (got == step && total < most && !task_give_way());
	return total ? total : got;
}

/*
 * Wait until the epoll file may have events. An event wakes only one task that waits so (WAIT_BYTES). Returns 1; 0 when
 * the deadline has passed, or -EINTR.
 */
static int wait_ready(struct file *file, uint64_t deadline)
{
	struct task_waiter waiter;
	bool found = false;
	int error;

	task_waiter_init(&waiter);
	waiter.waiter.uses = WAIT_BYTES;
	wait_queue_add(file_queue(file), &waiter.waiter);
	error = WAIT_UNTIL((found = file_poll(file)) || clock_monotonic_ns() >= deadline, deadline);
	wait_queue_remove(&waiter.waiter);
	return found || error == -ETIMEDOUT ? found : error;
}

/* Wait for events and copy them to `to`. Goes on waiting when another task has taken the event that ended the wait. */
static int64_t wait_events(uint64_t fd, uint64_t to, uint64_t most, uint64_t deadline)
{
	HELD_FILE struct file *file = args_file_get(fd);
	int64_t result;

	if ((int)most <= 0 || (int)most > EPOLL_EVENTS_MOST)
		return -EINVAL;
	/* As on Linux all of the buffer must lie in user addresses, even if few events come. */
	if (to > USER_END - (uint32_t)most * sizeof(struct epoll_event))
		return -EFAULT;
	if (!file)
		return -EBADF;
	if (!epoll_is(file))
		return -EINVAL;
	result = collect(file, (int)most, to);
	while (!result && deadline != POLL_NOW) {
		result = wait_ready(file, deadline);
		if (result <= 0)
			return result;
		result = collect(file, (int)most, to);
		/*
		 * An event that came after this task's wake-up has woken no other task: wake one if files are still
		 * ready.
		 */
		epoll_pass_on(file);
	}
	return result;
}

SYSCALL_4(epoll_wait, fd, to, most, timeout)
{
	return wait_events(fd, to, most, poll_deadline((int)timeout));
}

static int64_t wait_masked(uint64_t fd, uint64_t to, uint64_t most, uint64_t deadline, uint64_t mask,
			   uint64_t mask_size)
{
	struct signal_mask_change change;
	int64_t result = signal_mask_begin(&change, mask, mask_size);

	if (result)
		return result;
	result = signal_mask_end(&change, wait_events(fd, to, most, deadline));
	/* As on Linux, an interrupted wait for events is never restarted (signal(7)). */
	return result == -ERESTARTNOHAND ? -EINTR : result;
}

SYSCALL_6(epoll_pwait, fd, to, most, timeout, mask, mask_size)
{
	return wait_masked(fd, to, most, poll_deadline((int)timeout), mask, mask_size);
}

SYSCALL_6(epoll_pwait2, fd, to, most, timeout, mask, mask_size)
{
	uint64_t deadline;
	int error = args_deadline(timeout, &deadline);

	return error ? error : wait_masked(fd, to, most, deadline, mask, mask_size);
}
