/*
 * select and pselect6: ask the files of the descriptors in a user's sets of bits, and wait for them by poll_wait().
 */
#include "kernel/mm/heap/heap.h"
#include "kernel/sys/poll_wait.h"
#include "kernel/sys/signal_mask.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/personality.h"

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

/* Return the events that are waited for of the descriptors in `bit`, one bit of word `word` of the sets. */
static unsigned events_of(const struct select_sets *sets, unsigned word, uint64_t bit)
{
	unsigned events = 0;

	for (int set = 0; set < SETS; set++)
		if (sets->words[set][word] & bit)
			events |= set_events[set];
	return events;
}

/*
 * Return which descriptors of word `word` are in any of the sets. The loops below go through these bits; `left & -left`
 * is the lowest bit of `left`.
 */
static uint64_t any_of(const struct select_sets *sets, unsigned word)
{
	return sets->words[SET_READ][word] | sets->words[SET_WRITE][word] | sets->words[SET_EXCEPT][word];
}

/*
 * Set the bits in `found`, whose sets are subsets of those in `asked`, for one descriptor that has the events `events`.
 * Returns how many bits were set.
 */
static int note_found(struct select_sets *found, const struct select_sets *asked, unsigned word, uint64_t bit,
		      unsigned events)
{
	int bits = 0;

	for (int set = 0; set < SETS; set++)
		if (events & set_events[set] && asked->words[set][word] & bit) {
			found->words[set][word] |= bit;
			bits++;
		}
	return bits;
}

/*
 * Ask the files of the descriptors in the sets once, and set the bits of those with an event in `found`, which must be
 * empty. Returns how many bits are set; or -EBADF when a descriptor is not open. No reference to a file is needed: no
 * other task runs meanwhile.
 */
static int look_at_sets(const struct select_sets *asked, unsigned words, struct select_sets *found)
{
	const struct fd_table *table = process_current()->fds;
	int bits = 0;

	for (unsigned word = 0; word < words; word++)
		for (uint64_t left = any_of(asked, word); left; left &= left - 1) {
			struct file *file = fd_file_peek(table, (int)(64 * word) + __builtin_ctzll(left));
			unsigned events;

			if (!file)
				return -EBADF;
			events = file_poll(file);
			if (events)
				bits += note_found(found, asked, word, left & -left, events);
		}
	return bits;
}

/* Make an item, with a reference to its file, for each descriptor in a set. Returns how many items there are. */
static size_t make_items(const struct select_sets *asked, unsigned words, struct poll_item *items)
{
	size_t count = 0;

	for (unsigned word = 0; word < words; word++)
		for (uint64_t left = any_of(asked, word); left; left &= left - 1)
			items[count++] = (struct poll_item){
				.file = args_file_get(64 * word + (unsigned)__builtin_ctzll(left)),
				.events = events_of(asked, word, left & -left),
			};
	return count;
}

/* Do note_found() with what was found for the items that make_items() has made. Returns how many bits are set. */
static int note_items(struct select_sets *found, const struct select_sets *asked, unsigned words,
		      const struct poll_item *item)
{
	int bits = 0;

	for (unsigned word = 0; word < words; word++)
		for (uint64_t left = any_of(asked, word); left; left &= left - 1)
			bits += note_found(found, asked, word, left & -left, item++->found);
	return bits;
}

/*
 * Wait for the files in the sets, none of which had an event, and set the bits of descriptors with an event in `found`,
 * which must be empty. Returns how many bits are set; -ENOMEM, -EINTR.
 */
static int wait_for_sets(const struct select_sets *asked, unsigned words, struct select_sets *found, uint64_t deadline)
{
	struct poll_item *items = NULL;
	size_t count;
	int result;

	if (words) {
		items = kmalloc(64 * words * sizeof(*items));
		if (!items)
			return -ENOMEM;
	}
	count = make_items(asked, words, items);
	result = poll_wait(items, count, deadline);
	if (result > 0)
		result = note_items(found, asked, words, items);
	poll_put_files(items, count);
	kfree(items);
	return result;
}

/* Clear the bits of descriptors from `count` on in the sets' last words. */
static void cut_sets(struct select_sets *sets, unsigned count)
{
	if (count % 64)
		for (int set = 0; set < SETS; set++)
			sets->words[set][count / 64] &= (1ULL << count % 64) - 1;
}

static int64_t select_user(uint64_t count, const uint64_t at[SETS], uint64_t deadline)
{
	struct select_sets asked = { .words = { { 0 } } }, found = { .words = { { 0 } } };
	unsigned words;
	int64_t result;
	int error = 0;

	if ((int)count < 0)
		return -EINVAL;
	/* As on Linux, a count above the highest possible one is reduced to it. */
	count = (uint32_t)count < FD_SETSIZE ? (uint32_t)count : FD_SETSIZE;
	words = (unsigned)(count + 63) / 64;
	for (int set = 0; set < SETS && !error; set++)
		error = args_get_if(asked.words[set], at[set], words * 8);
	if (error)
		return error;
	cut_sets(&asked, (unsigned)count);
	result = look_at_sets(&asked, words, &found);
	if (!result && deadline != POLL_NOW)
		result = wait_for_sets(&asked, words, &found, deadline);
	for (int set = 0; set < SETS && result >= 0 && !error; set++)
		error = args_put_late(at[set], found.words[set], words * 8);
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
	/* A timeout of 0 and that of a call that will be made again stay as they are: see poll_put_rest(). */
	if (deadline != POLL_NOW && result != -ERESTART_MEMORY && !(task_current()->personality & STICKY_TIMEOUTS)) {
		time = timeval_from_ns(poll_time_left(deadline));
		(void)args_put_late(timeout, &time, sizeof(time));
	}
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
	poll_put_rest(timeout, deadline, result);
	return signal_mask_end(&change, result);
}
