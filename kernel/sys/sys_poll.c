/*
 * poll, ppoll, select, pselect6: convert their structures for poll_wait() and back.
 */
#include "kernel/lib/string.h"
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/poll_wait.h"
#include "kernel/sys/restart.h"
#include "kernel/sys/signal_mask.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"

/* Linux's struct pollfd. Guard: only the calling task uses it. */
struct linux_pollfd {
	int32_t fd;
	int16_t events;
	int16_t revents;
};

_Static_assert(sizeof(struct linux_pollfd) == 8, "Linux's struct pollfd");

static void put_files(const struct poll_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		poll_step_on(i);
		if (items[i].file)
			file_put(items[i].file);
	}
}

/* Wait for the files of the entries, and set revents. Returns how many entries have events, or -EINTR. */
static int poll_entries(struct linux_pollfd *entries, struct poll_item *items, size_t count, uint64_t deadline)
{
	int invalid = 0, found;

	for (size_t i = 0; i < count; i++) {
		poll_step_on(i);
		items[i] = (struct poll_item){ .events = (uint16_t)entries[i].events };
		entries[i].revents = 0;
		if (entries[i].fd < 0)
			continue;
		items[i].file = args_file_get((uint64_t)entries[i].fd);
		if (!items[i].file) {
			entries[i].revents = POLLNVAL;
			invalid++;
		}
	}
	found = poll_wait(items, count, invalid ? POLL_NOW : deadline);
	for (size_t i = 0; i < count; i++) {
		poll_step_on(i);
		if (items[i].file)
			entries[i].revents = (int16_t)items[i].found;
	}
	put_files(items, count);
	return found < 0 ? found : found + invalid;
}

#define COPIED 8192 /* entries that are copied in one step; other tasks can run between steps */

/* Copy the entries from the user in steps. After an error no other task may run before the call returns (args_get). */
static int get_entries(struct linux_pollfd *entries, uint64_t at, size_t count)
{
	int error = 0;

	for (size_t done = 0, step; done < count && !error; done += step) {
		step = count - done < COPIED ? count - done : COPIED;
		error = args_get(entries + done, at + done * sizeof(*entries), step * sizeof(*entries));
		if (!error && step == COPIED)
			(void)task_give_way();
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
		if (!error && step == COPIED)
			(void)task_give_way();
	}
	return error;
}

static int64_t poll_user(uint64_t at, uint64_t count, uint64_t deadline)
{
	size_t size = count * sizeof(struct linux_pollfd);
	struct linux_pollfd *entries;
	struct poll_item *items;
	int64_t result;
	int error;

	if (count > process_current()->limits[LIMIT_NOFILE].soft || count > FD_LIMIT_MAX)
		return -EINVAL;
	if (!count)
		return poll_wait(NULL, 0, deadline);
	entries = kmalloc(size);
	items = kmalloc(count * sizeof(*items));
	result = entries && items ? get_entries(entries, at, count) : -ENOMEM;
	if (!result) {
		result = poll_entries(entries, items, count, deadline);
		/* As on Linux, the entries are written even if a signal has come. */
		error = put_entries(at, entries, count);
		if (error)
			result = error;
	}
	kfree(items);
	kfree(entries);
	return result;
}

static uint64_t time_left(uint64_t deadline)
{
	uint64_t now = clock_monotonic_ns();

	return deadline > now ? deadline - now : 0;
}

/*
 * Write the rest of the timeout to user memory; as on Linux a failed copy is ignored. Does nothing when `result` is
 * -ERESTART_MEMORY: the call will be made again, and must return before another task runs.
 */
static void put_rest(uint64_t to, uint64_t deadline, int64_t result)
{
	struct linux_timespec rest = timespec_from_ns(time_left(deadline));

	if (result != -ERESTART_MEMORY)
		(void)args_put_late(to, &rest, sizeof(rest));
}

/* poll(2) with a deadline. As on Linux restart_syscall(2) continues it if a signal comes and no handler runs. */
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
	put_rest(timeout, deadline, result);
	return signal_mask_end(&change, result);
}

#define FD_SETSIZE 1024
#define SET_WORDS  (FD_SETSIZE / 64)

enum { SET_READ, SET_WRITE, SET_EXCEPT, SETS };

/* The events for which Linux's select(2) sets a bit in each set. */
static const unsigned set_events[SETS] = {
	[SET_READ] = POLLIN | POLLRDNORM | POLLHUP | POLLERR,
	[SET_WRITE] = POLLOUT | POLLWRNORM | POLLERR,
	[SET_EXCEPT] = POLLPRI,
};

struct select_sets {
	uint64_t words[SETS][SET_WORDS];
};

static bool is_in(const struct select_sets *sets, int set, unsigned fd)
{
	return sets->words[set][fd / 64] >> fd % 64 & 1;
}

static unsigned events_of(const struct select_sets *sets, unsigned fd)
{
	unsigned events = 0;

	for (int set = 0; set < SETS; set++)
		if (is_in(sets, set, fd))
			events |= set_events[set];
	return events;
}

/*
 * Make an item for each descriptor below `count`, with a reference to the file of those in the sets. Returns 0, or
 * -EBADF when a descriptor is not open; all references are dropped then.
 */
static int hold_sets(const struct select_sets *sets, unsigned count, struct poll_item *items)
{
	for (unsigned fd = 0; fd < count; fd++) {
		items[fd] = (struct poll_item){ .events = events_of(sets, fd) };
		if (!items[fd].events)
			continue;
		items[fd].file = args_file_get(fd);
		if (!items[fd].file) {
			put_files(items, fd);
			return -EBADF;
		}
	}
	return 0;
}

/* Clear the bits of descriptors without an event. Returns how many bits are left. */
static int keep_found(struct select_sets *sets, unsigned count, const struct poll_item *items)
{
	int bits = 0;

	for (unsigned fd = 0; fd < count; fd++)
		for (int set = 0; set < SETS; set++) {
			if (!is_in(sets, set, fd))
				continue;
			if (items[fd].found & set_events[set])
				bits++;
			else
				sets->words[set][fd / 64] &= ~(1ULL << fd % 64);
		}
	return bits;
}

/*
 * Wait for the files in the sets, and leave only the bits of descriptors with an event. Returns how many bits are left;
 * -EBADF, -ENOMEM, -EINTR. A bit is never set that was clear before.
 */
static int select_sets(struct select_sets *sets, unsigned count, uint64_t deadline)
{
	struct poll_item *items = NULL;
	int result = 0;

	if (count) {
		items = kmalloc(count * sizeof(*items));
		if (!items)
			return -ENOMEM;
		result = hold_sets(sets, count, items);
	}
	if (!result) {
		result = poll_wait(items, count, deadline);
		put_files(items, count);
		if (result >= 0)
			result = keep_found(sets, count, items);
	}
	kfree(items);
	return result;
}

static int64_t select_user(uint64_t count, const uint64_t at[SETS], uint64_t deadline)
{
	struct select_sets sets = { .words = { { 0 } } };
	size_t size;
	int64_t result;
	int error = 0;

	if ((int)count < 0)
		return -EINVAL;
	/* As on Linux, a count above the highest possible one is reduced to it. */
	count = (uint32_t)count < FD_SETSIZE ? (uint32_t)count : FD_SETSIZE;
	size = (count + 63) / 64 * 8;
	for (int set = 0; set < SETS && !error; set++)
		error = args_get_if(sets.words[set], at[set], size);
	if (error)
		return error;
	result = select_sets(&sets, (unsigned)count, deadline);
	for (int set = 0; set < SETS && result >= 0 && !error; set++)
		error = args_put_late(at[set], sets.words[set], size);
	return error ? error : result;
}

/*
 * Convert select(2)'s timeout. As on Linux, and unlike other calls, a million microseconds or more are accepted: whole
 * seconds among them are added to the seconds.
 */
static int select_time(struct linux_timeval time, uint64_t *ret_ns)
{
	time.seconds = (int64_t)((uint64_t)time.seconds + (uint64_t)(time.microseconds / 1000000));
	time.microseconds %= 1000000;
	return timeval_to_ns(&time, ret_ns);
}

SYSCALL_5(select, count, reads, writes, excepts, timeout)
{
	const uint64_t at[SETS] = { reads, writes, excepts };
	struct linux_timeval time;
	uint64_t deadline = POLL_NEVER, ns;
	int64_t result = 0;

	if (timeout) {
		result = args_get(&time, timeout, sizeof(time));
		if (!result)
			result = select_time(time, &ns);
		if (result)
			return result;
		deadline = ns ? deadline_in(ns) : POLL_NOW;
	}
	result = select_user(count, at, deadline);
	time = timeval_from_ns(time_left(deadline));
	/* A call that will be made again must not write the rest of its timeout: see put_rest(). */
	if (result != -ERESTART_MEMORY)
		(void)args_put_late(timeout, &time, sizeof(time));
	return result == -EINTR ? -ERESTARTNOHAND : result;
}

/* The sixth argument points to the mask's address and size, since system calls have only six arguments. */
SYSCALL_6(pselect6, count, reads, writes, excepts, timeout, mask_at)
{
	const uint64_t at[SETS] = { reads, writes, excepts };
	uint64_t mask[2] = { 0, 0 }, deadline;
	struct signal_mask_change change;
	int64_t result = mask_at ? args_get(mask, mask_at, sizeof(mask)) : 0;

	if (!result)
		result = args_deadline(timeout, &deadline);
	if (!result)
		result = signal_mask_begin(&change, mask[0], mask[1]);
	if (result)
		return result;
	result = select_user(count, at, deadline);
	put_rest(timeout, deadline, result);
	return signal_mask_end(&change, result);
}
