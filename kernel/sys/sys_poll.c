/*
 * poll and ppoll: ask the files of a user's entries, and wait for them by poll_wait().
 */
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/poll_wait.h"
#include "kernel/sys/restart.h"
#include "kernel/sys/signal_mask.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"

/*
 * Ask the files of the entries once, and set revents. Returns how many entries have events, or -EINTR when the task
 * must end. No reference to a file is needed: other tasks run between two entries only.
 */
static int look_at_entries(struct linux_pollfd *entries, size_t count)
{
	const struct process *process = process_current();
	int found = 0;

	for (size_t i = 0; i < count; i++) {
		struct linux_pollfd *entry = &entries[i];
		struct file *file;

		if (poll_step_on(i))
			return -EINTR;
		entry->revents = 0;
		if (entry->fd < 0)
			continue;
		file = fd_file_peek(process->fds, entry->fd);
		if (file)
			entry->revents = (int16_t)(file_poll(file) & ((uint16_t)entry->events | POLLERR | POLLHUP));
		else
			entry->revents = POLLNVAL;
		found += entry->revents != 0;
	}
	return found;
}

/*
 * Wait for the files of the entries, none of which had events, and set revents. Returns how many entries have events;
 * -EINTR, -ENOMEM.
 */
static int wait_for_entries(struct linux_pollfd *entries, size_t count, uint64_t deadline)
{
	struct poll_item *items = kmalloc(count * sizeof(*items));
	size_t held = 0;
	int found = -EINTR;

	if (!items)
		return -ENOMEM;
	for (; held < count && !poll_step_on(held); held++) {
		items[held] = (struct poll_item){ .events = (uint16_t)entries[held].events };
		if (entries[held].fd >= 0)
			items[held].file = args_file_get((uint64_t)entries[held].fd);
	}
	if (held == count)
		found = poll_wait(items, count, deadline);
	for (size_t i = 0; found >= 0 && i < count; i++) {
		(void)poll_step_on(i);
		if (items[i].file)
			entries[i].revents = (int16_t)items[i].found;
	}
	poll_put_files(items, held);
	kfree(items);
	return found;
}

#define COPIED 8192 /* entries that are copied in one step; other tasks can run between steps */

/* Copy the entries from the user in steps. After an error no other task may run before the call returns (args_get). */
static int get_entries(struct linux_pollfd *entries, uint64_t at, size_t count)
{
	int error = 0;

	for (size_t done = 0, step; done < count && !error; done += step) {
		step = count - done < COPIED ? count - done : COPIED;
		error = args_get(entries + done, at + done * sizeof(*entries), step * sizeof(*entries));
		if (!error && step == COPIED && task_give_way())
			error = -EINTR;
	}
	return error;
}

/* Copy the entries to the user in steps. */
static int put_entries(uint64_t at, const struct linux_pollfd *entries, size_t count)
{
	int error = 0;

	for (size_t done = 0, step; done < count && !error; done += step) {
		step = count - done < COPIED ? count - done : COPIED;
		error = args_put_late(at + done * sizeof(*entries), entries + done, step * sizeof(*entries));
		if (!error && step == COPIED && task_give_way())
			error = -EINTR;
	}
	return error;
}

#define FEW 16 /* entries for which there is room on the stack */

static int64_t poll_user(uint64_t at, uint64_t count, uint64_t deadline)
{
	struct linux_pollfd few[FEW], *entries = few;
	int64_t result;
	int error;

	if (count > process_current()->limits[LIMIT_NOFILE].soft || count > FD_LIMIT_MAX)
		return -EINVAL;
	if (!count)
		return poll_wait(NULL, 0, deadline);
	if (count > FEW)
		entries = kmalloc(count * sizeof(*entries));
	result = entries ? get_entries(entries, at, count) : -ENOMEM;
	if (!result) {
		result = look_at_entries(entries, count);
		if (!result && deadline != POLL_NOW)
			result = wait_for_entries(entries, count, deadline);
		/* As on Linux, the entries are written even if a signal has come. */
		error = put_entries(at, entries, count);
		if (error)
			result = error;
	}
	if (count > FEW)
		kfree(entries);
	return result;
}

/*
 * Do poll(2) with a deadline. As on Linux restart_syscall(2) continues the call if a signal comes and no handler runs.
 */
static int64_t poll_on(uint64_t at, uint32_t count, uint64_t deadline)
{
	int64_t result = poll_user(at, count, deadline);

	if (result != -EINTR)
		return result;
	task_current()->restart =
		(struct task_restart){ .call = RESTART_POLL, .deadline_ns = deadline, .at = at, .value = count };
	return -ERESTART_GO_ON;
}

int64_t restart_poll(const struct task_restart *restart)
{
	return poll_on(restart->at, restart->value, restart->deadline_ns);
}

SYSCALL_3(poll, at, count, timeout_ms)
{
	return poll_on(at, (uint32_t)count, poll_deadline((int)timeout_ms));
}

SYSCALL_5(ppoll, at, count, timeout, mask, mask_size)
{
	struct signal_mask_change change;
	uint64_t deadline;
	int64_t result = args_deadline(timeout, &deadline);

	if (!result)
		result = signal_mask_begin(&change, mask, mask_size);
	if (result)
		return result;
	result = poll_user(at, (uint32_t)count, deadline);
	poll_put_rest(timeout, deadline, result);
	return signal_mask_end(&change, result);
}
