/*
 * What system calls get from the user and give back to it, checked and copied.
 */
#pragma once

#include "kernel/fs/path.h"
#include "kernel/irq/clock.h"
#include "kernel/sys/calls.h"
#include "kernel/sys/linux_time.h"
#include "kernel/task/find.h"
#include "kernel/task/signal.h"

/*
 * Copy from the user, or to it. Returns 0, -EFAULT, or -ERESTART_MEMORY: then the caller lets go of what it holds,
 * undoes what it has done, and returns before any other task runs, and the call will be begun again. A comment that says
 * -EFAULT means both.
 */
static inline int args_get(void *to, uint64_t from, size_t size)
{
	return copy_errno(copy_from_user(to, user_pointer(from), size));
}

static inline int args_put(uint64_t to, const void *from, size_t size)
{
	return copy_errno(copy_to_user(user_pointer(to), from, size));
}

/* Get an argument that may be left out: with a `from` of 0 nothing is copied. */
static inline int args_get_if(void *to, uint64_t from, size_t size)
{
	return from ? args_get(to, from, size) : 0;
}

/*
 * Copy to the user as the last step of a call whose effect cannot be undone. Waits for memory when there is none, so
 * the caller holds no lock, nor any pointer to something that is not held. With a `to` of 0 nothing is copied. Returns
 * 0, -EFAULT, or -ERESTART_MEMORY: the task is to end.
 */
int args_put_late(uint64_t to, const void *from, size_t size);

/* Get a struct timespec, as nanoseconds. -EFAULT, and timespec_to_ns's -EINVAL. */
int args_time(uint64_t from, uint64_t *ret_ns);

/*
 * Return the file behind a descriptor, held, since another thread may close the descriptor: put it, or use HELD_FILE.
 * NULL: the descriptor is not open (-EBADF).
 */
static inline struct file *args_file_get(uint64_t fd)
{
	return fd_file_get(process_current()->fds, (int)fd);
}

static inline bool args_file_exists(uint64_t fd)
{
	return fd_file_peek(process_current()->fds, (int)fd);
}

/*
 * Give `file` a descriptor, which takes over the caller's reference, after an error too. flags: O_CLOEXEC or not.
 * Returns the descriptor, or fd_install's errors.
 */
int64_t args_install(struct file *file, uint64_t flags);

/* Return the time `ns` from now, by the monotonic clock; TIME_MOST_NS at the most. */
uint64_t deadline_in(uint64_t ns);

/*
 * Get the deadline that a struct timespec from now on means: TASK_NO_DEADLINE when `from` is 0, and 0, which has
 * passed, for a time of 0. args_time's errors.
 */
int args_deadline(uint64_t from, uint64_t *ret_ns);

/* Get the user's path at `from`, in the heap: the caller frees it with kfree. -EFAULT, -ENAMETOOLONG, -ENOMEM. */
int args_path(uint64_t from, char **ret);

/*
 * A path and the nodes where it starts, which are held: another thread may change the directory, or close the
 * descriptor.
 */
struct user_path {
	char *text;
	struct path_base base;
};

/*
 * Get the path at user address `from`, which starts in the working directory (fd AT_FDCWD) or in the directory behind
 * `fd`; put by user_path_put(). args_path's errors; if the path is relative, -EBADF, -ENOTDIR. Nothing is held then.
 */
int user_path_get(uint64_t fd, uint64_t from, struct user_path *ret);
void user_path_put(struct user_path *path);

/* Look up the node that a path leads to, held. flags: PATH_…. The errors of user_path_get and path_lookup. */
int user_path_lookup(uint64_t fd, uint64_t from, unsigned flags, struct node **ret);

/* Linux's struct rusage, of getrusage(2). */
struct linux_rusage {
	struct linux_timeval user, system;
	int64_t max_rss_kib;
	int64_t unused1[3];
	int64_t minor_faults, major_faults;
	int64_t unused2[8];
};

_Static_assert(sizeof(struct linux_rusage) == 144, "Linux's struct rusage");

/*
 * Return the usage that is `run_ns` of CPU time, so many page faults, and so many pages at the most. All time counts as
 * the user's, none as the system's.
 */
static inline struct linux_rusage rusage_of(uint64_t run_ns, uint64_t faults, uint64_t pages)
{
	return (struct linux_rusage){
		.user = timeval_from_ns(run_ns),
		.max_rss_kib = (int64_t)(pages * (PAGE_SIZE / 1024)),
		.minor_faults = (int64_t)faults,
	};
}
