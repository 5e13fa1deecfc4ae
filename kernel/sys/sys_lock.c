/*
 * System calls for advisory file locks: fcntl(2)'s record locks, and flock(2).
 */
#include "kernel/fs/file_lock.h"
#include "kernel/sys/file_locking.h"
#include "kernel/sys/user_args.h"
#include "kernel/task/give_way.h"
#include "kernel/task/wait_until.h"

/* Linux's struct flock. */
struct linux_flock {
	int16_t type, whence;
	int32_t pad;
	int64_t start, size; /* bytes; size 0: to the end of the file, however it grows */
	int32_t pid;
	int32_t pad2;
};

_Static_assert(sizeof(struct linux_flock) == 32, "Linux's struct flock");

enum flock_type { F_RDLCK, F_WRLCK, F_UNLCK };

_Static_assert((int)F_RDLCK == LOCK_SHARED && (int)F_WRLCK == LOCK_EXCLUSIVE && (int)F_UNLCK == LOCK_NONE, "types");

/*
 * Try to set a lock, in steps between which other tasks run, since the lock may replace many thousands of locks.
 * Returns 0, -EAGAIN (it conflicts with another lock), -ENOMEM, or -EINTR: the task must end.
 */
static int try_once(struct file *file, const struct file_lock *lock)
{
	struct file_lock *claimed = NULL;
	int more = file_lock_set_some(file->node, lock, &claimed);

	while (more > 0)
		more = task_give_way() ? -EINTR : file_lock_set_some(file->node, lock, &claimed);
	if (unlikely(claimed))
		file_lock_give_up(file->node, &claimed);
	return more;
}

/*
 * Try to set a lock for a caller that will wait. Returns what try_once() returns, or -EDEADLK (the wait would be a
 * deadlock; as on Linux this is only found for record locks of processes, not of open files).
 */
static int try_again(struct file *file, const struct file_lock *lock)
{
	int error = try_once(file, lock);

	if (error == -EAGAIN && lock->kind == LOCK_RECORD && lock->owner != file &&
	    file_lock_is_deadly(file->node, lock))
		error = -EDEADLK;
	return error;
}

/* A task that waits for a lock; on its stack. */
struct lock_waiter {
	struct file_lock_wait wait; /* must be the first member: wake_waiter() gets a pointer to it */
	struct task *task;
};

static void wake_waiter(struct file_lock_wait *wait)
{
	task_wake(((struct lock_waiter *)wait)->task);
}

/*
 * Set a lock; if `waits`, wait until it can be set. Returns 0; or, with the lock not set, -EAGAIN (it conflicts, and
 * `waits` is false), -ENOMEM, -EDEADLK (it would wait for ever), -ERESTARTSYS (a signal came).
 */
static int set_lock(struct file *file, const struct file_lock *lock, bool waits)
{
	struct lock_waiter waiter = { .wait.wake = wake_waiter, .task = task_current() };
	int error;

	error = waits ? try_again(file, lock) : try_once(file, lock);
	if (error != -EAGAIN || !waits)
		return error;
	file_lock_wait_start(&waiter.wait, file->node, lock);
	(void)WAIT_UNTIL((error = try_again(file, lock)) != -EAGAIN, TASK_NO_DEADLINE);
	file_lock_wait_end(&waiter.wait);
	return error == -EAGAIN ? -ERESTARTSYS : error;
}

/*
 * Set the lock's range of bytes from `in`. Returns 0, -EINVAL (the range starts before the file, or `whence` is
 * unknown), -EOVERFLOW.
 */
static int get_range(const struct file *file, const struct linux_flock *in, struct file_lock *lock)
{
	int64_t start = file_position(file, in->whence), last = INT64_MAX;

	if (start < 0)
		return (int)start;
	if (__builtin_add_overflow(start, in->start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	if (in->size > 0 && __builtin_add_overflow(start, in->size - 1, &last))
		return -EOVERFLOW;
	/* A negative size means the bytes before the start. */
	if (in->size < 0) {
		last = start - 1;
		start += in->size;
		if (start < 0)
			return -EINVAL;
	}
	lock->range.first = (uint64_t)start;
	/*
	 * As on Linux, a lock up to the largest offset is the same as one to the file's end (size 0).
	 */
	lock->range.last = last == INT64_MAX ? UINT64_MAX : (uint64_t)last;
	return 0;
}

static struct linux_flock describe(const struct file_lock *lock)
{
	if (!lock)
		return (struct linux_flock){ .type = F_UNLCK };
	return (struct linux_flock){
		.type = (int16_t)lock->type,
		.start = (int64_t)lock->range.first,
		.size = lock->range.last == UINT64_MAX ? 0 : (int64_t)(lock->range.last - lock->range.first + 1),
		.pid = lock->pid,
	};
}

static int64_t tell_conflict(const struct file *file, const struct file_lock *lock, struct linux_flock *in, uint64_t at)
{
	const struct file_lock *found = file_lock_conflict(file->node, lock);
	struct linux_flock out = describe(found);

	/* Without a conflict F_GETLK changes only the type of the program's structure. */
	if (!found) {
		in->type = F_UNLCK;
		out = *in;
	}
	return args_put(at, &out, sizeof(out));
}

/*
 * Set a process's record lock. close(2) of a file's descriptor removes the process's locks on the file, so a lock
 * that is set after another thread has closed `fd` would never be removed: such a lock is removed here, with -EBADF.
 */
static int set_record(struct file *file, int fd, struct file_lock *lock, bool waits)
{
	int error = set_lock(file, lock, waits);

	if (error || lock->type == LOCK_NONE || fd_file_peek(process_current()->fds, fd) == file)
		return error;
	lock->type = LOCK_NONE;
	error = set_lock(file, lock, false);
	return error ? error : -EBADF;
}

int64_t fcntl_lock(struct file *file, int fd, unsigned command, uint64_t at)
{
	bool whole = command >= F_OFD_GETLK, asks = command == F_GETLK || command == F_OFD_GETLK;
	bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
	struct linux_flock in;
	struct file_lock lock;
	int error;

	error = args_get(&in, at, sizeof(in));
	if (error)
		return error;
	if (in.type < F_RDLCK || in.type > F_UNLCK || (asks && in.type == F_UNLCK) || (whole && in.pid))
		return -EINVAL;
	lock = (struct file_lock){
		.kind = LOCK_RECORD,
		.type = (enum file_lock_type)in.type,
		.owner = whole ? (const void *)file : process_current()->fds,
		.pid = whole ? -1 : process_current()->pid,
	};
	error = get_range(file, &in, &lock);
	if (error)
		return error;
	if (asks)
		return tell_conflict(file, &lock, &in, at);
	if ((in.type == F_RDLCK && !file_reads(file)) || (in.type == F_WRLCK && !file_writes(file)))
		return -EBADF;
	return whole ? set_lock(file, &lock, waits) : set_record(file, fd, &lock, waits);
}

enum flock_operation { FLOCK_SHARED = 1, FLOCK_EXCLUSIVE = 2, FLOCK_NO_WAIT = 4, FLOCK_UNLOCK = 8 };

SYSCALL_2(flock, fd, operation)
{
	HELD_FILE struct file *file = args_file_get(fd);
	struct file_lock lock = { .kind = LOCK_WHOLE, .range.last = UINT64_MAX, .owner = file };

	switch ((int)operation & ~FLOCK_NO_WAIT) {
	case FLOCK_SHARED:
		lock.type = LOCK_SHARED;
		break;
	case FLOCK_EXCLUSIVE:
		lock.type = LOCK_EXCLUSIVE;
		break;
	case FLOCK_UNLOCK:
		lock.type = LOCK_NONE;
		break;
	default:
		return -EINVAL;
	}
	if (!file || file->flags & O_PATH)
		return -EBADF;
	return set_lock(file, &lock, !(operation & FLOCK_NO_WAIT));
}
