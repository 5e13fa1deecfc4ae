/*
 * Reads and writes that may block: a loop around a file's read or write operation, which never blocks. The task enters
 * the file's wait queue before it tries the operation once more, so that a wake-up between the try and the sleep is not
 * lost.
 *
 * A call of many bytes works in steps, between which other tasks run. So that such calls do not mix, they take turns: a
 * turn (kernel/sync/turn.h) is a mutex that a task keeps while other tasks run.
 */
#include "kernel/sys/file_transfer.h"

#include "kernel/fs/attributes.h"
#include "kernel/fs/content.h"
#include "kernel/fs/node_attributes.h"
#include "kernel/fs/notify.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/signal.h"
#include "kernel/task/signal_numbers.h"
#include "kernel/task/turn.h"
#include "kernel/task/user_return.h"
#include "kernel/task/wait_until.h"

#define STEP 32768 /* most bytes moved in one step, about a million instructions; other tasks can run between steps */

/* The task's place in a file's queue. */
struct file_waiter {
	struct task_waiter waiter;
	bool queued;
	uint64_t deadline; /* when a read stops waiting (file_patience); TASK_NO_DEADLINE: never */
	uint32_t there;    /* how many bytes could be read when `deadline` was set */
};

static void join(struct file_waiter *waiter, struct file *file, enum file_move how)
{
	if (waiter->queued)
		return;
	task_waiter_init(&waiter->waiter);
	if (file->properties & FILE_USES_UP)
		waiter->waiter.waiter.uses = how == FILE_READ ? WAIT_BYTES : WAIT_ROOM;
	wait_queue_add(file_queue(file), &waiter->waiter.waiter);
	waiter->queued = true;
}

/*
 * Leave the file's queue. A wake-up of a pipe's queue wakes only one reader or one writer: if the pipe still has bytes
 * to read, or space to write, pass the wake-up on to the next task that waits for the same.
 */
static void leave(struct file_waiter *waiter, struct file *file)
{
	struct wait_queue *queue;
	enum wait_use use;

	if (likely(!waiter->queued))
		return;
	queue = waiter->waiter.waiter.queue;
	use = (enum wait_use)waiter->waiter.waiter.uses;
	wait_queue_remove(&waiter->waiter.waiter);
	if (use != WAIT_ALWAYS && wait_queue_is_wanted(queue, use) &&
	    file_poll(file) & (use == WAIT_BYTES ? POLLIN : POLLOUT))
		wait_queue_wake_one(queue, use);
}

/*
 * Return the deadline of a wait. Only reads of terminals have one (VTIME): it starts anew when more bytes have come.
 */
static uint64_t deadline_of(struct file_waiter *waiter, struct file *file, enum file_move how)
{
	uint32_t there;
	uint64_t ns = how == FILE_READ ? file_patience(file, &there) : 0;

	if (!ns) {
		waiter->deadline = TASK_NO_DEADLINE;
	} else if (waiter->deadline == TASK_NO_DEADLINE || waiter->there != there) {
		waiter->deadline = deadline_in(ns);
		waiter->there = there;
	}
	return waiter->deadline;
}

/*
 * Return whether a signal ends the transfer even if the file is ready for more. As on Linux this is so for a write to a
 * terminal.
 */
static bool ends_by_signal(const struct file *file, enum file_move how)
{
	return how == FILE_WRITE && file->properties & FILE_STREAM && node_is(file->node, S_IFCHR);
}

/*
 * Return whether to go on after `moved` bytes, and let other tasks run in between. A blocking write to a stream (pipe,
 * terminal) goes on until all is written; a transfer of many bytes to or from another file goes on after each STEP. Any
 * signal ends a write to a terminal, and only the end of the task ends other transfers here.
 */
static bool goes_on(const struct file *file, enum file_move how, const struct user_io *io, int64_t moved)
{
	if (file->properties & FILE_STREAM ? how != FILE_WRITE || file->flags & O_NONBLOCK : moved != STEP)
		return false;
	/* A file without FILE_SEEKS got all bytes at once (move_step), and more would be another record. */
	if (!(file->properties & (FILE_STREAM | FILE_SEEKS)))
		return false;
	if (!io->left || task_give_way())
		return false;
	return !ends_by_signal(file, how) || !signal_pending(task_current());
}

/*
 * Call the file's operation once, for at most STEP bytes. A file without FILE_SEEKS gets all bytes at once: one of its
 * reads may be one record, which must not be split. A file with FILE_AT_ONCE gets them at once, too: it takes no longer
 * for more bytes.
 */
__attribute__((always_inline)) static inline int64_t move_step(struct file *file, enum file_move how,
							       struct user_io *io, uint64_t offset)
{
	uint64_t left = io->left;
	int64_t moved;

	if (left <= STEP || (file->properties & (FILE_SEEKS | FILE_AT_ONCE)) != FILE_SEEKS)
		return file_move(file, how, io, offset);
	io->left = STEP;
	moved = file_move(file, how, io, offset);
	io->left = moved > 0 ? left - (uint64_t)moved : left;
	return moved;
}

/*
 * Return whether a call waits when the file's operation has returned -EAGAIN, instead of returning -EAGAIN to the
 * program.
 */
static bool waits(struct file *file)
{
	return !(file->flags & O_NONBLOCK) && file_queue(file);
}

int file_size_check(uint64_t size)
{
	if (size <= process_current()->limits[LIMIT_FSIZE].soft)
		return 0;
	signal_send_task(task_current(), SIGXFSZ, NULL);
	return -EFBIG;
}

int file_heed_size_limit(const struct file *file, enum file_move how, struct user_io *io, uint64_t offset)
{
	uint64_t limit = process_current()->limits[LIMIT_FSIZE].soft;
	uint64_t at = how == FILE_PWRITE ? offset : file->offset;

	if (limit == LIMIT_NONE || !node_is(file->node, S_IFREG) || !file_writes(file))
		return 0;
	if (file_move_appends(how, file->flags))
		at = file->node->size;
	if (!io->left)
		return 0;
	if (at >= limit)
		return file_size_check(UINT64_MAX);
	if (io->left > limit - at)
		io->left = limit - at;
	return 0;
}

/*
 * Do wait_and_move() for a write to a terminal (ends_by_signal()): a pending signal ends the wait even if the terminal
 * has space for more text. This is a separate function, so that pipes are spared the check.
 */
static __attribute__((noinline)) int64_t wait_and_write(struct file_waiter *waiter, struct file *file,
							struct user_io *io, uint64_t offset)
{
	int64_t moved = -EAGAIN;
	int error;

	join(waiter, file, FILE_WRITE);
	error = WAIT_UNTIL(!signal_pending(task_current()) &&
				   (moved = move_step(file, FILE_WRITE, io, offset)) != -EAGAIN,
			   TASK_NO_DEADLINE);
	return error ? -ERESTARTSYS : moved;
}

/*
 * Wait until move_step() returns something other than -EAGAIN, and return that; -ERESTARTSYS when a signal comes. The
 * file must have a wait queue.
 */
static int64_t wait_and_move(struct file_waiter *waiter, struct file *file, enum file_move how, struct user_io *io,
			     uint64_t offset)
{
	int64_t moved = -EAGAIN;
	int error;

	if (unlikely(ends_by_signal(file, how)))
		return wait_and_write(waiter, file, io, offset);
	join(waiter, file, how);
	error = WAIT_UNTIL((moved = move_step(file, how, io, offset)) != -EAGAIN, deadline_of(waiter, file, how));
	if (error == -ETIMEDOUT)
		return file_read_late(file, io);
	return error ? -ERESTARTSYS : moved;
}

/*
 * Go on with a read that works in several steps before it moves a byte (FILE_STEPS), and let other tasks run between
 * the steps. The turn `position` keeps other reads of the file out; `in_turn`: the call has that turn already. Returns
 * what move_step() returns, or -EINTR.
 */
static __attribute__((noinline)) int64_t move_in_steps(struct file *file, enum file_move how, struct user_io *io,
						       uint64_t offset, bool in_turn)
{
	struct turn_holder position;
	int64_t moved = in_turn ? 0 : turn_take(&file->position, &position);

	if (moved)
		return moved;
	do
		moved = task_give_way() ? -EINTR : move_step(file, how, io, offset);
	while (moved == -EAGAIN);
	if (!in_turn)
		turn_end(&file->position, &position);
	return moved;
}

static void show_written(struct file *file, bool writes)
{
	if (writes && file->ops->written)
		file->ops->written(file);
}

/*
 * The turns that a call takes. As on Linux only one call at a time moves a file's position, and only one writes to a
 * node, so that O_APPEND and RLIMIT_FSIZE hold for a whole call.
 */
struct turns {
	struct turn_holder position, writing;
};

/*
 * Return whether the call needs turns: it has more than one step, or another call that has turns is between two steps.
 * A call on a file with set-ID bits or capabilities needs them, too, since take_turns() clears those before a write.
 */
static bool needs_turns(const struct file *file, const struct user_io *io)
{
	return file->properties & FILE_SEEKS && node_is(file->node, S_IFREG) &&
	       (io->left > STEP || !turn_is_free(&file->position) || !turn_is_free(&file->node->writing) ||
		unlikely(file->node->mode & (S_ISUID | S_ISGID | MODE_HAS_CAPABILITY)));
}

/* Return whether the call takes the turn `position`: calls that move the position, and all reads with FILE_STEPS. */
static bool wants_position(const struct file *file, enum file_move how)
{
	return how == FILE_READ || how == FILE_WRITE || how == FILE_APPEND ||
	       (how == FILE_PREAD && file->properties & FILE_STEPS);
}

/* Take the turns that a call of kind `how` needs. Returns 0, or -EINTR: the task must end, and has no turn. */
static __attribute__((noinline)) int take_turns(struct file *file, enum file_move how, struct turns *turns)
{
	int error = wants_position(file, how) ? turn_take(&file->position, &turns->position) : 0;

	if (error || !file_move_writes(how))
		return error;
	error = turn_take(&file->node->writing, &turns->writing);
	if (error && wants_position(file, how))
		turn_end(&file->position, &turns->position);
	if (!error)
		node_written(file->node, rights_current());
	return error;
}

static __attribute__((noinline)) void end_turns(struct file *file, enum file_move how, struct turns *turns)
{
	if (file_move_writes(how))
		turn_end(&file->node->writing, &turns->writing);
	if (wants_position(file, how))
		turn_end(&file->position, &turns->position);
}

int64_t file_transfer(struct file *file, enum file_move how, struct user_io *io, uint64_t offset)
{
	const bool writes = file_move_writes(how), in_turn = needs_turns(file, io);
	struct file_waiter waiter;
	int64_t total = 0, moved = 0;
	struct turns turns;
	bool more;

	/* Few calls wait, so join() sets the waiter's other fields only when a call does. */
	waiter.queued = false;
	waiter.deadline = TASK_NO_DEADLINE;
	if (unlikely(in_turn))
		moved = take_turns(file, how, &turns);
	if (moved)
		return moved;
	if (writes)
		moved = file_heed_size_limit(file, how, io, offset);
	more = !moved;
	while (more) {
		uint64_t at = offset + (uint64_t)total;

		moved = move_step(file, how, io, at);
		if (moved == -EAGAIN && waits(file)) {
			if (total)
				show_written(file, writes);
			moved = wait_and_move(&waiter, file, how, io, at);
		} else if (unlikely(moved == -EAGAIN && file->properties & FILE_STEPS)) {
			moved = move_in_steps(file, how, io, at, in_turn);
		}
		if (moved > 0)
			total += moved;
		more = moved > 0 && goes_on(file, how, io, moved);
	}
	leave(&waiter, file);
	if (total) {
		show_written(file, writes);
		notify_node(file->node, writes ? IN_MODIFY : IN_ACCESS);
	}
	if (moved == -EPIPE && how == FILE_WRITE && file->properties & FILE_STREAM)
		signal_send_task(task_current(), SIGPIPE, NULL);
	if (unlikely(in_turn))
		end_turns(file, how, &turns);
	return total ? total : moved;
}

int64_t file_transfer_seek(struct file *file, int64_t offset, int whence)
{
	struct turn_holder position;
	int64_t result;

	if (turn_is_free(&file->position))
		return file_seek(file, offset, whence);
	result = turn_take(&file->position, &position);
	if (result)
		return result;
	result = file_seek(file, offset, whence);
	turn_end(&file->position, &position);
	return result;
}

int file_wait(struct file *file, bool (*ready)(struct file *file))
{
	struct wait_queue *queue = file_queue(file);

	if (!queue || ready(file))
		return 0;
	return WAIT_IN_QUEUE(queue, ready(file), TASK_NO_DEADLINE) ? -ERESTARTSYS : 0;
}
